"""/first sends one chunk and waits for a request to /second before it sends the next: two threads are needed.

The answers to /slow have 1000 chunks of 64 KiB, which nobody can take at once. /quick gives ten chunks as fast as it can and
waits for the body of its request before it gives that; /written does the same with write(); /large gives ten of 20 kB;
/forked has a child after them, which ends the answer in its own way.
"""

import os
import threading

released = threading.Event()


def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path == "/first":
        return first()
    if path == "/slow":
        return (b"%064x" % number * 1024 for number in range(1000))
    if path in ("/quick", "/large"):
        return quick(environ, 1 if path == "/quick" else 10_000)
    if path == "/written":
        for piece in numbers(1):
            write(piece)
        return said(environ)
    if path == "/forked":
        return forked()
    released.set()
    return [b"released"]


def first():
    yield b"one,"
    yield b"two" if released.wait(30) else b"nobody came"


def quick(environ, times):
    yield from numbers(times)
    yield from said(environ)


def forked():
    yield from numbers(1)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        yield b"parent"
    else:
        yield b"child"


def numbers(times):
    return [b"%d," % number * times for number in range(10)]


def said(environ):
    yield environ["wsgi.input"].read(2)
