#!/usr/bin/python3
"""Boots a real systemd as PID 1 of namespaces of its own, on an overlay of a root file system that stays as it is.

    box.py boot [--root DIR] [--bind SRC:DST]...

Stays in the foreground. When systemd is up, one line of JSON goes to standard output: the process ID of PID 1, its
version, the controllers that limits can use, and the cgroup outside that limits the memory of all of it. When standard input ends, whoever asked for the box is gone too:
everything in it is killed, and nothing of it is left. Exit status 77: this machine cannot do that.

Needs root, Linux 5.3, and systemd in the tree. Kernel switches (/proc/sys, /sys) are read-only inside, there is no udev, and
the network is a loopback of its own.
"""

import argparse
import contextlib
import ctypes
import json
import os
import re
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid

CANNOT = 77
BOOT_PATIENCE = 60

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x2000000, 0x4000000
CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 4096, 16384, 1 << 18, 1 << 20
MNT_DETACH = 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
# Modules, raw devices and the clock belong to the machine.
DROPPED = {"CAP_SYS_MODULE": 16, "CAP_SYS_RAWIO": 17, "CAP_SYS_TIME": 25}

# What would touch the machine's kernel, or only takes time.
MASKED = """
    systemd-sysctl.service systemd-modules-load.service modprobe@.service systemd-binfmt.service
    proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount systemd-udevd.service
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service systemd-udev-settle.service
    systemd-journald-audit.socket systemd-random-seed.service systemd-firstboot.service systemd-repart.service
    systemd-machine-id-commit.service systemd-pstore.service systemd-pcrphase.service systemd-pcrphase-sysinit.service
    systemd-timesyncd.service systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service
    systemd-resolved.service systemd-remount-fs.service kmod-static-nodes.service getty.target getty-static.service
    console-getty.service systemd-ask-password-wall.path systemd-ask-password-console.path systemd-homed.service
    systemd-userdbd.socket systemd-nsresourced.socket systemd-mountfsd.socket systemd-tpm2-setup.service
    systemd-tpm2-setup-early.service systemd-logind.service dbus.service dbus.socket
""".split()


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def mount(source, target, kind=None, flags=0, data=None):
    names = [None if each is None else os.fsencode(each) for each in (source, target, kind, data)]
    check(libc.mount(names[0], names[1], names[2], ctypes.c_ulong(flags), names[3]), f"mount {target}")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.islink(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(text)


# ---- cgroups

# The hierarchies of version 1 that systemd 252 can use where those of version 2 have no controllers.
V1 = ("memory", "pids", "cpu", "cpuacct", "blkio", "devices", "name=systemd")


def hierarchies():
    """Controllers ('' for version 2), mount point and own cgroup of each hierarchy."""
    with open("/proc/self/cgroup") as file:
        own = {controllers: path for _, controllers, path in (line.rstrip("\n").split(":", 2) for line in file)}
    found = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, right = line.rstrip("\n").split(" - ", 1)
            root, point = left.split()[3:5]
            kind, _, options = right.split(" ", 2)
            if root != "/" or kind not in ("cgroup", "cgroup2"):
                continue
            if kind == "cgroup2":
                found.setdefault("", point)
                continue
            for controllers in filter(None, own):
                if all(each in options.split(",") for each in controllers.split(",")):
                    found.setdefault(controllers, point)
    return [(controllers, point, own.get(controllers, "/")) for controllers, point in found.items()]


def make_cgroups(hybrid):
    """A cgroup for the box in each hierarchy, below our own so that our limits are its limits."""
    made = {}
    all_found = hierarchies()
    only_v2 = all(controllers == "" for controllers, _, _ in all_found)
    for controllers, point, own in all_found:
        if controllers and not (hybrid and any(each in V1 for each in controllers.split(","))):
            continue
        parent = point if only_v2 else os.path.normpath(point + own)
        if only_v2:
            # Below a cgroup with processes there are no controllers, so it is made at the top.
            for each in open(f"{point}/cgroup.controllers").read().split():
                with contextlib.suppress(OSError), open(f"{point}/cgroup.subtree_control", "w") as file:
                    file.write(f"+{each}")
        made[controllers] = f"{parent}/hostler-test-{os.getpid()}"
        os.makedirs(made[controllers], exist_ok=True)
    if "" not in made:
        raise OSError("no cgroup2 hierarchy is mounted")
    return made


def make_memory_group(cgroups):
    """A cgroup through which the memory of the whole box can be limited from outside, whatever is seen inside."""
    for controllers, point, own in hierarchies():
        if controllers == "memory" and "memory" not in cgroups:
            path = os.path.normpath(f"{point}{own}/hostler-test-{os.getpid()}")
            os.makedirs(path, exist_ok=True)
            return path
    return cgroups.get("memory", cgroups[""])


def remove_cgroups(cgroups):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        left = False
        for top in cgroups.values():
            for path, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    pass
                except OSError:
                    left = True
        if not left:
            return
        select.select([], [], [], 0.02)


def controllers(cgroups):
    found = {each for key in cgroups if key and not key.startswith("name=") for each in key.split(",")}
    with open(f"{cgroups['']}/cgroup.controllers") as file:
        return sorted(found.union(file.read().split()))


# ---- the root of the box


def prepare(root, is_host):
    """Makes the tree that of a bare machine; all of it lands in the upper layer."""
    etc = f"{root}/etc"
    write(f"{etc}/machine-id", uuid.uuid4().hex + "\n")
    write(f"{etc}/hostname", "box\n")
    write(f"{etc}/fstab", "")
    if is_host:
        # The machine's own services are not wanted.
        for name in ("systemd/system", "rc2.d", "rc3.d", "rc4.d", "rc5.d", "rcS.d"):
            shutil.rmtree(f"{etc}/{name}", ignore_errors=True)
            os.makedirs(f"{etc}/{name}")
        shutil.rmtree(f"{root}/var/log/journal", ignore_errors=True)
    for timer in ("apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim", "man-db", "logrotate"):
        MASKED.append(f"{timer}.timer")
    for unit in MASKED:
        path = f"{etc}/systemd/system/{unit}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.lexists(path):
            os.symlink("/dev/null", path)
    default = f"{etc}/systemd/system/default.target"
    if not os.path.lexists(default):
        os.symlink("/lib/systemd/system/multi-user.target", default)
    write(f"{etc}/systemd/journald.conf.d/box.conf", "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n")
    # Newer than /usr, so that nothing is rebuilt at the boot.
    stamp = os.stat(f"{root}/usr").st_mtime_ns
    for name in ("etc", "var"):
        write(f"{root}/{name}/.updated", "")
        os.utime(f"{root}/{name}/.updated", ns=(stamp, stamp))


def mount_kernel(root, work, cgroups, hybrid):
    """/proc, /sys and the cgroups, with the machine's switches read-only."""
    secure = MS_NOSUID | MS_NODEV | MS_NOEXEC
    for name in ("proc", "sys", "dev", "run", "tmp"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    mount("proc", f"{root}/proc", "proc", secure)
    mount(f"{root}/proc/sys", f"{root}/proc/sys", None, MS_BIND)
    mount(f"{root}/proc/sys/net", f"{root}/proc/sys/net", None, MS_BIND)
    mount(None, f"{root}/proc/sys", None, MS_REMOUNT | MS_BIND | MS_RDONLY | secure)
    boot_id = f"{root}/proc/sys/kernel/random/boot_id"
    write(f"{work}/boot_id", f"{uuid.uuid4()}\n")
    mount(f"{work}/boot_id", boot_id, None, MS_BIND)
    mount("sysfs", f"{root}/sys", "sysfs", MS_RDONLY | secure)
    top = f"{root}/sys/fs/cgroup"
    if not hybrid:
        mount("cgroup2", top, "cgroup2", secure, "nsdelegate,memory_recursiveprot")
        return
    mount("tmpfs", top, "tmpfs", secure, "mode=755,size=4m")
    for key in cgroups:
        name = key.removeprefix("name=") or "unified"
        os.mkdir(f"{top}/{name}")
        mount("cgroup", f"{top}/{name}", "cgroup" if key else "cgroup2", secure, key or "nsdelegate")
        for each in name.split(",") if "," in name else ():
            os.symlink(name, f"{top}/{each}")
    mount(None, top, None, MS_REMOUNT | MS_BIND | MS_RDONLY | secure)


DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))


def mount_devices(root):
    dev = f"{root}/dev"
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=4m")
    for name, major, minor in DEVICES:
        os.mknod(f"{dev}/{name}", 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(f"{dev}/{name}", 0o666)
    links = (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2"))
    for name, behind in links:
        os.symlink(f"/proc/self/fd{behind}", f"{dev}/{name}")
    os.symlink("pts/ptmx", f"{dev}/ptmx")
    for name in ("pts", "shm", "mqueue"):
        os.mkdir(f"{dev}/{name}")
    mount("devpts", f"{dev}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
    mount("tmpfs", f"{dev}/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("mqueue", f"{dev}/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in ("run", "tmp"):
        mode = "755" if name == "run" else "1777"
        mount("tmpfs", f"{root}/{name}", "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode},size=50%")
    write(f"{root}/run/host/container-manager", "box\n")


def mount_binds(root, binds):
    for source, _, target in (bind.partition(":") for bind in binds):
        target = root + target
        os.makedirs(target, exist_ok=True)
        mount(source, target, None, MS_BIND | MS_REC)
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def become_systemd(options, work, cgroups, memory, version):
    """As PID 1: makes the tree, moves into it, and is systemd from then on."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for path in {*cgroups.values(), memory}:
        with open(f"{path}/cgroup.procs", "w") as file:
            file.write("0")
    unshare(CLONE_NEWNS | CLONE_NEWCGROUP)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    root, hybrid = f"{work}/root", len(cgroups) > 1
    mount("box", root, "overlay", 0, f"lowerdir={options.root},upperdir={work}/upper,workdir={work}/work")
    prepare(root, options.root == "/")
    mount_kernel(root, work, cgroups, hybrid)
    mount_devices(root)
    mount_binds(root, options.bind)
    check(libc.sethostname(b"box", 3), "sethostname")
    os.chdir(root)
    check(libc.syscall(PIVOT_ROOT, b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount")
    mount(None, "/", None, MS_REC | MS_SHARED)
    os.chdir("/")
    os.umask(0o022)
    for number in range(1, signal.NSIG):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    top = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    hard = 524288 if top == resource.RLIM_INFINITY else min(524288, top)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    for capability in DROPPED.values():
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    words = ["/lib/systemd/systemd", "--system"]
    if hybrid and version >= 256:
        words += ["SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "systemd.unified_cgroup_hierarchy=0"]
    environment = {"container": "box", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.execve(words[0], words, environment)


# ---- the life of a box


def version_of(root):
    """The version of systemd in a tree, by the name of its library."""
    for name in ("lib/systemd", "usr/lib/systemd", f"usr/lib/{os.uname().machine}-linux-gnu/systemd"):
        with contextlib.suppress(OSError):
            for file in os.listdir(os.path.join(root, name)):
                match = re.match(r"libsystemd-(?:core|shared)-(\d+)", file)
                if match:
                    return int(match.group(1))
    raise OSError(f"there is no systemd in {root}")


def start(options, work, cgroups, memory, version):
    """Forks PID 1; its process ID as soon as it is systemd."""
    mount("box", work, "tmpfs", 0, "mode=755,size=4G")
    for name in ("upper", "work", "root"):
        os.mkdir(f"{work}/{name}", 0o755)
    reader, writer = os.pipe()
    unshare(CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        try:
            become_systemd(options, work, cgroups, memory, version)
        except BaseException as error:
            os.write(writer, str(error).encode()[:900])
        os._exit(1)
    # The exec of systemd closes the other end.
    os.close(writer)
    error = os.read(reader, 1000)
    if error:
        os.waitpid(pid, 0)
        raise OSError(error.decode(errors="replace"))
    return pid


def wait_booted(pid):
    """What systemctl calls the state at the end of the boot."""
    end, state = time.monotonic() + BOOT_PATIENCE, "nothing"
    enter = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]
    while time.monotonic() < end:
        command = [*enter, "systemctl", "is-system-running", "--wait"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        state = done.stdout.strip() or done.stderr.strip()
        if state in ("running", "degraded"):
            return
        select.select([], [], [], 0.05)
    raise OSError(f"systemd says {state} after {BOOT_PATIENCE} s")


def boot(options):
    if os.geteuid() != 0:
        raise OSError("only root may make namespaces")
    version = version_of(options.root)
    has_v1 = any(key == "memory" for key, _, _ in hierarchies())
    # systemd 256 and newer know version 1 of the cgroups only when forced.
    cgroups = make_cgroups(has_v1 and version < 256)
    memory = make_memory_group(cgroups)
    work = tempfile.mkdtemp(prefix="hostler-box-", dir="/run")
    pid = None
    try:
        unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        pid = start(options, work, cgroups, memory, version)
        # Our children are to be born where we are.
        own = os.open("/proc/self/ns/pid", os.O_RDONLY)
        check(libc.setns(own, CLONE_NEWPID), "setns")
        wait_booted(pid)
        facts = {"pid": pid, "version": version, "controllers": controllers(cgroups), "memory": memory}
        print(json.dumps(facts), flush=True)
        gone = os.pidfd_open(pid)
        select.select([0, gone], [], [])
    finally:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        remove_cgroups({**cgroups, "memory": memory})
        with contextlib.suppress(OSError):
            check(libc.umount2(os.fsencode(work), MNT_DETACH), "umount")
        with contextlib.suppress(OSError):
            os.rmdir(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("boot")
    command.add_argument("--root", default="/")
    command.add_argument("--bind", action="append", default=[], metavar="SRC:DST")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    options = parser.parse_args()
    try:
        boot(options)
    except OSError as error:
        print(f"box.py: {error}", file=sys.stderr)
        sys.exit(CANNOT)


if __name__ == "__main__":
    main()
