"""Requests that wait for each other in one worker, which only greenlets can do; see the functions.

Whatever waits here does so in words of the standard library, which gevent has patched.
"""

import contextvars
import io
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

import gevent
import hostler
import requests

UNCHECKED = True
LOOK = 0.002
seen = contextvars.ContextVar("seen", default=0)
local = threading.local()
inside = most = 0


class Inside:
    def __enter__(self):
        global inside, most
        inside += 1
        most = max(most, inside)

    def __exit__(self, *_):
        global inside
        inside -= 1


def application(environ, start_response):
    with Inside():
        answer = VIEWS[environ["PATH_INFO"]](environ)
    if not isinstance(answer, (list, int, str)):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def until(holds):
    while not holds():
        time.sleep(LOOK)


def pid(environ):
    return os.getpid()


def meet(environ):
    """Is answered when so many requests have been here at the same time."""
    until(lambda: most >= int(environ["QUERY_STRING"]))
    return most


def wait(environ):
    """Is answered when the file exists."""
    say("waiting")
    until(pathlib.Path(environ["QUERY_STRING"]).exists)
    return [inside, most]


def fetch(environ):
    return json.load(urllib.request.urlopen(environ["QUERY_STRING"]))


def fetch_by_requests(environ):
    return requests.get(environ["QUERY_STRING"], timeout=60).json()


def upload(environ):
    """Reads in pieces, to the end."""
    body = environ["wsgi.input"]
    return sum(map(len, iter(lambda: body.read(50_000), b"")))


def upload_beside(environ):
    """Another greenlet reads the body."""
    return gevent.spawn(upload, environ).get()


def unread(environ):
    """A greenlet still waits for the body when the request is answered."""
    def read():
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            say(f"the reader was told: {error}")

    gevent.spawn(read)
    gevent.sleep(LOOK)
    return "answered"


def download(environ):
    try:
        with Inside():
            for _ in range(int(environ["QUERY_STRING"])):
                yield b"x" * 100_000
    finally:
        say("the download is over")


def written(environ):
    """Pieces that are waited for between them."""
    for number in range(5):
        time.sleep(LOOK)
        yield b"%d\n" % number


def wrapped(environ):
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))


def streamed(environ):
    return environ["wsgi.file_wrapper"](io.BytesIO(b"y" * 300_000), 1000)


def context(environ):
    """What an earlier request has left, which is nothing, and what greenlet this is."""
    left = [seen.get(), getattr(local, "seen", 0)]
    seen.set(1)
    local.seen = 1
    return left + [type(gevent.getcurrent()).__name__, environ["wsgi.multithread"]]


def speak(environ):
    """Two halves of a line, and the others' between them."""
    name = environ["QUERY_STRING"]
    print(name, end=" ")
    meet({"QUERY_STRING": "2"})
    print(name)
    return hostler.request_id()


def sleep(environ):
    try:
        time.sleep(3600)
    finally:
        say("cleaned up")


def late(environ):
    """Has less time than others."""
    environ["hostler.set_deadline"](0.3)
    sleep(environ)


def swallow(environ):
    while True:
        try:
            sleep(environ)
        except BaseException as error:
            say(f"swallowed {type(error).__name__}")


def loop(environ):
    while True:
        pass


def end(environ):
    """A greenlet beside the request wants the program to end."""
    gevent.spawn(sys.exit)
    return "answered"


def resolve(environ):
    import socket

    return len(socket.getaddrinfo("localhost", 80))


def command(environ):
    meet(environ)
    return subprocess.run(["sh", "-c", "sleep 0.01; echo done"], capture_output=True, text=True).stdout


def fork(environ):
    """A child that does something of its own, the hub's turns included."""
    pid = os.fork()
    if pid == 0:
        time.sleep(LOOK)
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def say(text):
    print(text, file=sys.stderr, flush=True)


if "TEST_RESOLVE" in os.environ:
    resolve(None)
if "TEST_EARLY" in os.environ:
    gevent.spawn(lambda: (until(lambda: hostler.worker_id() is not None), say("begun before the fork")))

VIEWS = {"/" + function.__name__.replace("_", "-"): function for function in [
    command, context, download, end, fetch, fetch_by_requests, fork, late, loop, meet, pid, resolve, sleep, speak, streamed, swallow,
    unread, upload, upload_beside, wait, wrapped, written]}
