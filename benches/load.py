"""Requests to a server: one whose answer is looked at, and as many as `wrk` can make."""

import http.client
import json
import socket
import subprocess

import processes

START_TIMEOUT = 30  # seconds until a server answers its first request

# wrk makes one request of these fields before it starts, and calls done() once after the run; without functions of the
# names request and response the script costs nothing per request.
SCRIPT = """
wrk.method = "{method}"
{body}
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('\\nREPORT {{"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}}\\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


class Failed(Exception):
    """A server did not start, or did not answer properly."""


def wrk(front, traffic, seconds, directory, cpus, threads=1):
    """Asks for so long over `traffic.connections`; what wrk says of it."""
    script = directory / "report.lua"
    script.write_text(SCRIPT.format(
        method=_method(traffic), body=f'wrk.body = string.rep("x", {traffic.body})' if traffic.body else ""))
    headers = [part for name, value in _headers(traffic) for part in ("--header", f"{name}: {value}")]
    done = subprocess.run(
        ["taskset", "--cpu-list", cpus,
         "wrk", "--threads", str(threads), "--connections", str(traffic.connections), "--duration", f"{seconds}s",
         "--timeout", "10s", "--script", str(script), *headers, f"http://{front}{traffic.path}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    for line in done.stdout.splitlines():
        if line.startswith("REPORT "):
            return json.loads(line[len("REPORT "):])
    raise Failed(f"wrk: {done.stderr.strip() or done.stdout.strip()}")


def wait_until_right(server, front, traffic, log):
    """Asks until there is an answer, and wants it to be the one that the row is about."""
    def answers():
        if server.poll() is not None:
            raise Failed(f"exit code {server.returncode}: {last_line(log)}")
        return ask(front, traffic)

    answer = processes.until(answers, START_TIMEOUT)
    if not answer:
        raise Failed(f"no answer in {START_TIMEOUT} seconds: {last_line(log)}")
    if not traffic.right(*answer):
        raise Failed(f"not the answer of this row: {answer[0].status}, {len(answer[1])} bytes, {answer[1][:40]!r}")


def ask(front, traffic):
    """One answer of 200 and its body, or nothing."""
    host, port = front.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request(_method(traffic), traffic.path, b"x" * traffic.body or None, dict(_headers(traffic)))
        answer = connection.getresponse()
        return (answer, answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def last_line(log):
    return (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _method(traffic):
    return "POST" if traffic.body else "GET"


def _headers(traffic):
    return traffic.headers if traffic.keep_alive else (*traffic.headers, ("Connection", "close"))
