"""Tells in which order modules were imported, and what the worker is: its processors and its umask. /raise does."""

import json
import os

import steps

steps.order.append(["app", os.getpid()])


def umask():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("Umask:"))


def application(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError("as asked")
    body = json.dumps({
        "pid": os.getpid(), "order": steps.order, "umask": umask(), "processors": sorted(os.sched_getaffinity(0)),
    }).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
