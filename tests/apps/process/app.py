"""About the process: /pid, /thread, /fds (open descriptors of a child program), /argv, /path, /python, /env/NAME.

/fork makes a child that says something. /wait reads the FIFO that the query names, and so lasts as long as its writer wants.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading

IMPORTED_BY = os.getpid()


def application(environ, start_response):
    body = json.dumps(answer(environ)).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def answer(environ):
    path = environ["PATH_INFO"]
    if path == "/pid":
        return {"pid": os.getpid(), "parent": os.getppid(), "imported-by": IMPORTED_BY}
    if path == "/thread":
        return {"id": threading.get_ident(), "name": threading.current_thread().name}
    if path == "/fds":
        # close_fds would hide what a program inherits that C code starts.
        shown = subprocess.run(
            ["ls", "-l", "/proc/self/fd"], stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=False)
        return [line.split(None, 8)[8] for line in shown.stdout.splitlines() if "->" in line]
    if path == "/fork":
        child = os.fork()
        if not child:
            print("the child speaks", file=sys.stderr, flush=True)
            os._exit(0)
        return os.waitpid(child, 0)[1]
    if path == "/wait":
        print("waiting", file=sys.stderr, flush=True)
        return {"pid": os.getpid(), "read": pathlib.Path(environ["QUERY_STRING"]).read_text()}
    if path == "/argv":
        return sys.argv
    if path == "/path":
        return sys.path
    if path == "/python":
        return {"version": list(sys.version_info[:3]), "executable": sys.executable, "prefix": sys.prefix,
                "cwd": os.getcwd(), "pid": os.getpid()}
    if path.startswith("/env/"):
        return os.environ.get(path[5:])
    return {"version": os.environ.get("TEST_VERSION")}
