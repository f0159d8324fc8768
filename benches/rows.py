"""The rows of the table: what is asked of the servers, of which, and what is promised of hostler beside them.

This file holds no measuring. Each row's application lies in `apps/`; `right` of a row decides whether an answer is the
one that the row is about, so that no server is fast because it does less.
"""

import dataclasses
from collections.abc import Callable

HELLO = b"Hello, world!\n"
KIB = 1 << 10
MIB = 1 << 20


def exactly(expected, headers=()):
    """The whole body, and these headers of the answer."""
    return lambda answer, body: body == expected and all(answer.getheader(name) == value for name, value in headers)


def page(*parts):
    """A body with each of these parts in it."""
    return lambda answer, body: all(part in body for part in parts)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the table: of which servers, and what is promised. `figure` names what is compared."""

    about: str
    peers: tuple = ()
    goals: dict = dataclasses.field(default_factory=dict)  # the figure, times the peer's: the most
    pace: dict = dataclasses.field(default_factory=dict)  # requests per second, times the peer's: the least
    limits: dict = dataclasses.field(default_factory=dict)  # any figure of hostler's own: the most


@dataclasses.dataclass(frozen=True)
class Traffic(Row):
    """Requests, and CPU time for each of them."""

    app: str = "hello"  # a module of `apps/`
    prepare: str = ""  # a module that is run once before the servers
    path: str = "/"
    body: int = 0  # bytes that are posted with each request
    headers: tuple = ()  # of each request: pairs of name and value
    right: Callable = exactly(HELLO)
    protocol: str = "http"
    processes: int = 1
    threads: int = 1
    connections: int = 64
    keep_alive: bool = True
    held: bool = False  # more connections than the server has threads stay open and say nothing
    nginx: bool = False  # in front of the server, on the other core
    file: int = 0  # bytes of the file that is asked for in place of the application
    watched: bool = False  # everything that can be told of requests is: metrics, stats, an access log

    @property
    def figure(self):
        """What goals are about, as `measure.run` calls it."""
        return "cpu_us"


def goals(ratio, *peers):
    """The same promise beside each of these peers."""
    return {"peers": peers, "goals": dict.fromkeys(peers, ratio)}


def file(size):
    """A file of this size in place of the application."""
    return {"path": "/file", "file": size, "right": exactly(b"x" * size)}


def answer(path, size):
    """An answer of `apps/answers.py`."""
    return {"app": "answers", "path": path, "right": exactly(b"x" * size)}


UPLOAD = {"app": "bodies", "path": "/count", "body": 10 * MIB, "right": exactly(b"%d" % (10 * MIB))}
DJANGO = {"app": "shop.wsgi", "prepare": "shop.fill", "right": page(b"<td>Item 019</td><td>19.00</td>", b"</html>")}

# Names that no server knows beforehand; `apps/headers.py` sends each one back.
HEADERS = tuple((f"X-Header-{number}", f"value {number} of a header") for number in range(10))

ROWS = {
    "keep-alive-1": Traffic(
        "HTTP keep-alive, one thread",
        ("bjoern", "fastwsgi", "granian", "uwsgi", "gunicorn", "floor"), {"bjoern": 0.85, "granian": 0.60, "uwsgi": 0.40}),
    "keep-alive-4": Traffic(
        "HTTP keep-alive, four threads (bjoern: one)",
        ("bjoern", "granian", "uwsgi", "gunicorn", "floor"), {"bjoern": 1.0, "granian": 0.60}, threads=4, limits={"tail": 4}),
    "connection": Traffic(
        "a connection per request",
        ("uwsgi", "bjoern", "granian"), {"uwsgi": 0.95}, keep_alive=False),
    "nginx": Traffic(
        "behind nginx, uwsgi protocol, unix socket",
        ("uwsgi", "floor"), {"uwsgi": 0.65}, protocol="uwsgi", nginx=True),
    "nginx-http": Traffic(
        "behind nginx, HTTP, connections kept",
        ("bjoern", "fastwsgi", "granian", "uwsgi", "floor"), {"bjoern": 0.95}, nginx=True),
    "headers": Traffic(
        "20 reads of the environ, 10 headers in and out, 1 KiB",
        **goals(0.90, "fastwsgi", "bjoern", "granian", "uwsgi"),
        app="headers", headers=HEADERS, right=exactly(b"x" * KIB, HEADERS)),
    "echo-64k": Traffic(
        "64 KiB posted and sent back",
        **goals(0.95, "fastwsgi", "bjoern", "granian", "uwsgi"),
        app="bodies", path="/echo", body=64 * KIB, right=exactly(b"x" * 64 * KIB)),
    "upload-10m": Traffic(
        "10 MiB posted, read by the application, 8 connections",
        **goals(1.0, "uwsgi", "bjoern", "granian", "fastwsgi"),
        **UPLOAD, connections=8),
    "upload-1": Traffic(
        "10 MiB posted, read by the application, one connection",
        **goals(1.0, "uwsgi", "bjoern", "granian", "fastwsgi"),
        **UPLOAD, connections=1),
    "answer-100k": Traffic(
        "100 KiB as one bytes",
        **goals(1.0, "fastwsgi", "bjoern", "mod_wsgi", "granian", "uwsgi"), **answer("/bytes-100k", 100 * KIB)),
    "chunks-100k": Traffic(
        "100 KiB from a generator of 16 KiB",
        **goals(1.0, "fastwsgi", "bjoern", "mod_wsgi", "granian", "uwsgi"), **answer("/chunks-100k", 100 * KIB)),
    "answer-10m": Traffic(
        "10 MiB as one bytes, 8 connections",
        **goals(1.0, "mod_wsgi", "fastwsgi", "bjoern", "granian", "uwsgi"), **answer("/bytes-10m", 10 * MIB), connections=8),
    "chunks-10m": Traffic(
        "10 MiB from a generator of 16 KiB, 8 connections",
        **goals(1.0, "uwsgi", "mod_wsgi", "fastwsgi", "bjoern", "granian"),
        **answer("/chunks-10m", 10 * MIB), connections=8),
    "pause": Traffic(
        "10 ms of sleep, four processes with four threads",
        ("granian", "uwsgi", "gunicorn"), {"granian": 0.80}, pace={"granian": 0.98}, app="pause", processes=4, threads=4),
    "flask": Traffic(
        "Flask, an answer in JSON",
        **goals(1.0, "bjoern", "fastwsgi", "granian", "uwsgi"),
        app="flask_json", right=page(b'"message":"Hello, world!"', b"18,19]")),
    "django": Traffic(
        "Django with middleware, template and SQLite",
        **goals(1.0, "fastwsgi", "bjoern", "granian", "uwsgi"), **DJANGO),
    "file-4k": Traffic(
        "a file of 4 KiB, HTTP keep-alive",
        ("nginx", "uwsgi"), {"nginx": 1.10}, **file(4 * KIB)),
    "file-1m": Traffic(
        "a file of 1 MiB, HTTP keep-alive",
        **goals(1.0, "nginx", "uwsgi"), **file(MIB)),
    # A tenth less of requests per second is 1 / 0.9 of CPU time per request.
    "watched": Traffic(
        "HTTP keep-alive, one thread, metrics, stats and an access log",
        ("unwatched",), {"unwatched": 1.11}, watched=True),
}
