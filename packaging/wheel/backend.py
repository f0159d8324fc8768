"""Makes wheel and source distribution (PEP 517).

A wheel has two parts, the program and the extension. maturin builds the extension, tags the wheel, and takes what lies in a
directory of data along: there the program is put first, as a script that pip installs into `bin`. The program finds the
extension below the `lib` beside it (src/supervisor/interpreter.rs).

$HOSTLER_WHEEL_PROFILE is cargo's profile, `release` by default. $HOSTLER_WHEEL_GLIBC=2.28 makes a wheel for every machine
with that glibc or a newer one, whatever this one has: zig links it, against what was in that glibc (make wheel). Without
it a wheel is for this machine and newer ones, as `pip install .` wants it.
"""

import gzip
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

import maturin

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "target" / "wheel" / "data"
PROFILE = os.environ.get("HOSTLER_WHEEL_PROFILE", "release")
GLIBC = os.environ.get("HOSTLER_WHEEL_GLIBC")

# Of the tests only what Cargo.toml names; the rest needs servers and browsers to run, and is in the repository.
LEFT_OUT = re.compile(r"^(\.ci|benches|fuzz)/|^tests/(?!main\.rs$)")


def get_requires_for_build_wheel(config_settings=None):
    refuse_others()
    zig = ["ziglang>=0.17"] if GLIBC else []
    return maturin.get_requires_for_build_wheel(config_settings) + zig


def refuse_others():
    """Stops before a long build whose result would refuse to run (src/supervisor/bootstrap.py)."""
    number = ".".join(map(str, sys.version_info[:3]))
    if sys.implementation.name != "cpython":
        sys.exit(f"hostler needs CPython 3.9 or newer; this is {sys.implementation.name} {number}")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        sys.exit(f"hostler needs CPython with its interpreter lock; this is a free-threaded build of {number}")


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    DATA.mkdir(parents=True, exist_ok=True)
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    put_program()
    arguments = {"build-args": " ".join(options()), **(config_settings or {})}
    return maturin.build_wheel(wheel_directory, arguments, metadata_directory)


def put_program():
    """Builds the program, and puts it where maturin takes it from."""
    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "scripts").mkdir(parents=True)
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if GLIBC:
        # By maturin too: for cargo its linker is another one than anybody else's, and all would be built anew each time.
        with tempfile.TemporaryDirectory() as wheel:
            build = ["maturin", "build", "--manifest-path", "Cargo.toml", "--bindings", "bin", "--out", wheel]
            subprocess.run([*build, "--locked", *options()], cwd=ROOT, check=True)
        built /= host()
    else:
        # With the features that the whole workspace asks for, so that maturin finds the dependencies built.
        build = ["cargo", "build", "--workspace", "--bin", "hostler", "--locked", "--profile", PROFILE]
        subprocess.run(build, cwd=ROOT, check=True)
    program = DATA / "scripts" / "hostler"
    shutil.copy(built / ("debug" if PROFILE == "dev" else PROFILE) / "hostler", program)
    subprocess.run(["strip", program], check=True)


def options():
    """What maturin is told in both of its builds; it names the oldest C library, without which PyPI takes no wheel."""
    wanted = [f"manylinux_{GLIBC.replace('.', '_')}", "--zig"] if GLIBC else ["pypi"]
    return ["--profile", PROFILE, "--compatibility", *wanted]


def host():
    """What rustc calls the machine that builds."""
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.+)$", said, re.MULTILINE)[1]


def build_sdist(sdist_directory, config_settings=None):
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    name = f"hostler-{version}"
    metadata = metadata_of_wheel()
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH") or commit_time())
    path = Path(sdist_directory) / f"{name}.tar.gz"
    # Nothing of this machine goes into it: neither owners nor times, nor the name in gzip's header.
    with open(path, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=stamp) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            add(archive, f"{name}/PKG-INFO", metadata, 0o644, stamp)
            for source in sources():
                mode = 0o755 if os.access(ROOT / source, os.X_OK) else 0o644
                add(archive, f"{name}/{source}", (ROOT / source).read_bytes(), mode, stamp)
    return path.name


def metadata_of_wheel():
    """The same for both, so that what an index shows does not depend on which came first."""
    with tempfile.TemporaryDirectory() as directory:
        name = prepare_metadata_for_build_wheel(directory)
        return (Path(directory) / name / "METADATA").read_bytes()


def add(archive, name, content, mode, stamp):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), mode, stamp
    archive.addfile(entry, io.BytesIO(content))


def sources():
    """Names of the files of the repository, or of an unpacked source distribution."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and (ROOT / ".git").exists():
        names = [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    else:
        files = (file for file in ROOT.rglob("*") if file.is_file())
        names = [str(file.relative_to(ROOT)) for file in files]
    aside = ("target/", ".git/", "PKG-INFO")
    return sorted(name for name in names if not name.startswith(aside) and not LEFT_OUT.match(name))


def commit_time():
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or int((ROOT / "Cargo.toml").stat().st_mtime)
