"""What the rehearsal starts ends with it: after its block, on Ctrl-C, and when the rehearsal itself is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal.ports import free_port
from rehearsal.processes import running, spawn, stop
from rehearsal.run import PROJECT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# A program that starts another one in a session of its own, as daemons do, and waits.
_NEST = "setsid sleep {marker} & sleep {marker}"


def _alive(marker: str) -> int:
    count = 0
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        count += command[:2] == [b"sleep", marker.encode()]
    return count


def _wait_for(marker: str, expected: int) -> None:
    deadline = time.monotonic() + 10
    while _alive(marker) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _alive(marker) == expected


@pytest.fixture
def marker() -> str:
    """A number of seconds that no other test sleeps."""
    return f"{100000 + os.getpid()}.{free_port()}"


def test_a_block_ends_its_program_with_all_descendants(marker: str) -> None:
    with running(["sh", "-c", _NEST.format(marker=marker)], env=os.environ):
        _wait_for(marker, 2)
    assert _alive(marker) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_killed_parent(marker: str, number: signal.Signals) -> None:
    # GIVEN a parent that has started a program
    code = (
        "import os, time; from rehearsal.processes import spawn;"
        f"p = spawn(['sh', '-c', {_NEST.format(marker=marker)!r}], env=os.environ); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT)
    _wait_for(marker, 2)
    # WHEN it dies in whatever way
    parent.send_signal(number)
    parent.wait()
    # THEN everything is gone
    _wait_for(marker, 0)


def test_nothing_survives_a_killed_guard(marker: str) -> None:
    guard = spawn(["sleep", marker], env=os.environ)
    _wait_for(marker, 1)
    guard.kill()
    guard.wait()
    _wait_for(marker, 0)
    stop(guard)


def test_a_program_that_ignores_requests_is_ended(marker: str) -> None:
    environment = dict(os.environ) | {"REHEARSAL_GRACE_SECONDS": "0.2"}
    with running(["sh", "-c", f"trap '' TERM INT; while :; do sleep {marker}; done"], env=environment):
        _wait_for(marker, 1)
    assert _alive(marker) == 0


@pytest.mark.parametrize(("command", "code"), [(["sh", "-c", "exit 3"], 3), (["no-such-program-anywhere"], 127)])
def test_the_exit_code_is_handed_on(command: list[str], code: int) -> None:
    with running(command, env=os.environ, stderr=subprocess.DEVNULL) as process:
        assert process.wait() == code


def test_an_interrupted_rehearsal_leaves_no_process() -> None:
    # GIVEN a rehearsal that has started its account and synthesizes; a shell starts background jobs with SIGINT ignored
    command = [sys.executable, "-m", "rehearsal", "--env", "dev"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as rehearsal:
        assert rehearsal.stdout is not None
        folder = rehearsal.stdout.readline().strip().rpartition("/")[2]
        assert "make synth" in rehearsal.stdout.readline()
        assert _mentioned(folder)
        # WHEN it is interrupted
        rehearsal.send_signal(signal.SIGINT)
        output, _ = rehearsal.communicate(timeout=30)
    # THEN it says so, and nothing of it runs any more
    assert rehearsal.returncode == 130
    assert "everything that was started has been ended" in output
    assert not _mentioned(folder)


def _mentioned(folder: str) -> bool:
    """Whether any process has the run's folder in its command or its environment."""
    for entry in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (entry / name).read_bytes()
            except OSError:
                continue
            # The whole path, and its end: another run of the same second is in FOLDER.2, or in another checkout.
            path = re.escape(str(PROJECT / ".rehearsal" / folder).encode())
            if re.search(rb"%s(?=[/\0]|$)" % path, text) and entry.name != str(os.getpid()):
                return True
    return False
