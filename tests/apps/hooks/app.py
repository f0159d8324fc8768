"""What runs in each worker before it serves, and what the module `hostler` says."""

import json
import os
import threading

import hostler

IMPORTED_BY = os.getpid()
AT_IMPORT = hostler.worker_id()
called = []


@hostler.postfork
def first():
    called.append(["first", os.getpid(), hostler.worker_id()])


@hostler.postfork
def second():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    called.append(["second", os.getpid(), hostler.worker_id()])


def setting():
    called.append(["setting", os.getpid(), hostler.worker_id()])


def fails():
    raise RuntimeError("no database")


def application(environ, start_response):
    body = json.dumps({
        "pid": os.getpid(), "imported-by": IMPORTED_BY, "at-import": AT_IMPORT, "called": called,
        "version": hostler.__version__, "all": sorted(hostler.__all__),
        "is-exception": issubclass(hostler.HarakiriError, Exception),
    }).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
