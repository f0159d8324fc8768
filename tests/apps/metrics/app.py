"""Something to measure: /spin computes for 50 ms, /missing is a 404, everything else says hello.

/wait reads the FIFO that the query names, up to an `&`, and so lasts as long as its writer wants.
"""

import pathlib
import time

UNCHECKED = "two threads at once in the validators say nothing of what is measured"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/spin":
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
    if path == "/wait":
        pathlib.Path(environ["QUERY_STRING"].split("&")[0]).read_text()
    body = b"hello"
    status = "404 Not Found" if path == "/missing" else "200 OK"
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
