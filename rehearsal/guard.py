"""Runs one command and outlives it only to end everything that the command started.

Started by :mod:`rehearsal.processes` as its own small process, standard library only. It ends the command and every
descendant when its standard input closes, which the kernel does for a parent that died in whatever way, SIGKILL too.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = float(os.environ.get("REHEARSAL_GRACE_SECONDS", "5"))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _die_with_guard() -> None:
    """Run in the child before exec: the kernel ends it when this guard is killed with SIGKILL."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Process ids below ``pid``, nearest first; empty where there is no /proc (macOS: the process group is used)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def _signal_all(number: signal.Signals) -> list[int]:
    alive = descendants(os.getpid())
    for pid in alive:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return alive


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks the command to end, then makes sure that nothing below this process is left."""
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
    if sys.platform != "linux":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    while _signal_all(signal.SIGKILL):
        _reap()
        time.sleep(0.02)
    _reap()


def main(command: list[str]) -> int:
    """Run ``command`` and return its exit code (128 + number when a signal ended it)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    waker, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        # The command's own session: Ctrl-C in the terminal reaches the rehearsal alone, which decides what ends when.
        child = subprocess.Popen(
            command,
            # Where its output is a terminal it reads its answers there; this process' own input is no answer.
            stdin=1 if os.isatty(1) else subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_guard,  # noqa: PLW1509 - this process has one thread
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    while child.poll() is None and not stopping:
        readable, _, _ = select.select([0, waker], [], [], 1.0)
        if waker in readable:
            os.read(waker, 1024)
        if 0 in readable and not os.read(0, 1024):
            break
    code = child.poll()
    _end(child)
    code = child.returncode if code is None else code
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
