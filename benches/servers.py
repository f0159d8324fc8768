"""The servers that are compared: how each is installed, and started for a kind of traffic.

One process that runs Python, beside whatever master the server has; no request log; the same interpreter for all.
Each gets the settings that its own documentation recommends for speed, as far as they change nothing else.
"""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

APPS = pathlib.Path(__file__).parent / "apps"
ROOT = pathlib.Path(__file__).parent.parent
VENV = ROOT / "target/bench-venv"
PYTHON = VENV / "bin/python"

# What `make bench` installs. A peer that does not build here is reported and left out.
PEERS = {
    "uwsgi": "uwsgi==2.0.31",
    "bjoern": "bjoern==3.2.2",
    "granian": "granian==2.8.7",
    "gunicorn": "gunicorn==27.0.1",
    "fastwsgi": "fastwsgi==0.0.9",
}

# What the system has, or not.
SYSTEM = {"nginx": "nginx"}

# The measured program once more: without what `watched` of the traffic switches on.
OWN = ("unwatched",)


class Unsupported(Exception):
    """The server cannot serve this kind of traffic."""


def install(names):
    """Makes the virtual environment and installs the peers; returns those that cannot be had, with the reason."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    missing = {}
    for name in names:
        if name in OWN:
            continue
        if name in SYSTEM:
            if not shutil.which(SYSTEM[name]):
                missing[name] = f"{SYSTEM[name]} is not installed"
            continue
        stamp = VENV / f"{PEERS[name]}.installed"
        if stamp.exists():
            continue
        print(f"installing {PEERS[name]} ...", file=sys.stderr)
        log = VENV / f"{name}.log"
        with log.open("w") as out:
            done = subprocess.run(
                [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[name]],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )
        if done.returncode == 0:
            stamp.touch()
        else:
            missing[name] = f"not built, see {log.relative_to(ROOT)}"
    return missing


def version(name, program=None):
    """What the server says that it is."""
    if program:
        said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return said.stdout.strip() or "?"
    if name in SYSTEM:
        said = subprocess.run([SYSTEM[name], "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return said.stderr.strip().rpartition(": ")[2].replace("/", " ")
    return PEERS[name].replace("==", " ")


def files(directory, size):
    """A directory with one file of this size."""
    root = directory / "www"
    root.mkdir(exist_ok=True)
    (root / "file").write_bytes(b"x" * size)
    return root


def command(name, traffic, address, directory, program=None):
    """The command line that serves `apps/hello.py` for `traffic` at `address`; files it needs go to `directory`."""
    if name in OWN:
        traffic = dataclasses.replace(traffic, watched=False)
    builder = _hostler if program else globals()[f"_{name}"]
    return [str(part) for part in builder(traffic, address, directory, program)]


def environment():
    """The environment of every server: the peers' programs come first on PATH, and all find the application."""
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1"}


def _hostler(traffic, address, directory, program):
    settings = directory / "site.toml"
    static = f'[static]\ncheck = ["{files(directory, traffic.file)}"]' if traffic.file else ""
    reports = f"""
        access = true
        access-to = ["file:{directory}/access.log"]
        [metrics]
        address = "{directory}/metrics.sock"
        page = true
        [stats]
        address = "{directory}/stats.sock"
    """ if traffic.watched else ""
    settings.write_text(f"""
        [app]
        module = "hello:application"
        chdir = "{APPS}"
        virtualenv = "{VENV}"
        [[listen]]
        protocol = "{traffic.protocol}"
        address = "{address}"
        [workers]
        processes = 1
        threads = {traffic.threads}
        [log]
        level = "warning"
        {reports}
        {static}
    """)
    return [program, "serve", settings]


def _uwsgi(traffic, address, directory, program):
    if traffic.protocol == "uwsgi":
        listen = ["--socket", address]
    else:
        # http-socket closes after each answer and does not say so, which wrk would count as an error.
        listen = ["--http11-socket", address] if traffic.keep_alive \
            else ["--http-socket", address, "--add-header", "Connection: close"]
    threads = ["--threads", traffic.threads] if traffic.threads > 1 else []
    if traffic.file:
        listen += ["--check-static", files(directory, traffic.file)]
    return [VENV / "bin/uwsgi", *listen, "--wsgi-file", APPS / "hello.py", "--master", "--processes", 1, *threads,
            "--need-app", "--die-on-term", "--disable-logging", "--listen", 1024]


def _nginx(traffic, address, directory, program):
    """As Debian ships it, with one worker and nothing but files."""
    _only(traffic.file, "nginx runs no Python")
    prefix = directory / "nginx-files"
    prefix.mkdir(exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    (prefix / "nginx.conf").write_text(f"""
        {user} daemon off; worker_processes 1; pid {prefix}/pid; error_log stderr;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on;
            include /etc/nginx/mime.types; client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
            fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi; scgi_temp_path {prefix}/scgi;
            server {{ listen {address}; root {files(directory, traffic.file)}; }}
        }}
    """)
    return ["nginx", "-p", prefix, "-c", prefix / "nginx.conf", "-e", "stderr"]


def _bjoern(traffic, address, directory, program):
    _only(traffic.protocol == "http" and traffic.threads == 1, "bjoern has one thread and speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [PYTHON, "-c", f"import bjoern, hello; bjoern.run(hello.application, {host!r}, {port}, listen_backlog=1024)"]


def _fastwsgi(traffic, address, directory, program):
    _only(traffic.protocol == "http" and traffic.threads == 1, "fastwsgi has one thread and speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [PYTHON, "-c", f"import fastwsgi, hello; fastwsgi.run(hello.application, {host!r}, {port}, loglevel=0)"]


def _granian(traffic, address, directory, program):
    _only(traffic.protocol == "http", "granian speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [VENV / "bin/granian", "--interface", "wsgi", "--http", 1, "--no-ws", "--workers", 1,
            "--blocking-threads", traffic.threads, "--host", host, "--port", port, "--no-access-log",
            "--log-level", "warning", "hello:application"]


def _gunicorn(traffic, address, directory, program):
    _only(traffic.protocol == "http", "gunicorn speaks HTTP")
    kind = ["--worker-class", "gthread", "--threads", traffic.threads, "--keep-alive", 75] if traffic.keep_alive \
        else ["--worker-class", "sync"]
    return [VENV / "bin/gunicorn", "--workers", 1, *kind, "--bind", address, "--log-level", "warning",
            "hello:application"]


def _only(holds, why):
    if not holds:
        raise Unsupported(why)
