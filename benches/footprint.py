"""What a server costs beside its requests: memory, its start, its idling, and what a second core is good for.

Each row runs its servers round by round as those of `rows` are, and has a figure of its own in place of CPU time.
"""

import contextlib
import dataclasses
import http.client
import pathlib
import resource
import time
from collections.abc import Callable

import load
import measure
import processes
import rows

IDLE_CONNECTIONS = 1000
ADDED = 4  # workers


@dataclasses.dataclass(frozen=True, kw_only=True)
class Footprint(rows.Row):
    """Figures of another kind, the first of which is compared."""

    measure: Callable  # of a server's name, `traffic`, seconds, a directory and a program; it returns the figures
    figures: dict  # what they are called, and how their numbers are written
    traffic: rows.Traffic = rows.Traffic("hello")

    @property
    def figure(self):
        return next(iter(self.figures))

    @property
    def prepare(self):
        return self.traffic.prepare


def run(name, row, seconds, directory, program=None):
    """The figures of one round."""
    return dict(zip(row.figures, row.measure(name, row.traffic, seconds, directory, program), strict=True))


def memory(name, traffic, seconds, directory, program):
    """MiB of the tree when all its workers have served, and of how many processes.

    A connection per request, so that no worker is without one.
    """
    traffic = dataclasses.replace(traffic, keep_alive=False)
    with measure.serving(name, traffic, directory, program) as (server, front):
        load.wrk(front, traffic, seconds, directory, measure.LOAD_CPU)
        tree = processes.tree(server.pid)
        return sum(map(_pss, tree)) / rows.MIB, len(tree)


def added_worker(name, traffic, seconds, directory, program):
    """MiB that each further worker takes."""
    few, many = (memory(name, dataclasses.replace(traffic, processes=count), seconds, directory, program)[0]
                 for count in (1, 1 + ADDED))
    return (many - few) / ADDED,


def start(name, traffic, seconds, directory, program):
    """Milliseconds from the start of the command to the first right answer, and CPU time until then."""
    with processes.CpuUsage() as usage:
        before = time.monotonic()
        with measure.serving(name, traffic, directory, program, before_exec=usage.join) as (server, _):
            return (time.monotonic() - before) * 1e3, usage.seconds(server.pid) * 1e3


def idle(name, traffic, seconds, directory, program):
    """Wake-ups and milliseconds of CPU time a second while a thousand clients keep their connections and say nothing."""
    _allow_descriptors(2 * IDLE_CONNECTIONS)
    with contextlib.ExitStack() as stack:
        usage = stack.enter_context(processes.CpuUsage())
        server, front = stack.enter_context(measure.serving(name, traffic, directory, program, before_exec=usage.join))
        clients = [stack.enter_context(contextlib.closing(_client(front))) for _ in range(IDLE_CONNECTIONS)]
        for client in clients:
            _ask(client, traffic)
        # What comes after the last answer is not idling.
        time.sleep(1)
        before = time.monotonic(), _sleeps(server.pid), usage.seconds(server.pid)
        time.sleep(max(seconds, 5))
        after = time.monotonic(), _sleeps(server.pid), usage.seconds(server.pid)
        # Who has closed them does not idle but rest.
        for client in clients:
            _ask(client, traffic)
    passed, sleeps, spent = (late - early for early, late in zip(before, after))
    return sleeps / passed, spent / passed * 1e3


def second_core(name, traffic, seconds, directory, program):
    """Requests a second of two processes on two cores, times those of one on one; `wrk` shares the cores with them."""
    rates = []
    for count, cpus in (1, measure.SERVER_CPU), (2, f"{measure.SERVER_CPU},{measure.LOAD_CPU}"):
        many = dataclasses.replace(traffic, processes=count)
        with measure.serving(name, many, directory, program, cpus=cpus) as (_, front):
            load.wrk(front, many, 1, directory, cpus, threads=count)
            report = load.wrk(front, many, seconds, directory, cpus, threads=count)
        rates.append(report["requests"] / report["microseconds"] * 1e6)
    return rates[1] / rates[0], *rates


MEMORY = {"MiB": ".1f", "processes": ".0f"}

ROWS = {
    "memory-1": Footprint(
        "memory of one worker, hello: PSS of the whole tree after load",
        ("uwsgi", "bjoern", "granian", "gunicorn"), {"uwsgi": 1.0}, measure=memory, figures=MEMORY),
    "memory-1x4": Footprint(
        "memory of one worker with four threads, hello",
        ("uwsgi", "granian"), {"uwsgi": 1.0}, measure=memory, figures=MEMORY, traffic=rows.Traffic("hello", threads=4)),
    "memory-django": Footprint(
        "memory of four workers, Django imported before they are forked",
        ("uwsgi", "gunicorn", "granian"), {"uwsgi": 0.9}, measure=memory, figures=MEMORY,
        traffic=rows.Traffic("Django", processes=4, **rows.DJANGO)),
    "memory-added": Footprint(
        f"memory of each of {ADDED} more workers, hello",
        ("uwsgi", "gunicorn", "granian"), measure=added_worker, figures={"MiB": ".2f"}),
    "start": Footprint(
        "start of four workers to the first answer, hello",
        ("uwsgi", "granian", "gunicorn"), {"uwsgi": 1.0, "granian": 1.0},
        measure=start, figures={"ms": ".0f", "CPU ms": ".0f"}, traffic=rows.Traffic("hello", processes=4)),
    "second-core": Footprint(
        "requests a second: two processes on two cores, times one on one",
        ("granian", "uwsgi", "gunicorn"), measure=second_core, figures={"times": ".2f", "one": ".0f", "two": ".0f"}),
    "idle": Footprint(
        f"{IDLE_CONNECTIONS} kept connections, nothing asked",
        ("granian", "uwsgi", "bjoern", "fastwsgi", "gunicorn"), limits={"wake-ups/s": 0},
        measure=idle, figures={"wake-ups/s": ".1f", "CPU ms/s": ".2f"}, traffic=rows.Traffic("hello", held=True)),
}


def _pss(pid):
    """Bytes, what is shared divided by those who share it (proc_pid_smaps(5)); none of a process that just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * rows.KIB
    return 0


def _sleeps(root):
    """How often threads of the tree have gone to sleep so far: once for each time that they woke (proc_pid_status(5))."""
    sleeps = 0
    for pid in processes.tree(root):
        for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
            # A thread may have ended since.
            with contextlib.suppress(OSError):
                counters = dict(line.split(":", 1) for line in status.read_text().splitlines())
                sleeps += int(counters["voluntary_ctxt_switches"])
    return sleeps


def _allow_descriptors(count):
    """For us and for the servers that we start: each end of a connection is a descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count), hard))


def _client(front):
    host, port = front.split(":")
    return http.client.HTTPConnection(host, int(port), timeout=5)


def _ask(client, traffic):
    """Asks over the connection that is there; after the first request a new one is a failure."""
    try:
        client.request("GET", traffic.path)
        client.auto_open = 0
        answer = client.getresponse()
        if not traffic.right(answer, answer.read()):
            raise load.Failed("not the answer of this row")
    except (OSError, http.client.HTTPException) as error:
        raise load.Failed(f"{IDLE_CONNECTIONS} connections are not kept: {error}") from error
