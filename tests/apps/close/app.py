"""An iterable that reports on wsgi.errors when it is closed. The path names how the iteration goes."""

TEXT = [("Content-Type", "text/plain")]
UNCHECKED = "the wrappers have a close() of their own and would hide who calls ours, and how often"


class Body:
    def __init__(self, errors, name, items):
        self.errors = errors
        self.name = name
        self.items = items
        self.closed = 0

    def __iter__(self):
        return iter(self.items)

    def close(self):
        self.closed += 1
        self.errors.write(f"closed {self.name} {self.closed} times\n")
        self.errors.flush()
        if self.name == "raising":
            raise RuntimeError("raised by close")


def application(environ, start_response):
    name = environ["PATH_INFO"][1:]
    start_response("200 OK", TEXT)
    return Body(environ["wsgi.errors"], name, globals().get(name, whole)())


def whole():
    yield b"whole"


def empty():
    return []


def broken():
    yield b"part"
    raise RuntimeError("raised by the iterator")


def endless():
    while True:
        yield b"x" * 65536


def raising():
    yield b"whole"
