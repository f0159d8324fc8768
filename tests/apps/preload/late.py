"""Imported by each worker, after the application; it may still register functions."""

import os

import hostler
import steps

steps.order.append(["late", os.getpid()])


@hostler.postfork
def connect():
    steps.order.append(["connect", os.getpid()])
