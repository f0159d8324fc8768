"""Says things by every way that there is, and answers with the name of the request."""
import ctypes
import faulthandler
import logging
import os
import subprocess
import sys
import threading
import traceback

import hostler

print("imported")
logger = logging.getLogger("shop.views")
logger.setLevel(logging.DEBUG)
logger.propagate = False
logger.addHandler(hostler.JournalHandler())


def printed():
    print("printed", 1, 2)
    sys.stderr.write("to stderr\n")
    sys.stdout.buffer.write(b"as bytes\n")
    print("without an end", end="")


def logged():
    logger.warning("logged %s", "value")


def raised():
    try:
        raise KeyError("x")
    except KeyError:
        traceback.print_exc()


def failed():
    raise ValueError("no")


def native():
    libc = ctypes.CDLL(None)
    libc.puts(b"from C")
    libc.fflush(None)
    subprocess.run(["echo", "from a program"], check=True)


def threaded():
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()


def crash():
    faulthandler.enable()
    ctypes.string_at(0)


def many():
    for number in range(5000):
        print("line", number)


def application(environ, start_response):
    action = environ["PATH_INFO"].strip("/")
    if action in globals():
        globals()[action]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    name = environ.get("HOSTLER_REQUEST_ID", "")
    return [("%s %s %d" % (name, hostler.request_id(), os.getpid())).encode()]
