#!/usr/bin/env python3
"""Compares hostler with other WSGI servers: CPU time per request, memory and more. See README.md beside this file.

This file: what is chosen, and the rounds. `rows` and `footprint` say what is measured and what is promised, `peers` how
the servers are installed, `servers` how each is started, `measure` how one is measured, `report` how the outcome is shown.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import footprint
import load
import measure
import peers
import processes
import report
import rows
import servers

ROWS = rows.ROWS | footprint.ROWS


def main():
    options = arguments()
    programs = {name: pathlib.Path(path).absolute() for name, path in
                (item.split("=", 1) for item in options.program or [f"hostler={servers.ROOT}/target/release/hostler"])}
    for path in programs.values():
        if not path.exists():
            sys.exit(f"{path} does not exist; `make release` builds target/release/hostler")
    programs = {name: str(path) for name, path in programs.items()}
    # The same program beside itself.
    commands = programs | {name: next(iter(programs.values())) for name in peers.OWN}
    wanted = {name for row in options.row for name in ROWS[row].peers} & set(options.server)
    absent = peers.install(sorted(wanted))
    # What we do ourselves is not done on the servers' core.
    os.sched_setaffinity(0, {int(measure.LOAD_CPU)})

    versions = {name: peers.version(name, commands.get(name)) for name in (*programs, *sorted(wanted - absent.keys()))}
    document = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds, "programs": programs,
                "versions": versions, "rows": {}}
    if not options.markdown:
        print(report.head(document), flush=True)
    measure_rows(document, commands, absent, options)
    if options.markdown:
        print(report.as_markdown(document, ROWS))
    print(f"\nEvery round is in {options.json}.")


def measure_rows(document, commands, absent, options):
    """Row by row into the document, which is written and shown as it grows."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hostler-bench-") as directory:
        directory = pathlib.Path(directory)
        os.chmod(directory, 0o755)  # Apache and nginx leave root behind.
        for row in options.row:
            servers.prepare(ROWS[row].prepare, directory)
            names = [*document["programs"], *(peer for peer in ROWS[row].peers if peer in options.server)]
            document["rows"][row] = measure_row(row, names, commands, absent, options, directory)
            options.json.write_text(json.dumps(document, indent=2) + "\n")
            if not options.markdown:
                print(report.one(ROWS[row], row, document), flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="hostler's cost beside that of other servers")
    parser.add_argument("--row", action="append", choices=ROWS, help="only this row; may be repeated")
    parser.add_argument("--server", action="append", choices=peers.ALL, help="only this peer; may be repeated")
    parser.add_argument("--alone", action="store_true", help="no peer at all")
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH",
                        help="a hostler to measure; repeat it to compare builds (default: target/release/hostler)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds, the median counts (default: 3)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a round (default: 2)")
    parser.add_argument("--json", type=pathlib.Path, default=servers.ROOT / "target/bench.json", metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="print the table for a README")
    options = parser.parse_args()
    options.row = options.row or list(ROWS)
    options.server = [] if options.alone else options.server or peers.ALL
    return options


def measure_row(row, names, programs, absent, options, directory):
    """All rounds of one row: in each round every server has its turn, and the first one changes."""
    rounds = {name: [] for name in names}
    failed = {name: absent[name] for name in names if name in absent}
    run = footprint.run if row in footprint.ROWS else measure.run
    for number in range(options.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if name in failed:
                continue
            progress(f"{row}: round {number + 1} of {options.rounds}, {name}")
            try:
                rounds[name].append(run(name, ROWS[row], options.seconds, directory, programs.get(name)))
            except (load.Failed, servers.Unsupported) as error:
                failed[name] = str(error)
    progress("")
    return {name: {"failed": failed[name]} if name in failed else {"rounds": rounds[name], **medians(rounds[name])}
            for name in names}


def medians(rounds):
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    with processes.CpuUsage() as usage:
        source = usage.source
    nginx = subprocess.run(["nginx", "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
    python = subprocess.run([servers.PYTHON, "--version"], capture_output=True, text=True).stdout
    return {"cpu": model, "cores": os.cpu_count(), "kernel": f"Linux {platform.release()}",
            "python": python.split()[-1], "nginx": nginx.strip().rpartition("/")[2], "source": source,
            "congestion": congestion, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
