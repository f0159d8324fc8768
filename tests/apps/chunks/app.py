"""/first sends one chunk and waits for a request to /second before it sends the next: two threads are needed.

The answers to /slow have 1000 chunks of 64 KiB, which nobody can take at once.
"""

import threading

released = threading.Event()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/first":
        return first()
    if environ["PATH_INFO"] == "/slow":
        return (b"%064x" % number * 1024 for number in range(1000))
    released.set()
    return [b"released"]


def first():
    yield b"one,"
    yield b"two" if released.wait(30) else b"nobody came"
