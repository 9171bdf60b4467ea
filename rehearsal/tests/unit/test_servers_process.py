"""A supervised process always ends, and says why when it does not start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from rehearsal.ports import LOOPBACK, free_port, listens
from rehearsal.run import PROJECT
from rehearsal.servers.process import Process, ServerError
from rehearsal.servers.startable import Startable


def _python(tmp_path: Path, code: str, *, stop_seconds: float = 5, secrets: tuple[str, ...] = ()) -> Process:
    return Process(
        name="example",
        command=[sys.executable, "-u", "-c", textwrap.dedent(code)],
        log=tmp_path / "example.log",
        stop_seconds=stop_seconds,
        secrets=secrets,
    )


def _exists(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and " Z " not in stat.read_text()


def test_error_of_a_process_that_ends_holds_its_last_lines(tmp_path: Path) -> None:
    # GIVEN
    process = _python(tmp_path, "print('cannot bind'); raise SystemExit(3)")

    # WHEN THEN
    with process, pytest.raises(ServerError, match=r"(?s)ended with exit code 3 before it was ready.*cannot bind"):
        process.wait_until(lambda: False, seconds=20)


def test_error_of_a_process_that_is_never_ready_names_the_limit(tmp_path: Path) -> None:
    # GIVEN
    process = _python(tmp_path, "import time; print('thinking'); time.sleep(60)")

    # WHEN THEN
    with process, pytest.raises(ServerError, match=r"(?s)was not serving after 1 s.*thinking"):
        process.wait_until(lambda: False, seconds=1, what="serving")
    assert not process.running


def test_program_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    # GIVEN
    process = Process(name="etcd", command=[tmp_path / "missing"], log=tmp_path / "etcd.log")

    # WHEN THEN
    process_error = r"(?s)etcd (cannot be started|ended with exit code 127).*(No such file|missing)"
    with pytest.raises(ServerError, match=process_error), process:
        process.wait_until(lambda: False, seconds=10)


def test_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    # GIVEN
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    process = _python(tmp_path, code, stop_seconds=0.5)

    # WHEN
    with process:
        process.wait_until(lambda: "up" in process.last_lines(), seconds=10)
        pid = process.pid

    # THEN
    assert not _exists(pid)


def test_process_can_be_killed_and_started_again_with_one_log(tmp_path: Path) -> None:
    # GIVEN
    process = _python(tmp_path, "import os, time; print('started', os.getpid()); time.sleep(60)")
    with process:
        process.wait_until(lambda: process.last_lines().count("started") == 1, seconds=10)
        first = process.pid

        # WHEN
        process.kill()
        process.start()

        # THEN
        process.wait_until(lambda: process.last_lines().count("started") == 2, seconds=10)
        assert process.pid != first


def test_second_start_while_running_is_refused(tmp_path: Path) -> None:
    # GIVEN
    process = _python(tmp_path, "import time; time.sleep(60)")

    # WHEN THEN
    with process, pytest.raises(ServerError, match="example is already running"):
        process.start()


def test_process_id_before_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="example was not started"):
        _ = _python(tmp_path, "").pid


def test_secrets_never_reach_the_log(tmp_path: Path) -> None:
    # GIVEN a server that logs its password, one of two that contain one another
    process = _python(tmp_path, "print('password=pass-word-1 done')", secrets=("pass", "pass-word-1"))

    # WHEN
    with process, pytest.raises(ServerError, match="ended"):
        process.wait_until(lambda: False, seconds=10)

    # THEN
    assert process.log.read_text() == "***word=*** done\n"
    assert process.log.stat().st_mode & 0o077 == 0


def test_paused_process_keeps_its_port_and_goes_on_when_resumed(tmp_path: Path) -> None:
    # GIVEN
    port = free_port()
    process = _python(
        tmp_path, f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    )
    with process:
        process.wait_until(lambda: listens(port), seconds=10)

        # WHEN
        process.pause()

        # THEN
        state = Path(f"/proc/{process.pid}/stat")
        process.wait_until(lambda: " T " in state.read_text(), seconds=5)
        process.resume()
        process.wait_until(lambda: " T " not in state.read_text(), seconds=5)


def test_killed_rehearsal_leaves_no_server_behind(tmp_path: Path) -> None:
    # GIVEN a rehearsal that started a server from a thread that has ended since
    code = f"""
        import sys, threading, time
        from pathlib import Path
        from rehearsal.servers.process import Process
        process = Process(name="server", command=["sleep", "60"], log=Path({str(tmp_path / "server.log")!r}))
        thread = threading.Thread(target=process.start)
        thread.start()
        thread.join()
        time.sleep(0.5)
        print(process.pid if process.running else "ended", flush=True)
        time.sleep(60)
    """
    rehearsal = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    with rehearsal:
        assert rehearsal.stdout is not None
        server = int(rehearsal.stdout.readline())

        # WHEN
        os.kill(rehearsal.pid, signal.SIGKILL)

    # THEN
    deadline = time.monotonic() + 5
    while _exists(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _exists(server)


def test_part_that_fails_half_way_ends_what_it_started(tmp_path: Path) -> None:
    # GIVEN
    process = _python(tmp_path, "import time; time.sleep(60)")

    class HalfStarted(Startable):
        def _start(self, stack: object) -> None:
            stack.enter_context(process)  # type: ignore[attr-defined]  # a double
            raise ServerError("the second server did not start")

    # WHEN
    with pytest.raises(ServerError, match="the second server"), HalfStarted():
        pytest.fail("it must not start")

    # THEN
    assert not process.running


def test_ports_are_never_given_twice_and_lie_below_those_of_outgoing_connections() -> None:
    # WHEN
    ports = [free_port() for _ in range(200)]

    # THEN
    assert len(set(ports)) == 200
    assert max(ports) < 32768
    assert not listens(ports[0], host=LOOPBACK)
