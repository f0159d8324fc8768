"""Runs a settings file of gunicorn as gunicorn does, and says as JSON what it has set, and on which lines."""

import ast
import importlib.machinery
import importlib.util
import json
import os
import sys
import traceback
import types

DEEPEST = 20


def encode(value, depth=0):
    """The value as JSON has it; what JSON has not, as a dictionary with one name that no setting has."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, os.PathLike):
        return encode(os.fspath(value), depth)
    if isinstance(value, (list, tuple, set, frozenset)) and depth < DEEPEST:
        return [encode(one, depth + 1) for one in value]
    if isinstance(value, dict) and depth < DEEPEST:
        return {str(key): encode(one, depth + 1) for key, one in value.items()}
    if callable(value):
        return {"!callable": getattr(value, "__name__", type(value).__name__)}
    return {"!object": repr(value)[:200]}


def names_of(target):
    """The names that an assignment to this target sets."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Starred):
        return names_of(target.value)
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for one in target.elts for name in names_of(one)]
    return []


class Assignments:
    """Where each name of a module is set last, and which values depend on the machine or its environment."""

    ASKING = {"cpu_count", "environ", "getenv", "gethostname", "node", "process_cpu_count", "sched_getaffinity", "uname"}

    def __init__(self, body):
        self.lines = {}
        self.local = set()
        self.walk(body)

    def asks(self, node):
        """Whether an expression asks the machine, or uses something that has asked it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr in self.ASKING:
                return True
            if isinstance(part, ast.Name) and (part.id in self.ASKING or part.id in self.local):
                return True
        return False

    def set(self, name, line, value=None):
        self.lines[name] = line
        if value is not None and self.asks(value):
            self.local.add(name)

    def walk(self, body):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.set(node.name, node.lineno)
                continue
            targets = list(getattr(node, "targets", ()))
            if hasattr(node, "target"):
                targets.append(node.target)
            for item in getattr(node, "items", ()):
                targets.append(item.optional_vars)
            for target in targets:
                for name in names_of(target):
                    self.set(name, node.lineno, getattr(node, "value", None))
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    self.set(alias.asname or alias.name, node.lineno)
            for part in ("body", "orelse", "finalbody"):
                self.walk(getattr(node, part, ()))
            for part in ("handlers", "cases"):
                for one in getattr(node, part, ()):
                    self.walk(one.body)


def file_of(path):
    """The file of `python:module`, which gunicorn takes as well."""
    if not path.startswith("python:"):
        return path
    spec = importlib.util.find_spec(path[len("python:"):])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named " + repr(path[len("python:"):]))
    return spec.origin


def run(path):
    """The module, as gunicorn makes it."""
    loader = importlib.machinery.SourceFileLoader("__config__", path)
    spec = importlib.util.spec_from_file_location("__config__", path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["__config__"] = module
    spec.loader.exec_module(module)
    return vars(module)


def fault(path, error):
    """What went wrong, and the last line of the file that had a part in it."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == path:
            line = number
    message = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
    everything = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"line": line, "message": message, "traceback": everything[-8000:]}


def main(path):
    """Evaluates the file; what it prints itself goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    sys.argv = ["gunicorn"]
    sys.path.insert(0, os.getcwd())
    environment = sys.prefix if sys.prefix != sys.base_prefix else None
    try:
        path = file_of(path)
        names = run(path)
        with open(path, "rb") as file:
            assignments = Assignments(ast.parse(file.read(), path).body)
        settings = [
            {
                "name": name,
                "line": assignments.lines.get(name),
                "local": name in assignments.local,
                "value": encode(value),
            }
            for name, value in names.items()
            if not name.startswith("_") and not isinstance(value, types.ModuleType)
        ]
        said = {"settings": settings, "virtualenv": environment}
    except BaseException as error:
        said = {"fault": fault(path, error)}
    json.dump(said, out)
    out.close()
    # Threads that the file has started must not keep us.
    os._exit(0)


main(sys.argv[1])
