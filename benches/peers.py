"""What the table compares hostler with: versions, how each is installed, and what it says that it is."""

import shutil
import subprocess
import sys

from servers import PYTHON, ROOT, VENV

# What `make bench` installs. A peer that does not build here is reported and left out.
PYPI = {
    "uwsgi": "uwsgi==2.0.31",
    "bjoern": "bjoern==3.2.2",
    "granian": "granian==2.8.7",
    "gunicorn": "gunicorn==27.0.1",
    "fastwsgi": "fastwsgi==0.0.9",
    "mod_wsgi": "mod-wsgi==6.1.1",
}

# What the applications are made of; not a row runs without.
LIBRARIES = ("Django==5.2.19", "Flask==3.1.3")

# What the system has, or not.
SYSTEM = {"nginx": "nginx"}

# The measured program once more: without what `watched` of the traffic switches on.
OWN = ("unwatched",)

ALL = (*PYPI, *SYSTEM, *OWN)


def install(names):
    """Makes the virtual environment and installs the peers; returns those that cannot be had, with the reason."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    for requirement in LIBRARIES:
        if not _installed(requirement):
            sys.exit(f"the applications want {requirement}, see {_log(requirement)}")
    missing = {}
    for name in names:
        if name in PYPI and not _installed(PYPI[name]):
            missing[name] = f"not built, see {_log(PYPI[name]).relative_to(ROOT)}"
        elif name in SYSTEM and not shutil.which(SYSTEM[name]):
            missing[name] = f"{SYSTEM[name]} is not installed"
    return missing


def version(name, program=None):
    """What the server says that it is."""
    if program:
        said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return (said.stdout.strip() or "?") + (" without them" if name in OWN else "")
    if name in SYSTEM:
        said = subprocess.run([SYSTEM[name], "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return said.stderr.strip().rpartition(": ")[2].replace("/", " ")
    return PYPI[name].replace("==", " ")


def _installed(requirement):
    """Whether pip could install it, now or before."""
    stamp = VENV / f"{requirement}.installed"
    if not stamp.exists():
        print(f"installing {requirement} ...", file=sys.stderr)
        with _log(requirement).open("w") as out:
            done = subprocess.run(
                [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )
        if done.returncode != 0:
            return False
        stamp.touch()
    return True


def _log(requirement):
    return VENV / f"{requirement.partition('=')[0]}.log"
