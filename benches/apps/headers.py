"""What an ordinary application does with a request: twenty reads of the environ, ten headers back, 1 KiB."""

BODY = b"x" * 1024
REQUEST = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
           "REMOTE_ADDR", "wsgi.url_scheme", "wsgi.input")
HEADERS = [(f"HTTP_X_HEADER_{number}", f"X-Header-{number}") for number in range(10)]
FIRST = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def application(environ, start_response):
    for name in REQUEST:
        environ.get(name)
    start_response("200 OK", FIRST + [(name, environ[variable]) for variable, name in HEADERS])
    return [BODY]
