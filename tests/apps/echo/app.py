"""Answers the request body. The path says how it is read: /all at once, /lines by iteration, /none not at all; /told says so
before it reads."""

UNREAD = b"the body was not read"


def application(environ, start_response):
    stream = environ["wsgi.input"]
    path = environ["PATH_INFO"]
    if path == "/lines":
        body = b"".join(stream)
    elif path == "/none":
        body = UNREAD
    else:
        if path == "/told":
            print("the body is read now", flush=True)
        body = b"".join(iter(lambda: stream.read(8192), b""))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]
