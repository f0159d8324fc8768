#!/usr/bin/env python3
"""Compares hostler's CPU time per request with other WSGI servers. See README.md beside this file.

This file: the rows and what is promised of them, and the rounds. `servers` knows how each server is started, `measure`
how one is measured, `report` how the outcome is shown.
"""

import argparse
import dataclasses
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import report
import servers


@dataclasses.dataclass(frozen=True)
class Traffic:
    """One row of the table: what is asked of the servers, of which, and the ratio to a peer that is promised."""

    about: str
    peers: tuple
    goals: dict
    protocol: str = "http"
    threads: int = 1
    keep_alive: bool = True
    nginx: bool = False
    file: int = 0  # bytes of the file that is asked for in place of the application
    watched: bool = False  # everything that can be told of requests is: metrics, stats, an access log

    @property
    def path(self):
        return "/file" if self.file else "/"


ROWS = {
    "keep-alive-1": Traffic(
        "HTTP keep-alive, one thread",
        ("bjoern", "fastwsgi", "granian", "uwsgi", "gunicorn"), {"bjoern": 0.95, "uwsgi": 0.50}),
    "keep-alive-4": Traffic(
        "HTTP keep-alive, four threads",
        ("granian", "uwsgi", "gunicorn"), {"granian": 0.70}, threads=4),
    "nginx": Traffic(
        "behind nginx, uwsgi protocol, unix socket",
        ("uwsgi",), {"uwsgi": 0.80}, protocol="uwsgi", nginx=True),
    "connection": Traffic(
        "a connection per request",
        ("uwsgi", "bjoern", "gunicorn"), {"uwsgi": 1.05}, keep_alive=False),
    "file-4k": Traffic(
        "a file of 4 KiB, HTTP keep-alive",
        ("nginx", "uwsgi"), {"nginx": 1.10}, file=4 << 10),
    "file-1m": Traffic(
        "a file of 1 MiB, HTTP keep-alive",
        ("nginx", "uwsgi"), {"nginx": 1.05}, file=1 << 20),
    # A tenth less of requests per second is 1 / 0.9 of CPU time per request.
    "watched": Traffic(
        "HTTP keep-alive, one thread, metrics, stats and an access log",
        ("unwatched",), {"unwatched": 1.11}, watched=True),
}


def main():
    options = arguments()
    programs = {name: str(pathlib.Path(path).absolute()) for name, path in
                (item.split("=", 1) for item in options.program or [f"hostler={servers.ROOT}/target/release/hostler"])}
    wanted = {name for row in options.row for name in ROWS[row].peers} & set(options.server)
    absent = servers.install(sorted(wanted))
    for name, path in programs.items():
        if not pathlib.Path(path).exists():
            absent[name] = f"{path} does not exist"

    # The same program beside itself.
    own = {name: next(iter(programs.values())) for name in servers.OWN}
    results = {}
    with tempfile.TemporaryDirectory(prefix="hostler-bench-") as directory:
        for row in options.row:
            names = [*programs, *(peer for peer in ROWS[row].peers if peer in wanted)]
            results[row] = measure_row(row, names, programs | own, absent, options, pathlib.Path(directory))
    document = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds,
                "connections": measure.CONNECTIONS, "programs": programs, "rows": results,
                "versions": {n: servers.version(n, (programs | own).get(n)) for n in (*programs, *wanted) if n not in absent}}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=2) + "\n")
    form = report.as_markdown if options.markdown else report.as_text
    print(form(document, ROWS))
    print(f"\nEvery round is in {options.json}.")


def arguments():
    parser = argparse.ArgumentParser(description="hostler's CPU time per request, beside other servers")
    parser.add_argument("--row", action="append", choices=ROWS, help="only this row; may be repeated")
    parser.add_argument("--server", action="append", choices=[*servers.PEERS, *servers.SYSTEM, *servers.OWN],
                        help="only this peer; may be repeated")
    parser.add_argument("--alone", action="store_true", help="no peer at all")
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH",
                        help="a hostler to measure; repeat it to compare builds (default: target/release/hostler)")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds, the median counts (default: 5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of a round (default: 4)")
    parser.add_argument("--json", type=pathlib.Path, default=servers.ROOT / "target/bench.json", metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="print the table for a README")
    options = parser.parse_args()
    options.row = options.row or list(ROWS)
    options.server = [] if options.alone else options.server or [
        *servers.PEERS, *servers.SYSTEM, *servers.OWN]
    return options


def measure_row(row, names, programs, absent, options, directory):
    """All rounds of one row: in each round every server has its turn, and the first one changes."""
    rounds = {name: [] for name in names}
    failed = {name: absent[name] for name in names if name in absent}
    for number in range(options.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if name in failed:
                continue
            progress(f"{row}: round {number + 1} of {options.rounds}, {name}")
            try:
                rounds[name].append(
                    measure.run(name, ROWS[row], options.seconds, directory, programs.get(name)))
            except (measure.Failed, servers.Unsupported) as error:
                failed[name] = str(error)
    progress("")
    return {name: {"failed": failed[name]} if name in failed else {"rounds": rounds[name], **medians(rounds[name])}
            for name in names}


def medians(rounds):
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    nginx = subprocess.run(["nginx", "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
    python = subprocess.run([servers.PYTHON, "--version"], capture_output=True, text=True).stdout
    return {"cpu": model, "kernel": f"Linux {platform.release()}", "python": python.split()[-1],
            "nginx": nginx.strip().rpartition("/")[2], "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
