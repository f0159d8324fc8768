"""Starts a thread while it is imported, which a fork does not keep."""

import threading

threading.Thread(target=threading.Event().wait, name="started-at-import", daemon=True).start()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"forked anyway"]
