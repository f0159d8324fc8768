"""Takes memory until there is no more, and open files; /limits tells what it may have."""

import json
import os
import resource

UNCHECKED = True
kept = []


def application(environ, start_response):
    status, answer = "200 OK", None
    try:
        answer = VIEWS[environ["PATH_INFO"]](environ)
    except MemoryError:
        if environ["PATH_INFO"] != "/caught":
            raise
        status = "500 Internal Server Error"
    body = json.dumps(answer).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def at_once(environ):
    kept.append(bytearray(2 << 30))


def piece_by_piece(environ):
    while True:
        kept.append(bytes(100))


def body(environ):
    """Leaves little room, and asks for a body that needs more."""
    try:
        while True:
            kept.append(bytearray(8 << 20))
    except MemoryError:
        del kept[-2:]
    return len(environ["wsgi.input"].read())


def pid(environ):
    return os.getpid()


def limits(environ):
    return {"as": resource.getrlimit(resource.RLIMIT_AS), "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)}


VIEWS = {"/at-once": at_once, "/piece-by-piece": piece_by_piece, "/caught": piece_by_piece, "/limits": limits,
         "/body": body, "/pid": pid}
