"""Raises where the path says; /leaves ends the process."""

import os

TEXT = [("Content-Type", "text/plain")]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](start_response)


def early(start_response):
    raise RuntimeError("raised before start_response")


def called(start_response):
    start_response("200 OK", TEXT)
    raise RuntimeError("raised after start_response")


def first(start_response):
    start_response("200 OK", TEXT)
    return items(b"")


def later(start_response):
    start_response("200 OK", TEXT)
    return items(b"part")


def exits(start_response):
    raise SystemExit(3)


def interrupts(start_response):
    raise KeyboardInterrupt


def items(before):
    yield before
    raise RuntimeError("raised by the iterator")


def good(start_response):
    start_response("200 OK", TEXT)
    return [b"good"]


def leaves(start_response):
    os._exit(7)
