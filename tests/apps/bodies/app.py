"""Bodies of every shape. The path names the shape, the query the status and, after a comma, the Content-Length."""

import itertools

UNCHECKED = "the wrappers demand headers that match, and turn every iterable into their own"


class Sequence:
    """Iterable only by __getitem__."""

    def __getitem__(self, index):
        return [b"by", b"index"][index]


class Iterator:
    """Iterates without being a generator."""

    def __init__(self):
        self.items = [b"own", b"iterator"]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        return self.items.pop(0)


SHAPES = {
    "list": lambda: [b"list"],
    "tuple": lambda: (b"tuple",),
    "lists": lambda: [b"two ", b"items"],
    "blanks": lambda: [b"", b"blanks", b""],
    "generator": lambda: (item for item in [b"gene", b"rator"]),
    "late": lambda: (item for item in [b"", b"", b"late"]),
    "chain": lambda: itertools.chain([b"cha"], [b"in"]),
    "iterator": Iterator,
    "sequence": Sequence,
    "bytes": lambda: b"bytes",
    "large": lambda: [b"large" * 100000],
    "huge": lambda: (b"huge" * 100000 for _ in range(10)),
    "nothing": lambda: [],
    "blank": lambda: [b""],
    "no-items": lambda: iter(()),
    "none": lambda: None,
    "number": lambda: 7,
    "text": lambda: ["text"],
    "bytearray": lambda: [bytearray(b"bytearray")],
}


def application(environ, start_response):
    status, _, length = environ["QUERY_STRING"].partition(",")
    headers = [("Content-Length", length)] if length else []
    start_response((status or "200") + " As Asked", headers)
    return SHAPES[environ["PATH_INFO"][1:]]()
