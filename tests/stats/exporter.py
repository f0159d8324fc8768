"""Prints what uwsgi_exporter makes of the stats at the address that is the argument, as Prometheus would get it."""

import sys

import uwsgi_exporter
from prometheus_client import CollectorRegistry, generate_latest

registry = CollectorRegistry()
registry.register(uwsgi_exporter.get_stats_collector(lambda: uwsgi_exporter.build_prometheus_stats(sys.argv[1])))
sys.stdout.write(generate_latest(registry).decode())
