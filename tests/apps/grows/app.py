"""A process that grows: /leak keeps as many MiB as the query says, /sleep takes as many seconds, all answer the process."""

import os
import time

UNCHECKED = True
kept = []


def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/leak":
        kept.append(b"x" * (int(query) << 20))
    elif path == "/sleep":
        time.sleep(float(query))
    body = b"%d" % os.getpid()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
