"""Applications at the edge of PEP 3333, and over it: the path names what they do."""

import json
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import threading
import time

TEXT = [("Content-Type", "text/plain")]
UNCHECKED = "much of it is against the rules"

kept = {}
released = threading.Event()


def application(environ, start_response):
    name = environ["PATH_INFO"][1:].replace("-", "_")
    return globals()[name](environ, start_response)


def plain(start_response, text):
    start_response("200 OK", TEXT)
    return [str(text).encode()]


def pid(environ, start_response):
    return plain(start_response, os.getpid())


# What is kept beyond the request.

def keep(environ, start_response):
    kept.update(start=start_response, write=start_response("200 OK", TEXT), input=environ["wsgi.input"])
    return [b"kept"]


def use_kept(environ, start_response):
    """Tries everything that /keep has kept, from another thread, while this request runs."""
    start_response("200 OK", TEXT)
    said = []
    thread = threading.Thread(target=lambda: said.extend(attempts()))
    thread.start()
    thread.join()
    return [", ".join(said).encode()]


def attempts():
    for name, attempt in (
            ("write", lambda: kept["write"](b"stray")),
            ("read", lambda: kept["input"].read()),
            ("start", lambda: kept["start"]("500 Stray", TEXT))):
        try:
            attempt()
            yield name
        except Exception as error:
            yield f"{name} {type(error).__name__}"


def read_elsewhere(environ, start_response):
    """Another thread reads the body of a request that is answered meanwhile."""
    def read():
        try:
            kept["read"] = len(environ["wsgi.input"].read())
        except OSError as error:
            kept["read"] = type(error).__name__
        released.set()

    threading.Thread(target=read).start()
    return plain(start_response, "answered")


def was_read(environ, start_response):
    released.wait()
    return plain(start_response, kept["read"])


def read_again(environ, start_response):
    """All of the body, which fails, and then what had come of it."""
    stream = environ["wsgi.input"]
    try:
        return plain(start_response, len(stream.read()))
    except TimeoutError:
        return plain(start_response, f"failed, {len(stream.read(150000))}")


# The order of things.

def write_after_a_bad_head(environ, start_response):
    write = start_response("200 OK", TEXT)
    try:
        start_response("no status", TEXT, (KeyError, KeyError("the reason"), None))
    except ValueError:
        pass
    write(b"lost")
    return []


def own_iter_fault(environ, start_response):
    class Body:
        def __iter__(self):
            raise LookupError("the fault of its own __iter__")

    start_response("200 OK", TEXT)
    return Body()


class SlowToClose:
    def __init__(self, errors, items):
        self.errors = errors
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def close(self):
        released.wait()
        print("closed at last", file=self.errors, flush=True)


def slow_to_close(environ, start_response):
    released.clear()
    start_response("200 OK", TEXT)
    return SlowToClose(environ["wsgi.errors"], [b"one", b"two"])


def release(environ, start_response):
    released.set()
    return plain(start_response, "released")


def many_pieces(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"x" * 10000] * 20000


def large_writes(environ, start_response):
    write = start_response("200 OK", TEXT)
    for _ in range(200):
        write(b"x" * 1000000)
    return []


def subclasses(environ, start_response):
    class Bytes(bytes):
        def __del__(self):
            # Harmless where nothing is locked; where the exchange is, it would wait for itself.
            try:
                write(b"")
            except OSError:
                pass

    write = start_response("200 OK", TEXT)
    return iter([Bytes(b"x" * 100000), Bytes(b"y")])


def peak(environ, start_response):
    return plain(start_response, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def write_for_ever(environ, start_response):
    write = start_response("200 OK", TEXT)
    try:
        while True:
            write(b"x" * 65536)
    finally:
        print("the writer gave up", file=environ["wsgi.errors"], flush=True)


def swallow(environ, start_response):
    """A generator that does not take the end of the world for an answer."""
    start_response("200 OK", TEXT)
    try:
        yield b"first"
        raise GeneratorExit("raised by the application")
    finally:
        print("the generator ended", file=environ["wsgi.errors"], flush=True)


def both_framings(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4"), ("Transfer-Encoding", "chunked")])
    return [b"4\r\nbody\r\n0\r\n\r\n"]


def no_content(environ, start_response):
    start_response("204 No Content", [("Content-Length", "0")])
    return []


# Processes and signals.

def fork_returns(environ, start_response):
    """The child answers as well, or tries to."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return plain(start_response, os.waitstatus_to_exitcode(status))
    start_response("500 Child", TEXT)
    return [b"of the child"]


def fork_exits(environ, start_response):
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return plain(start_response, os.waitstatus_to_exitcode(status))
    sys.exit(7)


def fork_in_generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"before "
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        yield b"parent"
    else:
        yield b"child"


def fork_stays(environ, start_response):
    """A child that lives on, while the end of this response is the end of its connection."""
    reading, writing = os.pipe()
    kept["child"] = os.fork()
    if not kept["child"]:
        os.write(writing, b".")
        signal.pause()
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    start_response("200 OK", TEXT)
    yield b"of the parent"


def child(environ, start_response):
    return plain(start_response, kept["child"])


def end_child(environ, start_response):
    os.kill(kept["child"], signal.SIGTERM)
    os.waitpid(kept["child"], 0)
    return plain(start_response, "ended")


def terminate(environ, start_response):
    """A child that is asked to stop stops, and its parent does not."""
    multiprocessing.set_start_method("fork", force=True)
    child = multiprocessing.Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    return plain(start_response, child.exitcode)


# A handler of the application, installed when it is imported.
signal.signal(signal.SIGUSR1, lambda *_: print("handled by Python", file=sys.stderr, flush=True))
