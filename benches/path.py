#!/usr/bin/env python3
"""What one request costs a worker in instructions and system calls: figures that no noise can touch. See README.md.

Beside each row stands the count that is on record (`path.json`); more than `--tolerance` above it is a failure.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import load
import peers
import processes
import rows
import servers
import steps
import symbols

RECORD = pathlib.Path(__file__).with_name("path.json")
HTTP = b"GET / HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: path\r\nAccept: */*\r\n\r\n"
VARIABLES = {
    "REQUEST_METHOD": "GET", "REQUEST_URI": "/", "PATH_INFO": "/", "QUERY_STRING": "", "CONTENT_TYPE": "",
    "CONTENT_LENGTH": "", "DOCUMENT_ROOT": "/var/www", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_SCHEME": "http",
    "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000", "SERVER_PORT": "80", "SERVER_NAME": "bench.example",
    "HTTP_HOST": "bench.example", "HTTP_USER_AGENT": "path", "HTTP_ACCEPT": "*/*",
}
WARM_UP = 5000  # requests, enough that the worker has run for longer than anybody else


class Row(rows.Traffic):
    """A kind of traffic, and how a client of ours asks `count` times."""

    def ask(self, address, count, ready=lambda: None):
        """Asks so often, each time once `ready` has come back."""
        request = packet() if self.protocol == "uwsgi" else HTTP
        client = None
        for _ in range(count):
            ready()
            client = client or connect(address)
            client.sendall(request)
            answer = b""
            while not answer.endswith(rows.HELLO):
                piece = client.recv(65536)
                if not piece:
                    raise RuntimeError(f"no answer but {answer!r}")
                answer += piece
            if not self.keep_alive:
                client.close()
                client = None


ROWS = {
    "http": Row("HTTP over a kept connection"),
    "uwsgi": Row("the uwsgi protocol", protocol="uwsgi", keep_alive=False),
    "watched": Row("HTTP over a kept connection, with metrics, stats and an access log", watched=True),
}


def main():
    options = arguments()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    exceeded = []
    for name in options.row:
        found = count(ROWS[name], options)
        before = record.get(name, {}).get("instructions")
        ratio = f"{found['instructions'] / before:.3f} of the record" if before else "nothing on record"
        print(f"{name:7} {found['instructions']:7,} instructions, {found['system_calls']:5.2f} system calls ({ratio})")
        for function, instructions in found["functions"][:options.functions]:
            print(f"    {instructions:7.0f}  {function}")
        if before and found["instructions"] > before * (1 + options.tolerance):
            exceeded.append(name)
        record[name] = {key: found[key] for key in ("instructions", "system_calls")}
    if options.write:
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
    elif exceeded:
        sys.exit(f"more instructions than on record: {', '.join(exceeded)}; --write if that is the price of something")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--program", type=lambda path: str(pathlib.Path(path).absolute()),
                        default=f"{servers.ROOT}/target/release/hostler")
    parser.add_argument("--requests", type=int, default=20, help="how many are followed")
    parser.add_argument("--functions", type=int, default=0, help="how many functions are shown, the costliest first")
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--write", action="store_true", help="put what is found on record")
    return parser.parse_args()


def count(row, options):
    """Instructions and system calls of one request, and where they are spent.

    What is not the requests' own, a first connection for instance, is in a short count and in a long one; the difference is pure.
    """
    peers.install([])
    short, long = (follow(row, requests, options.program) for requests in (options.requests, options.requests * 2))
    return {
        "instructions": round((long["instructions"] - short["instructions"]) / options.requests),
        "system_calls": round((long["system_calls"] - short["system_calls"]) / options.requests, 2),
        "functions": [(name, (found - short["functions"][name]) / options.requests)
                      for name, found in long["functions"].most_common()],
    }


def follow(row, requests, program):
    """Serves so many requests step by step."""
    with tempfile.TemporaryDirectory(prefix="hostler-path-") as directory:
        directory = pathlib.Path(directory)
        address = str(directory / "socket")
        with server(row, address, directory, program) as process:
            before = ran(process)
            row.ask(address, WARM_UP)
            after = ran(process)
            # The worker is the one that runs while requests come.
            worker = max(after, key=lambda process: after[process] - before.get(process, 0))
            names = symbols.Symbols(worker)
            asked = threading.Event()
            client = threading.Thread(target=ask, args=(row, address, requests, worker, asked), daemon=True)
            with stopped(process):
                visits, calls = steps.follow(worker, client.start, asked.is_set)
    functions = collections.Counter()
    for at, times in visits.items():
        functions[names.name(at)] += times
    return {"instructions": visits.total(), "system_calls": calls, "functions": functions}


def ask(row, address, requests, worker, asked):
    """Asks when nothing of the request before is left to be done, so that the steps are the same each time."""
    def asleep():
        while any((thread / "stat").read_text().rpartition(")")[2].split()[0] != "S" for thread in threads):
            time.sleep(0.001)

    threads = list(pathlib.Path(f"/proc/{worker}/task").iterdir())
    row.ask(address, requests, asleep)
    asleep()
    asked.set()
    # A connection wakes the worker, so that the end is seen. Nobody answers.
    with contextlib.suppress(OSError, RuntimeError):
        row.ask(address, 1)


@contextlib.contextmanager
def stopped(supervisor):
    """A supervisor that does nothing meanwhile: steps are so slow that it would take the site for idle, and be woken."""
    os.kill(supervisor, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


@contextlib.contextmanager
def server(row, address, directory, program):
    """A server that answers; its process id."""
    command = servers.command("hostler", row, address, directory, program)
    log = directory / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=servers.environment(directory), cwd=directory, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + load.START_TIMEOUT
        while True:
            try:
                row.ask(address, 1)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"hostler does not serve: {log.read_text()}")
                time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def ran(root):
    """For how long the threads of each process below `root` have run, in nanoseconds."""
    threads = {process: pathlib.Path(f"/proc/{process}/task").iterdir() for process in processes.tree(root)}
    return {process: sum(int((thread / "schedstat").read_text().split()[0]) for thread in found)
            for process, found in threads.items()}


def connect(address):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(address)
    return client


def packet():
    """A request of the uwsgi protocol, as nginx sends it."""
    pairs = b"".join(
        len(part).to_bytes(2, "little") + part for pair in VARIABLES.items() for part in (text.encode() for text in pair))
    return b"\0" + len(pairs).to_bytes(2, "little") + b"\0" + pairs


if __name__ == "__main__":
    main()
