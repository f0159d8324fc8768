"""One measurement: a server on its own core, load from the other, the CPU time of the server's whole process tree."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import servers

SERVER_CPU = "0"
LOAD_CPU = "1"
START_TIMEOUT = 30  # seconds until a server answers its first request
CONNECTIONS = 64

# wrk calls done() once after the run; without request() and response() the script costs nothing per request.
WRK_REPORT = """
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('\\nREPORT {"requests": %d, "microseconds": %d, "errors": %d, "p50": %d, "p99": %d}\\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


class Failed(Exception):
    """A server did not start, or did not answer properly."""


def run(name, traffic, seconds, directory, program=None):
    """Starts the server afresh, warms it up and measures it; returns the figures of one round."""
    with contextlib.ExitStack() as stack:
        usage = _CpuUsage()
        stack.callback(usage.remove)
        if traffic.nginx:
            address = str(directory / "server.sock")
            front = f"127.0.0.1:{_free_port()}"
            stack.enter_context(_process(_nginx(front, address, directory), LOAD_CPU, directory / "nginx.log"))
        else:
            address = front = f"127.0.0.1:{_free_port()}"
        line = servers.command(name, traffic, address, directory, program)
        server = stack.enter_context(_process(line, SERVER_CPU, directory / f"{name}.log", usage.join))
        _wait_until_it_answers(server, front, traffic.path, directory / f"{name}.log")
        _wrk(front, traffic, 1, directory)
        before = usage.seconds(server.pid)
        report = _wrk(front, traffic, seconds, directory)
        spent = usage.seconds(server.pid) - before
    if report["errors"] or not report["requests"]:
        raise Failed(f"{report['errors']} errors in {report['requests']} requests")
    return {
        "cpu_us": spent / report["requests"] * 1e6,
        "rps": report["requests"] / report["microseconds"] * 1e6,
        "p50_ms": report["p50"] / 1e3,
        "p99_ms": report["p99"] / 1e3,
        "busy": spent / report["microseconds"] * 1e6,
    }


class _CpuUsage:
    """CPU time of a process tree: from a cgroup of its own when we may make one, else summed from /proc."""

    def __init__(self):
        self.group = None
        with contextlib.suppress(OSError, StopIteration):
            mount = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
            own = next(line for line in open("/proc/self/cgroup") if line.startswith("0::"))[3:].strip()
            group = pathlib.Path(mount + own) / f"hostler-bench-{os.getpid()}"
            group.mkdir()
            self.group = group

    def join(self):
        """Called in the child before it becomes the server."""
        if self.group:
            (self.group / "cgroup.procs").write_text("0")

    def seconds(self, root):
        if self.group:
            stat = dict(line.split() for line in (self.group / "cpu.stat").read_text().splitlines())
            return int(stat["usage_usec"]) / 1e6
        return sum(_proc_seconds(pid) for pid in tree(root))

    def remove(self):
        if self.group:
            # Children that outlived their server keep the group busy.
            for pid in (self.group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _until(lambda: not (self.group / "cgroup.procs").read_text(), 5)
            self.group.rmdir()


def tree(root):
    """A process and all below it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _proc_seconds(pid):
    """User and system time of a process and of its children that have ended (proc_pid_stat(5), fields 14 to 17)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _process(line, cpu, log, before_exec=lambda: None):
    """Runs a command pinned to one core, in a process group of its own, which is killed in the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", cpu, *line], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=servers.environment(), cwd=log.parent, start_new_session=True, preexec_fn=before_exec,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _nginx(front, backend, directory):
    """An nginx of the usual kind: one worker, its shipped uwsgi_params, a new connection to the server per request."""
    prefix = directory / "nginx"
    prefix.mkdir(exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {prefix}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (prefix / "nginx.conf").write_text(f"""
        {user} daemon off; worker_processes 1; pid {prefix}/pid; error_log stderr;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; keepalive_requests 1000000000; {temporary}
            server {{
                listen {front};
                location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass unix:{backend}; }}
            }}
        }}
    """)
    return ["nginx", "-p", str(prefix), "-c", str(prefix / "nginx.conf"), "-e", "stderr"]


def _wrk(front, traffic, seconds, directory):
    script = directory / "report.lua"
    script.write_text(WRK_REPORT)
    header = [] if traffic.keep_alive else ["--header", "Connection: close"]
    done = subprocess.run(
        ["taskset", "--cpu-list", LOAD_CPU, "wrk", "--threads", "1", "--connections", str(CONNECTIONS),
         "--duration", f"{seconds}s", "--script", str(script), *header, f"http://{front}{traffic.path}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    for line in done.stdout.splitlines():
        if line.startswith("REPORT "):
            return json.loads(line[len("REPORT "):])
    raise Failed(f"wrk: {done.stderr.strip() or done.stdout.strip()}")


def _wait_until_it_answers(server, front, path, log):
    def answers():
        if server.poll() is not None:
            raise Failed(f"exit code {server.returncode}: {_last_line(log)}")
        host, port = front.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    if not _until(answers, START_TIMEOUT):
        raise Failed(f"no answer in {START_TIMEOUT} seconds: {_last_line(log)}")


def _until(holds, seconds):
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held


def _last_line(log):
    return (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
