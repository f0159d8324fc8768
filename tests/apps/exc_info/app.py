"""start_response called again. The path names the case; the body says what happened."""

import sys

TEXT = [("Content-Type", "text/plain")]
UNCHECKED = "webtest.lint refuses a second call without exc_info before the server can"


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](start_response)


def replaced(start_response):
    """Nothing was sent, so that the second status and headers count."""
    start_response("200 OK", [*TEXT, ("X-First", "yes")])
    try:
        raise KeyError("early")
    except KeyError:
        start_response("503 Sorry", [*TEXT, ("X-Second", "yes")], sys.exc_info())
    return [b"sorry"]


def twice(start_response):
    """PEP 3333: it is a fatal error to call it again without exc_info."""
    start_response("200 OK", TEXT)
    try:
        start_response("201 Created", TEXT)
    except BaseException as error:
        return [type(error).__name__.encode()]
    return [b"accepted"]


def late(start_response):
    """Headers were sent: the exception passed in comes back out."""
    write = start_response("200 OK", TEXT)
    write(b"sent;")
    try:
        raise KeyError("late")
    except KeyError:
        info = sys.exc_info()
    try:
        start_response("500 Oops", TEXT, info)
    except KeyError as error:
        return [b"raised again" if error is info[1] else b"another exception"]
    return [b"accepted"]


def aborts(start_response):
    """As `late`, but the application lets the exception through: the response is cut off."""
    start_response("200 OK", TEXT)(b"sent;")
    try:
        raise KeyError("through")
    except KeyError:
        start_response("500 Oops", TEXT, sys.exc_info())
    return [b"never"]


def never(start_response):
    """start_response is not called at all."""
    return [b"body without a head"]


def lazily(start_response):
    """A generator may call it as late as its first item."""
    start_response("202 Accepted", TEXT)
    yield b"lazily"
