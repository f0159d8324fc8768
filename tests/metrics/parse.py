"""Reads an exposition from standard input with the parser of Prometheus's own library, which is strict, and prints it as JSON."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

SUFFIXES = {"counter": "_total", "info": "_info"}

print(json.dumps([
    {
        "name": family.name + SUFFIXES.get(family.type, ""),
        "type": family.type,
        "unit": family.unit,
        "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
    }
    for family in text_string_to_metric_families(sys.stdin.read())
]))
