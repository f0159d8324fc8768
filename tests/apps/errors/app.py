"""Writes to wsgi.errors, stdout and stderr."""

import sys


def application(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write("to wsgi.errors\n")
    errors.writelines(["line one\n", "line two\n"])
    errors.flush()
    print("to stdout", flush=True)
    print("to stderr", file=sys.stderr, flush=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"told"]
