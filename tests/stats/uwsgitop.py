"""Runs uwsgitop in a terminal of its own, and prints what it shows in each of its views: a list of three texts.

The arguments are the program and the address. A view is complete when what only it shows is there.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 20
# Workers; their cores in place of them; workers with the cores below them.
VIEWS = [r"idle\s.*ms", r"\s1:0\s.*idle\s.*ms", r"idle\s.*ms.*\s:0\s.*idle"]
SIZE = struct.pack("HHHH", 40, 200, 0, 0)


def main():
    program, address = sys.argv[1:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        # The program measures its terminal when it starts.
        fcntl.ioctl(0, termios.TIOCSWINSZ, SIZE)
        os.execv(sys.executable, [sys.executable, program, address])
    screens = []
    for shown in VIEWS:
        if screens:
            os.write(terminal, b"a")
        screens.append(view(terminal, shown))
    os.write(terminal, b"q")
    drain(terminal)
    _, status = os.waitpid(pid, 0)
    print(json.dumps(screens))
    sys.exit(os.waitstatus_to_exitcode(status))


def view(terminal, shown):
    text = ""
    deadline = time.monotonic() + PATIENCE
    while not re.search(shown, plain(text), re.DOTALL):
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            sys.exit(f"uwsgitop does not show {shown}: {text!r}")
        text += os.read(terminal, 65536).decode()
    return plain(text)


def plain(text):
    """Without the sequences that move the cursor and change colours."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\([A-Z0-9]|[=>])", " ", text)


def drain(terminal):
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # Linux says so when nobody has the other side open any more.


main()
