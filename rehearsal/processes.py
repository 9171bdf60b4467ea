"""Starts programs that are certain to end: with their context, on Ctrl-C, and when this process is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_GUARD = Path(__file__).with_name("guard.py")


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = subprocess.STDOUT,
) -> subprocess.Popen[bytes]:
    """Start ``command`` under the guard (:mod:`rehearsal.guard`).

    The returned process is the guard; it exits with the command's code. Its standard input is its lifeline: it
    closes when this process ends in whatever way, and the guard then ends the command with all of its descendants.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), *map(str, command)],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], *, grace: float = 10.0) -> None:
    """End what :func:`spawn` started, and wait up to ``grace`` seconds before the guard itself is killed."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the length of a ``with`` block."""
    process = spawn(command, env=env, cwd=cwd, stdout=stdout, stderr=stderr)
    try:
        yield process
    finally:
        stop(process)
        if process.stdout is not None:
            process.stdout.close()
