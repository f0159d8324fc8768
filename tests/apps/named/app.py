"""Answers with files: /sendfile and /accel name the one in the query, /wrapper hands it to wsgi.file_wrapper and offers
parts, /plain-wrapper offers none, /raise raises."""

import os

UNCHECKED = True


def application(environ, start_response):
    path, name = environ["PATH_INFO"], environ["QUERY_STRING"]
    headers = [("Content-Type", "text/x-own"), ("X-Application", "yes"), ("ETag", '"own"')]
    if path == "/raise":
        raise RuntimeError("as it was told to")
    if path == "/sendfile":
        start_response("200 OK", headers + [("X-Sendfile", name), ("Content-Length", "4")])
        return [b"body"]
    if path == "/accel":
        start_response("200 OK", headers + [("X-Accel-Redirect", name), ("Cache-Control", "private")])
        return iter([b"body", b"more"])
    if path == "/wrapper":
        headers.append(("Accept-Ranges", "bytes"))
    headers.append(("Content-Length", str(os.stat(name).st_size)))
    start_response("200 OK", headers)
    return environ["wsgi.file_wrapper"](open(name, "rb"))
