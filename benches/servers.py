"""The servers that are compared: how each is started for a kind of traffic.

As many processes run Python as the row says, beside whatever master the server has; no request log; the same interpreter
for all. Each gets the settings that its own documentation recommends for speed, as far as they change nothing else.
"""

import dataclasses
import os
import pathlib
import subprocess

import nginx

APPS = pathlib.Path(__file__).parent / "apps"
ROOT = pathlib.Path(__file__).parent.parent
VENV = ROOT / "target/bench-venv"
PYTHON = VENV / "bin/python"


class Unsupported(Exception):
    """The server cannot serve this kind of traffic."""


def command(name, traffic, address, directory, program=None):
    """The command line that serves the application of `traffic` at `address`; files it needs go to `directory`."""
    if name == "unwatched":
        traffic = dataclasses.replace(traffic, watched=False)
    builder = _hostler if program else globals()[f"_{name}"]
    return [str(part) for part in builder(traffic, address, directory, program)]


def environment(directory):
    """The environment of every server: the peers' programs come first on PATH, and all find the applications.

    `directory` is where a run keeps what it makes.
    """
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1",
            "HOSTLER_BENCH_DIRECTORY": str(directory)}


def prepare(module, directory):
    """Runs the module that makes what an application wants to be there, if it has one."""
    if module:
        subprocess.run([PYTHON, "-m", module], env=environment(directory), check=True)


def _hostler(traffic, address, directory, program):
    settings = directory / "site.toml"
    static = f'[static]\ncheck = ["{_files(directory, traffic.file)}"]' if traffic.file else ""
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
        module = "{traffic.app}:application"
        chdir = "{APPS}"
        virtualenv = "{VENV}"
        [[listen]]
        protocol = "{traffic.protocol}"
        address = "{address}"
        [workers]
        processes = {traffic.processes}
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
    elif traffic.held:
        # A process of its own keeps the connections; http11-socket would give a thread to each.
        listen = ["--http", address, "--http-keepalive", "--socket-timeout", 75, "--http-timeout", 75]
    else:
        # http-socket closes after each answer and does not say so, which wrk would count as an error. Behind nginx it
        # costs less than http11-socket, whose threads would wait for connections that nginx does not use.
        listen = ["--http11-socket", address, "--tcp-nodelay"] if traffic.keep_alive and not traffic.nginx \
            else ["--http-socket", address, "--add-header", "Connection: close"]
    threads = ["--threads", traffic.threads] if traffic.threads > 1 else []
    if traffic.file:
        listen += ["--check-static", _files(directory, traffic.file)]
    return [VENV / "bin/uwsgi", *listen, "--module", f"{traffic.app}:application", "--master", "--processes",
            traffic.processes, *threads, "--need-app", "--die-on-term", "--disable-logging", "--listen", 1024]


def _nginx(traffic, address, directory, program):
    _only(traffic.file, "nginx runs no Python")
    return nginx.of_files(address, _files(directory, traffic.file), directory)


def _bjoern(traffic, address, directory, program):
    _only(traffic.protocol == "http", "bjoern speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [PYTHON, "-c", f"import bjoern, {traffic.app} as app; "
                          f"bjoern.run(app.application, {host!r}, {port}, listen_backlog=1024)"]


def _fastwsgi(traffic, address, directory, program):
    _only(traffic.protocol == "http", "fastwsgi speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [PYTHON, "-c", f"import fastwsgi, {traffic.app} as app; "
                          f"fastwsgi.run(app.application, {host!r}, {port}, loglevel=0)"]


def _granian(traffic, address, directory, program):
    _only(traffic.protocol == "http", "granian speaks HTTP")
    host, port = address.rsplit(":", 1)
    return [VENV / "bin/granian", "--interface", "wsgi", "--http", 1, "--no-ws", "--workers", traffic.processes,
            "--blocking-threads", traffic.threads, "--host", host, "--port", port, "--no-access-log",
            "--log-level", "warning", f"{traffic.app}:application"]


def _gunicorn(traffic, address, directory, program):
    _only(traffic.protocol == "http", "gunicorn speaks HTTP")
    threads = ["--worker-class", "gthread", "--threads", traffic.threads, "--keep-alive", 75, "--worker-connections", 2000]
    kind = threads if traffic.keep_alive else ["--worker-class", "sync"]
    return [VENV / "bin/gunicorn", "--preload", "--workers", traffic.processes, *kind, "--bind", address,
            "--log-level", "warning", f"{traffic.app}:application"]


def _mod_wsgi(traffic, address, directory, program):
    """Apache's worker MPM with the application in its own processes, which saves mod_wsgi's way to a daemon.

    The event MPM drops kept connections while all its threads are busy, which `wrk` counts as errors.
    """
    _only(traffic.protocol == "http", "mod_wsgi speaks HTTP")
    module = next(VENV.glob("lib/python*/site-packages/mod_wsgi/server/mod_wsgi-py*.so"))
    entry = directory / "entry.wsgi"
    entry.write_text(f"from {traffic.app} import application\n")
    configuration = directory / "httpd.conf"
    user = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    configuration.write_text("\n".join([
        *(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in ("mpm_worker", "authz_core")),
        f"LoadModule wsgi_module {module}",
        f"Listen {address}\nServerName localhost\nPidFile {directory}/httpd.pid\nErrorLog /dev/stderr\n{user}",
        f"StartServers {traffic.processes}\nServerLimit {traffic.processes}\nThreadsPerChild {traffic.threads}",
        f"ThreadLimit {traffic.threads}\nMaxRequestWorkers {traffic.processes * traffic.threads}",
        "ListenBacklog 1024\nMaxKeepAliveRequests 0\nKeepAliveTimeout 75",
        f"WSGIPythonHome {VENV}\nWSGIPythonPath {APPS}\nWSGIRestrictEmbedded Off",
        f"WSGIScriptAlias / {entry} process-group=%{{GLOBAL}} application-group=%{{GLOBAL}}",
        "<Directory />\nAllowOverride None\nRequire all granted\n</Directory>\n",
    ]))
    return ["apache2", "-d", directory, "-f", configuration, "-DFOREGROUND"]


def _files(directory, size):
    """A directory with one file of this size."""
    root = directory / "www"
    root.mkdir(exist_ok=True)
    (root / "file").write_bytes(b"x" * size)
    return root


def _only(holds, why):
    if not holds:
        raise Unsupported(why)
