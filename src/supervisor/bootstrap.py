# The interpreter of a zygote reads this from its standard input. Arguments: path of the extension, descriptor of the
# supervisor's channel, version of the program, descriptor of the extension: what lies at the path may be another one by
# now. Must be understood by every Python there is, so that the wrong ones can
# be told apart. What is imported here is imported into every worker, so nothing is but for a failure.
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import os
path, fd, version, extension = sys.argv[1:]
null = os.open(os.devnull, os.O_RDONLY)
os.dup2(null, 0)
os.close(null)
def send(message):
    import json
    os.write(int(fd), (version + "\n" + json.dumps(message)).encode("ascii"))
def unsupported(what):
    send({"Unsupported": {"reason": "%s is %s; hostler needs CPython 3.9 or newer" % (sys.executable, what)}})
    sys.exit(1)
number = ".".join(map(str, sys.version_info[:3]))
if sys.version_info < (3, 9):
    unsupported("Python " + number)
if sys.implementation.name != "cpython":
    unsupported(sys.implementation.name + " " + number)
if "t" in sys.abiflags:
    unsupported("a free-threaded build of Python " + number)
try:
    from importlib.machinery import ExtensionFileLoader, ModuleSpec
    file = "/proc/self/fd/" + extension
    loader = ExtensionFileLoader("_hostler", file)
    module = loader.create_module(ModuleSpec("_hostler", loader, origin=file))
    loader.exec_module(module)
    os.close(int(extension))
    sys.modules["_hostler"] = module
    module.zygote(int(fd))
except Exception as error:
    import traceback
    reason = "%s cannot load %s: %s" % (sys.executable, path, error)
    send({"Failed": {"reason": reason, "traceback": traceback.format_exc()}})
    sys.exit(1)
