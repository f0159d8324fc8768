"""One measurement: a server on its own core, load from the other, the CPU time of the server's whole process tree."""

import contextlib

import load
import nginx
import processes
import servers

SERVER_CPU = "0"
LOAD_CPU = "1"


def run(name, traffic, seconds, directory, program=None):
    """Starts the server afresh, warms it up and measures it; returns the figures of one round."""
    with processes.CpuUsage() as usage, \
            serving(name, traffic, directory, program, before_exec=usage.join) as (server, front):
        load.wrk(front, traffic, 1, directory, LOAD_CPU)
        before = usage.seconds(server.pid)
        report = load.wrk(front, traffic, seconds, directory, LOAD_CPU)
        spent = usage.seconds(server.pid) - before
    if report["errors"] or not report["requests"]:
        raise load.Failed(f"{report['errors']} errors in {report['requests']} requests")
    return {
        "cpu_us": spent / report["requests"] * 1e6,
        "rps": report["requests"] / report["microseconds"] * 1e6,
        "p50_ms": report["p50"] / 1e3,
        "p99_ms": report["p99"] / 1e3,
        "tail": report["p99"] / report["p50"],
        "busy": spent / report["microseconds"] * 1e6,
    }


@contextlib.contextmanager
def serving(name, traffic, directory, program=None, cpus=SERVER_CPU, before_exec=lambda: None):
    """A server that has given one right answer, and the address where clients find it."""
    front = f"127.0.0.1:{load.free_port()}"
    address = front
    with contextlib.ExitStack() as stack:
        if traffic.nginx:
            address = str(directory / "server.sock") if traffic.protocol == "uwsgi" else f"127.0.0.1:{load.free_port()}"
            line = nginx.in_front(front, address, traffic.protocol, directory)
            stack.enter_context(processes.running(line, LOAD_CPU, directory / "nginx.log"))
        log = directory / f"{name}.log"
        line = servers.command(name, traffic, address, directory, program)
        server = stack.enter_context(processes.running(line, cpus, log, before_exec))
        load.wait_until_right(server, front, traffic, log)
        yield server, front
