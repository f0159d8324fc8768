"""What reads what is posted: `/echo` sends it back, `/count` reads it piece by piece and says how much it was."""

PIECE = 64 * 1024  # bytes, what Django and Werkzeug ask for at a time


def application(environ, start_response):
    if environ["PATH_INFO"] == "/echo":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    else:
        body = b"%d" % count(environ["wsgi.input"])
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]


def count(stream):
    """Reads to the end and keeps nothing."""
    total = 0
    while piece := stream.read(PIECE):
        total += len(piece)
    return total
