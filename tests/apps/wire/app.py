"""Answers what came over the wire: the request line and the body, each byte as the character of its number."""

import json

UNCHECKED = "the corpus has methods and targets that the wrappers warn of"


def application(environ, start_response):
    seen = {
        "request": " ".join(environ[name] for name in ("REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL")),
        "body": environ["wsgi.input"].read().decode("latin-1"),
    }
    body = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
