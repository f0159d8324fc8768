"""Requests that take too long, each in its own way; see the functions.

/wait reads the FIFO that the query names, and so lasts as long as its writer wants, without a deadline.
"""

import ctypes
import json
import os
import pathlib
import socket
import sys
import threading
import time

UNCHECKED = True
PYTHON = ctypes.PyDLL(None)
"""Functions of the C library that are called with the interpreter lock held."""
kept = []


def application(environ, start_response):
    answer = VIEWS[environ["PATH_INFO"]](environ)
    if not isinstance(answer, (list, str)):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def say(text):
    print(text, file=sys.stderr, flush=True)


def pid(environ):
    return [os.getpid(), threading.current_thread() is threading.main_thread()]


def wait(environ):
    environ["hostler.set_deadline"](None)
    say("waiting")
    return pathlib.Path(environ["QUERY_STRING"]).read_text()


def loop(environ):
    while True:
        pass


def sleep(environ):
    try:
        time.sleep(3600)
    finally:
        say("cleaned up")


def receive(environ):
    ours, theirs = socket.socketpair()
    ours.recv(1)


def c_sleep(environ):
    """A signal ends sleep(3)."""
    PYTHON.sleep(3600)
    loop(environ)


def c_lock(environ):
    """Nothing ends this."""
    mutex = ctypes.create_string_buffer(256)
    while True:
        PYTHON.pthread_mutex_lock(mutex)


def body(environ):
    return environ["wsgi.input"].read().decode()


def swallow(environ):
    while True:
        try:
            loop(environ)
        except Exception:
            say("caught as an Exception")
        except BaseException as error:
            say(f"swallowed {type(error).__module__}.{type(error).__name__}")
            if "again" in environ["QUERY_STRING"]:
                environ["QUERY_STRING"] = ""
            else:
                return "swallowed"


def begun(environ):
    yield b"be"
    yield b"gun"
    loop(environ)


def more(environ):
    environ["hostler.set_deadline"](60)
    return wait_for_query(environ)


def less(environ):
    environ["hostler.set_deadline"](0.05)
    loop(environ)


def almost(environ):
    """Ends about when its time is over, after work of every kind."""
    end = time.monotonic() + float(environ["QUERY_STRING"])
    while time.monotonic() < end:
        time.sleep(0.001)
    return "in time"


def wait_for_query(environ):
    time.sleep(float(environ["QUERY_STRING"]))
    return "in time"


def keep(environ):
    kept.append(environ["hostler.set_deadline"])
    return "kept"


def use_kept(environ):
    try:
        kept[0](1)
    except RuntimeError as error:
        return [str(error), kept[0] is environ["hostler.set_deadline"]]


def wrong(environ):
    answers = []
    for value in [-1, float("nan"), float("inf"), "1"]:
        try:
            environ["hostler.set_deadline"](value)
        except (TypeError, ValueError) as error:
            answers.append(type(error).__name__)
    return answers


VIEWS = {"/" + function.__name__.replace("_", "-"): function for function in [
    almost, begun, body, c_lock, c_sleep, keep, less, loop, more, pid, receive, sleep, swallow, use_kept, wait, wrong]}
