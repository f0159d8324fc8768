"""About the process: /pid, /thread, /fds (open descriptors of a child program), /crash, /argv, /path, /env/NAME.

/wait ends when somebody asks for /go (two threads are needed).
"""

import json
import os
import pathlib
import subprocess
import sys
import threading

IMPORTED_BY = os.getpid()
IMPORTED_PARENT = os.getppid()
go = threading.Event()
waiting = threading.Event()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    body = json.dumps(answer(path)).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def answer(path):
    if path == "/pid":
        return {"pid": os.getpid(), "parent": os.getppid(), "imported-by": IMPORTED_BY}
    if path == "/thread":
        return {"id": threading.get_ident(), "name": threading.current_thread().name}
    if path == "/fds":
        # close_fds would hide what a program inherits that C code starts.
        shown = subprocess.run(
            ["ls", "-l", "/proc/self/fd"], stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=False)
        return [line.split(None, 8)[8] for line in shown.stdout.splitlines() if "->" in line]
    if path == "/crash":
        os.kill(os.getpid(), 9)
    if path == "/wait":
        waiting.set()
        return {"pid": os.getpid(), "went": go.wait(60)}
    if path == "/waiting":
        return {"waiting": waiting.wait(60)}
    if path == "/go":
        go.set()
        return {"pid": os.getpid()}
    if path == "/argv":
        return sys.argv
    if path == "/path":
        return sys.path
    if path == "/python":
        return {"version": list(sys.version_info[:3]), "executable": sys.executable, "prefix": sys.prefix,
                "cwd": os.getcwd(), "module": __name__}
    if path == "/signals":
        return pathlib.Path("/proc/self/status").read_text()
    if path.startswith("/env/"):
        return os.environ.get(path[5:])
    return {"version": os.environ.get("TEST_VERSION")}
