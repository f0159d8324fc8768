"""Every request brings a number, the first part of its query, which comes back with the process that answered.

TEST_LEDGER is a file to which each request adds `+NUMBER PID` when it begins and `-NUMBER PID` before it is answered,
so that afterwards it is known which requests were in which process, and which of them twice. The path says what happens
in between; see the functions.
"""

import ctypes
import logging
import os
import pathlib
import time

UNCHECKED = True
LEDGER = os.open(os.environ["TEST_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
PYTHON = ctypes.PyDLL(None)
"""Functions of the C library that are called with the interpreter lock held."""
kept = []


def application(environ, start_response):
    number, _, argument = environ["QUERY_STRING"].partition("&")
    entry = f"{number} {os.getpid()}\n".encode()
    # One write each, to a file that everybody appends to: entries do not mix.
    os.write(LEDGER, b"+" + entry)
    answer = entry + environ["wsgi.input"].read()
    VIEWS[environ["PATH_INFO"]](environ, argument)
    os.write(LEDGER, b"-" + entry)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]


def echo(environ, argument):
    """What all the others do besides."""


def hold(environ, argument):
    """Reads the FIFO that the argument names, and so lasts as long as its writer wants."""
    pathlib.Path(argument).read_text()


def leak(environ, argument):
    """Keeps a megabyte of memory, and uses it."""
    kept.append(b"x" * (1 << 20))


def take(environ, argument):
    """Wants more memory at once than there is."""
    kept.append(bytearray(2 << 30))


def take_all(environ, argument):
    """Takes memory until there is no more, and keeps it; in few large pieces first, since others run meanwhile."""
    for size in (1 << 20, 10_000):
        try:
            while True:
                kept.append(bytearray(size))
        except MemoryError:
            pass
    while True:
        kept.append(os.urandom(1000))


def loop(environ, argument):
    while True:
        pass


def sleep(environ, argument):
    time.sleep(3600)


def c_sleep(environ, argument):
    """Holds the interpreter lock until a signal comes."""
    PYTHON.sleep(3600)
    loop(environ, argument)


def c_usleep(environ, argument):
    """Holds the interpreter lock; a signal ends one call, and the next begins."""
    while True:
        PYTHON.usleep(999_999)


def c_lock(environ, argument):
    """Holds the interpreter lock, and nothing ends this."""
    mutex = ctypes.create_string_buffer(256)
    while True:
        PYTHON.pthread_mutex_lock(mutex)


def fail(environ, argument):
    """Leaves a traceback in the log, and an answer of the server's own."""
    raise LookupError("asked to fail")


def say(environ, argument):
    """Logs; what becomes of that is none of the client's business."""
    logging.warning("something went on")


VIEWS = {"/" + function.__name__.replace("_", "-"): function for function in [
    c_lock, c_sleep, c_usleep, echo, fail, hold, leak, loop, say, sleep, take, take_all]}
