"""What reaches the application: the path, and the variables that routes may change. /wait reads the FIFO that the query
names, and so lasts as long as its writer wants."""

import json
import pathlib
import sys

UNCHECKED = True
SHOWN = ["PATH_INFO", "QUERY_STRING", "REQUEST_URI", "SCRIPT_NAME", "REQUEST_METHOD", "MARK"]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        print("waiting", file=sys.stderr, flush=True)
        body = pathlib.Path(environ["QUERY_STRING"]).read_bytes()
    else:
        body = json.dumps({name: environ.get(name) for name in SHOWN}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Application", "yes"), ("Server", "own")])
    return [body]
