"""Bodies to be compressed. The path is the shape of the body, the query its status and headers as JSON."""

import json
import pathlib
import urllib.parse

UNCHECKED = True
TEXT = b"All work and no play makes Jack a dull boy. " * 500


def application(environ, start_response):
    headers = {"Content-Type": "text/html; charset=utf-8"}
    headers.update(json.loads(urllib.parse.unquote(environ["QUERY_STRING"]) or "{}"))
    start_response(headers.pop("status", "200 OK"), [pair for pair in headers.items() if pair[1]])
    return SHAPES[environ["PATH_INFO"]](headers)


def fifo(headers):
    yield b"first"
    yield pathlib.Path(headers["X-Fifo"]).read_bytes()


SHAPES = {
    "/list": lambda headers: [TEXT],
    "/pieces": lambda headers: (TEXT[at : at + 100] for at in range(0, len(TEXT), 100)),
    "/short": lambda headers: [b"short"],
    "/empty": lambda headers: [],
    "/fifo": fifo,
}
