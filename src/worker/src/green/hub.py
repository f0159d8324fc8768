"""What a worker needs of gevent, in words of gevent's: the few functions that wait, start and interrupt greenlets."""

import contextvars
import traceback

from gevent import get_hub, getcurrent, reinit, spawn
from gevent.event import Event
from gevent.socket import cancel_wait, wait

READ, WRITE = 1, 2

request = contextvars.ContextVar("hostler.request", default=None)
"""What a greenlet says goes into the log by way of this object, which knows its request."""

waiting = {}
"""The watchers of clients that are waited for, by the descriptor of their socket."""


forker = None
"""In a child that the application has forked: the greenlet that it was forked for."""


class Silent(Exception):
    """The client was waited for too long."""


def serve(events, turn, failed):
    """Lets the hub take a turn whenever there are events, until a turn says that the worker has drained."""
    drained = Event()
    watcher = get_hub().loop.io(events, READ)

    def ready():
        has_ended = turn()
        # None in a child that the application has forked, where the events are its parent's.
        if has_ended is None or has_ended:
            watcher.stop()
        if has_ended:
            drained.set()

    watcher.start(ready)
    while not drained.is_set():
        try:
            drained.wait()
        except BaseException as error:  # The hub raises here what it takes for the end of the program.
            failed(error)
    watcher.close()


def await_client(fd, writing, seconds):
    """Waits in the calling greenlet; whether the client was ready in time. 0 seconds: for ever."""
    watcher = get_hub().loop.io(fd, WRITE if writing else READ)
    watchers = waiting.setdefault(fd, [])
    watchers.append(watcher)
    try:
        wait(watcher, seconds or None, Silent())
        return True
    except Silent:
        return False
    finally:
        watcher.close()
        watchers.remove(watcher)
        if not watchers and waiting.get(fd) is watchers:
            del waiting[fd]


def end_waiting(fd):
    """The socket is about to be used by somebody else, or closed."""
    for watcher in waiting.pop(fd, []):
        cancel_wait(watcher, OSError("the request is over"))


def where(greenlet):
    """The stack of a greenlet that waits."""
    return "".join(traceback.format_stack(greenlet.gr_frame))


def strike(greenlet, is_due, error):
    """Raises in a greenlet that waits, if it is still due when the hub comes to it."""

    def hit():
        if is_due():
            greenlet.throw(error)

    get_hub().loop.run_callback(hit)


def note_child():
    """To be called in a child, by whoever has forked it."""
    global forker
    forker = getcurrent()


def leave_to_forker():
    """Comes back in the greenlet that a child was forked for, and in no other one."""
    if getcurrent() is not forker:
        Event().wait()


def end_helpers():
    """Ends the threads of the hub's pool, which starts new ones when it is asked to."""
    get_hub().threadpool.kill()
