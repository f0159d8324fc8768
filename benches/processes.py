"""Processes that are measured: started on one core, ended with all their children, their CPU time counted as one."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

import servers


class CpuUsage:
    """CPU time of a process tree: from a cgroup of its own when we may make one, else summed from /proc."""

    def __enter__(self):
        self.group = None
        with contextlib.suppress(OSError, StopIteration):
            mount = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
            own = next(line for line in open("/proc/self/cgroup") if line.startswith("0::"))[3:].strip()
            group = pathlib.Path(mount + own) / f"hostler-bench-{os.getpid()}"
            group.mkdir()
            self.group = group
        return self

    def __exit__(self, *exception):
        if self.group:
            # Children that outlived their server keep the group busy.
            for pid in (self.group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            # A process that has ended is in its group until it is waited for.
            if not until(self._remove, 10):
                raise OSError(f"{self.group} cannot be removed: a process of a server is still in it")

    def _remove(self):
        with contextlib.suppress(OSError):
            self.group.rmdir()
        return not self.group.exists()

    @property
    def source(self):
        return "from its cgroup" if self.group else "from /proc"

    def join(self):
        """Called in the child before it becomes the server."""
        if self.group:
            (self.group / "cgroup.procs").write_text("0")

    def seconds(self, root):
        if self.group:
            stat = dict(line.split() for line in (self.group / "cpu.stat").read_text().splitlines())
            return int(stat["usage_usec"]) / 1e6
        return sum(_proc_seconds(pid) for pid in tree(root))


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


@contextlib.contextmanager
def running(line, cpus, log, before_exec=lambda: None):
    """Runs a command pinned to these cores, in a process group of its own, which is killed in the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", cpus, *line], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=servers.environment(log.parent), cwd=log.parent, start_new_session=True, preexec_fn=before_exec,
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


def until(holds, seconds):
    """Waits for something that nobody announces; returns what it held in the end."""
    deadline = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return held


def _proc_seconds(pid):
    """User and system time of a process and of its children that have ended (proc_pid_stat(5), fields 14 to 17)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
