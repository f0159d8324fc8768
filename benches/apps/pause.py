"""An application that waits, as for a database: 10 ms without the interpreter lock."""

import time

import hello

SECONDS = 0.010


def application(environ, start_response):
    time.sleep(SECONDS)
    return hello.application(environ, start_response)
