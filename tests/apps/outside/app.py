"""Looks at its own process: who it is, what it may, who its parent is."""
import errno
import json
import os


def status():
    with open("/proc/self/status") as file:
        pairs = (line.split(":", 1) for line in file)
        return json.dumps({name: value.strip() for name, value in pairs})


def dumpable():
    import ctypes

    return str(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))


def parent():
    return str(os.getppid())


def orphan():
    """A child whose own child is left behind when it ends."""
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os._exit(7)
        os._exit(0)
    os.waitpid(child, 0)
    return "left"


def zombies():
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as file:
                count += file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            pass
    return str(count)


def writes():
    try:
        open("/tmp/written", "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"


def application(environ, start_response):
    path = environ["PATH_INFO"].strip("/")
    if path.startswith("env/"):
        text = os.environ.get(path[4:], "")
    else:
        text = globals()[path]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
