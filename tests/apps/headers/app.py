"""Calls start_response with what the query names; a server has to refuse most of it. The body tells the exception."""

TEXT = ("Content-Type", "text/plain")
UNCHECKED = "the wrappers would refuse it before the server can"


class Text(str):
    """A str that is not a native string to the letter (PEP 3333: type(x) is str)."""


CASES = {
    "good": ("200 OK", [TEXT]),
    "no-reason": ("200 ", [TEXT]),
    "latin-1": ("200 Tr\xe8s bien", [TEXT, ("X-Name", "caf\xe9")]),
    "twice": ("200 OK", [TEXT, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
    "own-date": ("200 OK", [TEXT, ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Server", "the application")]),
    "status-bytes": (b"200 OK", [TEXT]),
    "status-number": (200, [TEXT]),
    "status-short": ("20", [TEXT]),
    "status-word": ("OK 200", [TEXT]),
    "status-glued": ("200OK", [TEXT]),
    "status-newline": ("200 OK\r\nX-Evil: yes", [TEXT]),
    "status-beyond-latin-1": ("200 \u20ac", [TEXT]),
    "status-below-100": ("099 Odd", [TEXT]),
    "headers-number": ("200 OK", 7),
    "headers-dict": ("200 OK", dict([TEXT])),
    "header-list": ("200 OK", [list(TEXT)]),
    "header-three": ("200 OK", [("A", "b", "c")]),
    "header-none": ("200 OK", [("X-None", None)]),
    "name-bytes": ("200 OK", [(b"X-Name", "value")]),
    "name-empty": ("200 OK", [("", "value")]),
    "name-colon": ("200 OK", [("X-Name:", "value")]),
    "name-blank": ("200 OK", [("X Name", "value")]),
    "name-newline": ("200 OK", [("X-Name\r\nX-Evil", "value")]),
    "value-bytes": ("200 OK", [("X-Name", b"value")]),
    "value-newline": ("200 OK", [("X-Name", "a\r\nX-Evil: yes")]),
    "value-line-feed": ("200 OK", [("X-Name", "a\nX-Evil: yes")]),
    "value-nul": ("200 OK", [("X-Name", "a\0b")]),
    "value-beyond-latin-1": ("200 OK", [("X-Name", "\u20ac")]),
    "connection": ("200 OK", [TEXT, ("Connection", "close")]),
    "transfer-encoding": ("200 OK", [TEXT, ("Transfer-Encoding", "chunked")]),
    "upgrade": ("200 OK", [TEXT, ("Upgrade", "h2c")]),
    "length-word": ("200 OK", [TEXT, ("Content-Length", "four")]),
    "length-negative": ("200 OK", [TEXT, ("Content-Length", "-4")]),
    "lengths": ("200 OK", [TEXT, ("Content-Length", "4"), ("Content-Length", "5")]),
}


def application(environ, start_response):
    status, headers = CASES[environ["QUERY_STRING"]]
    try:
        start_response(status, headers)
    except Exception as error:
        body = f"{type(error).__name__}: {error}".encode()
        start_response("200 OK", [TEXT, ("X-Refused", "yes")])
        return [body]
    return [b"good"]
