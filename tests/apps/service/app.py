"""What a service is made of, seen from inside: who it is, what it may do, and how it hangs."""

import json
import os
import resource
import threading
from urllib.parse import parse_qs

HELD = []


def identity(_query):
    return {
        "pid": os.getpid(),
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": sorted(os.getgroups()),
        "nice": os.nice(0),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
    }


def read(query):
    return attempt(lambda: open(query["path"][0]).read())


def write(query):
    return attempt(lambda: open(query["path"][0], "w").write("written"))


def attempt(action):
    try:
        return {"result": action()}
    except OSError as error:
        return {"error": error.strerror}


def hang(_query):
    """For ever, as a deadlock does."""
    threading.Event().wait()


def slow(query):
    """As long as it takes: until somebody makes the file."""
    print("slow request has begun", flush=True)
    while not os.path.exists(query["until"][0]):
        threading.Event().wait(0.01)
    return {"slow": True}


def memory(query):
    HELD.append(bytearray(os.urandom(1)) * int(query["bytes"][0]))
    return {"held": len(HELD)}


def churn(query):
    """Reads a large file again and again, until somebody makes the other one."""
    with open(query["file"][0], "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while not os.path.exists(query["until"][0]):
            if not file.readinto(buffer):
                file.seek(0)
    return {"read": True}


PAGES = {
    "/churn": churn,
    "/hang": hang,
    "/identity": identity,
    "/memory": memory,
    "/read": read,
    "/slow": slow,
    "/write": write,
}


def application(environ, start_response):
    page = PAGES.get(environ["PATH_INFO"])
    answer = page(parse_qs(environ["QUERY_STRING"])) if page else {"path": environ["PATH_INFO"]}
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
