"""From addresses in a running process to the names of functions, by the symbols of its files (nm(1))."""

import bisect
import pathlib
import subprocess


class Symbols:
    """The functions of everything that a process has mapped."""

    def __init__(self, process):
        self.files = {}
        self.mappings = []
        for line in pathlib.Path(f"/proc/{process}/maps").read_text().splitlines():
            bounds, mode, offset, _, _, *path = line.split(maxsplit=5)
            if "x" in mode:
                begin, end = (int(bound, 16) for bound in bounds.split("-"))
                self.mappings.append((begin, end, int(offset, 16), path[0] if path else "?"))

    def name(self, at):
        """The function with the instruction at this address, as far as its file has symbols."""
        for begin, end, offset, path in self.mappings:
            if begin <= at < end:
                if path not in self.files:
                    self.files[path] = _File(path)
                return self.files[path].name(at - begin + offset)
        return "?"


class _File:
    def __init__(self, path):
        self.short = pathlib.Path(path).name
        self.segments = _segments(path)
        self.names = sorted(_functions(path))

    def name(self, offset):
        address = next((offset - begin + to for begin, size, to in self.segments if begin <= offset < begin + size), offset)
        index = bisect.bisect_right(self.names, (address, "\x7f")) - 1
        return f"{self.names[index][1]} [{self.short}]" if index >= 0 else self.short


def _segments(path):
    """Where the parts of the file are in memory: offset, size, address."""
    words = [line.split() for line in _lines(["readelf", "--segments", "--wide", path])]
    return [tuple(int(word, 16) for word in (row[1], row[4], row[2])) for row in words if row[:1] == ["LOAD"]]


def _functions(path):
    for flags in ([], ["--dynamic"]):
        for line in _lines(["nm", "--demangle", "--defined-only", *flags, path]):
            address, kind, name = line.split(maxsplit=2)
            if kind in "tTwWiV":
                yield int(address, 16), name


def _lines(command):
    """What it says; a file without symbols, or none at all such as the kernel's [vdso], has nothing to say."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.splitlines()
