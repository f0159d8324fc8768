"""Hooks, names that gunicorn does not know, and values that it does not take."""
import os
from os.path import join as worker_clas

on_starting = None
worker = 4
cores = 8
workers = -1
timeout = "soon"
preload_app = "yes"
reload = "true"
syslog = True
syslog_addr = "udp://log.example.com"
loglevel = os.environ.get("NO_SUCH_VARIABLE", "debug")
logger_class = type("Logger", (), {})
user, group = "shop", 33
daemon = True

if True:
    pidfile = "/run/shop.pid"


def post_fork(server, worker):
    """Opens connections."""


def worker_exit(server, worker):
    """Closes them."""


def helper():
    """Is no hook."""
