#!/usr/bin/env python3
"""Tries what pip installs, as its users would, with the Python that runs this: PYTHON try.py WHEEL|SDIST

In a fresh virtual environment: install, convert an old configuration, check, serve, reload, stop. Nothing is fetched for a
wheel. It needs nothing but Python's library, of any version that hostler serves, and prints one line when all is well.

    --pip DIRECTORY   with the pip of that directory, for a Python that has none
"""

import argparse
import contextlib
import http.client
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

# Seconds; a machine may be slow.
PATIENCE = 120

APPLICATION = '''
import sys


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s with %d.%d.%d" % (environ["PATH_INFO"].encode(), *sys.version_info[:3])]
'''

OLD = """
[uwsgi]
chdir = %d
module = app
virtualenv = %dvenv
http-socket = %dsite.sock
processes = 2
threads = 2
"""


def run(*command):
    """What a command says; it has to succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20 * PATIENCE)
    if done.returncode != 0:
        sys.exit(f"try: {' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def install(archive, directory, pip):
    """Makes the environment; gives the program of it."""
    environment = directory / "venv"
    python = environment / "bin" / "python"
    run(sys.executable, "-m", "venv", *(["--without-pip"] if pip else []), environment)
    installer = [python, pip] if pip else [python, "-m", "pip"]
    # Out of the source it is built with maturin, which is fetched.
    offline = ["--no-index"] if archive.suffix == ".whl" else []
    run(*installer, "install", "--quiet", "--disable-pip-version-check", "--no-deps", *offline, archive)
    return environment / "bin" / "hostler"


@contextlib.contextmanager
def serving(program, settings):
    """The site, while the block runs. Afterwards it is told to stop, and has to do that well."""
    process = subprocess.Popen([program, "serve", settings], stderr=subprocess.PIPE, text=True)
    late = threading.Timer(PATIENCE, process.kill)
    late.start()
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if "supervisor: ready" in line:
                break
        else:
            sys.exit(f"try: it does not serve\n{''.join(said)}")
        yield
        process.terminate()
        said += process.stderr
        if process.wait() != 0 or "every request was finished" not in said[-1]:
            sys.exit(f"try: it does not stop\n{''.join(said)}")
    finally:
        process.kill()
        late.cancel()


def page(path, address):
    """The body of the answer, over a Unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(address))
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    if answer.status != 200:
        sys.exit(f"try: {path}: {answer.status} {body}")
    return body


def attempt(archive, directory, pip):
    """The whole of it; gives the version of hostler."""
    for name in ("HOSTLER_EXTENSION", "JOURNAL_STREAM", "NOTIFY_SOCKET", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    # Here is the control socket, and `hostler reload` finds it.
    os.environ["RUNTIME_DIRECTORY"] = str(directory)
    program = install(archive, directory, pip)
    version = run(program, "--version").strip()
    (directory / "app.py").write_text(APPLICATION)
    (directory / "uwsgi.ini").write_text(OLD)
    settings = directory / "site.toml"
    run(program, "convert-ini", directory / "uwsgi.ini", "-o", settings)
    run(program, "check", settings)
    expected = "with " + ".".join(map(str, sys.version_info[:3]))
    with serving(program, settings):
        for path in ("/before", "/after"):
            said = page(path, directory / "site.sock")
            if said != f"{path} {expected}":
                sys.exit(f"try: {path}: {said}, not {expected}")
            run(program, "reload", settings)
    return version


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("archive", type=Path)
    options.add_argument("--pip", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostler-try-") as directory:
        version = attempt(given.archive.resolve(), Path(directory), given.pip)
    system = re.search(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), re.MULTILINE)
    print(f"{version} serves with {platform.python_implementation()} {platform.python_version()}, "
          f"{' '.join(platform.libc_ver())}, {system[1] if system else platform.system()}")


if __name__ == "__main__":
    main()
