"""Runs the threads of another process one instruction at a time (ptrace(2)) and counts where they have been.

The count is the same on a busy machine as on an idle one, which no clock can say. Processors of x86-64 only.
"""

import collections
import ctypes
import os
import signal

_SEIZE, _INTERRUPT, _STEP, _REGISTER = 0x4206, 0x4207, 9, 3
_INSTRUCTION_POINTER = 16 * 8  # where struct user has rip
_ALL_THREADS, _ANY = 0x40000000, -1
_SYSCALL = b"\x0f\x05"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def follow(process, begin, done):
    """Steps all threads of a process, from when `begin` is called until `done` says so after some instruction; then kills it.

    Returns how often each instruction was run, by its address, and how many of them called the kernel.
    """
    threads = [int(thread) for thread in os.listdir(f"/proc/{process}/task")]
    for thread in threads:
        _ptrace(_SEIZE, thread)
        _ptrace(_INTERRUPT, thread)
        _wait(thread)
        _ptrace(_STEP, thread)
    visits, last = collections.Counter(), {}
    begin()
    while not done():
        thread = _wait(_ANY)
        here = _ptrace(_REGISTER, thread, _INSTRUCTION_POINTER)
        # A repeated instruction (`rep movsb`) stops after each repetition; it counts once.
        if here != last.get(thread):
            visits[here] += 1
        last[thread] = here
        _ptrace(_STEP, thread)
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        calls = sum(count for at, count in visits.items() if os.pread(memory.fileno(), 2, at) == _SYSCALL)
    # Its steps are under way; let go now, it would die of the next one. Its parent hears of the end when we have.
    os.kill(process, signal.SIGKILL)
    for thread in threads:
        while not os.WIFSIGNALED(os.waitpid(thread, _ALL_THREADS)[1]):
            pass
    return visits, calls


def _ptrace(request, thread, address=0, data=0):
    ctypes.set_errno(0)
    result = _libc.ptrace(request, thread, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace: {os.strerror(ctypes.get_errno())}")
    return result


def _wait(thread):
    """Until the thread stops, or any; which one."""
    stopped, status = os.waitpid(thread, _ALL_THREADS)
    if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) & 0x7F != signal.SIGTRAP:
        raise RuntimeError(f"thread {stopped} ended, or got a signal, while it was followed (status {status:#x})")
    return stopped
