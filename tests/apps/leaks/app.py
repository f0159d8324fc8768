"""/count answers what is alive: allocated blocks, and references to objects that every request touches.

Each other path takes the server through one of its ways of serving a request.
"""

import gc
import json
import sys

UNCHECKED = "what the wrappers allocate is none of the server's business"

BODY = b"body"
TEXT = ("Content-Type", "text/plain")
HEADERS = [TEXT]
OK = "200 OK"
SHARED = {"None": None, "body": BODY, "header": TEXT, "headers": HEADERS, "name": TEXT[0], "status": OK}


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](environ, start_response)


def count(environ, start_response):
    gc.collect()
    counts = {name: sys.getrefcount(shared) for name, shared in SHARED.items()}
    counts["blocks"] = sys.getallocatedblocks()
    start_response(OK, HEADERS)
    return [json.dumps(counts).encode()]


def one(environ, start_response):
    start_response(OK, HEADERS)
    return [BODY]


def several(environ, start_response):
    start_response(OK, HEADERS)
    return (BODY, BODY)


def generator(environ, start_response):
    start_response(OK, HEADERS)
    yield BODY
    yield BODY


def large(environ, start_response):
    start_response(OK, HEADERS)
    return [BODY * 100000]


def write(environ, start_response):
    start_response(OK, HEADERS)(BODY)
    return []


def read(environ, start_response):
    start_response(OK, HEADERS)
    return [environ["wsgi.input"].read()]


def lines(environ, start_response):
    start_response(OK, HEADERS)
    return list(environ["wsgi.input"])


def file(environ, start_response):
    start_response(OK, HEADERS)
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))


def kept(environ, start_response):
    environ["self"] = environ
    environ["start"] = start_response
    start_response(OK, HEADERS)
    return [BODY]


def replaced(environ, start_response):
    start_response(OK, HEADERS)
    try:
        raise KeyError("replaced")
    except KeyError:
        start_response("500 Sorry", HEADERS, sys.exc_info())
    return [BODY]


def refused(environ, start_response):
    try:
        start_response(OK, [("Bad Name", "value")])
    except ValueError:
        start_response(OK, HEADERS)
    return [BODY]


def raises(environ, start_response):
    raise KeyError("early")


def breaks(environ, start_response):
    start_response(OK, HEADERS)
    yield BODY
    raise KeyError("late")
