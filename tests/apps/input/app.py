"""Makes the calls that the query asks for on wsgi.input, and the same calls on a BytesIO with the same bytes.

Query: URL-encoded JSON, a list of calls: ["read"], ["read", 5], ["readline", -1], ["next"], ["iterate"], ...
X-Unit and X-Count: the body is that many repetitions of the unit, whose bytes are in hexadecimal.
Answer: {"calls": how many were made, "differences": [[number, call, what wsgi.input gave, what BytesIO gave], ...]}.
"""

import io
import json
from urllib.parse import unquote

UNCHECKED = "the wrappers demand exactly one argument of read() and at most one of the others"


def call(stream, name, *arguments):
    try:
        if name == "next":
            return next(iter(stream))
        if name == "iterate":
            return list(stream)
        if name == "types":
            return [type(stream.read(0)), type(stream.readline(0)), type(stream.readlines(0))]
        return getattr(stream, name)(*arguments)
    except (StopIteration, TypeError, ValueError) as error:
        return type(error).__name__


def application(environ, start_response):
    body = bytes.fromhex(environ["HTTP_X_UNIT"]) * int(environ["HTTP_X_COUNT"])
    judge = io.BytesIO(body)
    differences = []
    calls = json.loads(unquote(environ["QUERY_STRING"]))
    for number, (name, *arguments) in enumerate(calls):
        got = call(environ["wsgi.input"], name, *arguments)
        expected = call(judge, name, *arguments)
        if got != expected:
            differences.append([number, [name, *arguments], repr(got)[:200], repr(expected)[:200]])
    answer = json.dumps({"calls": len(calls), "differences": differences}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
