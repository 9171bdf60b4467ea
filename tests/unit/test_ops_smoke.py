from __future__ import annotations

import contextlib
import io
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.errors import OpsError
from ops.milvus import parse_target
from ops.milvus.deadline import DeadlineError, within
from ops.smoke import SmokeReport, StepResult, run_smoke
from ops.smoke import run as run_module
from tests.unit.ops_milvus_double import FakeMilvus, fail, hang


@pytest.fixture
def milvus(monkeypatch: pytest.MonkeyPatch) -> FakeMilvus:
    monkeypatch.delenv("MILVUS_TOKEN", raising=False)
    fake = FakeMilvus()
    monkeypatch.setattr("pymilvus.MilvusClient", lambda **_: fake)
    return fake


def smoke(**more: Any) -> SmokeReport:
    return run_smoke(target=parse_target(uri="http://milvus.test:19530", token="root:s3cret"), rows=300, **more)


def test_every_step_of_hello_milvus_runs_in_order(milvus: FakeMilvus) -> None:
    heard: list[tuple[str, StepResult | None]] = []

    report = smoke(listener=lambda title, result: heard.append((title, result)))

    assert report.ok
    assert report.failure is None
    assert report.index_type == "IVF_FLAT"
    assert report.server_version == "v9"
    names = [step.name for step in report.steps]
    order = "connect exists create insert flush index load search query hybrid delete drop"
    assert names == order.split()
    lines = [line for step in report.steps for line in step.lines]
    assert f"Does collection {report.collection} exist in Milvus: False" in lines
    assert "Number of entities in Milvus: 300" in lines
    assert len(heard) == 2 * len(names)
    assert milvus.dropped == [report.collection]
    assert milvus.closed


def test_collection_names_are_never_the_same(milvus: FakeMilvus) -> None:
    assert smoke().collection != smoke().collection
    assert len(milvus.dropped) == 2


@pytest.mark.parametrize(
    ("method", "answer", "step", "reason"),
    [
        ("has_collection", lambda _: True, "exists", "is there already"),
        ("has_collection", lambda _: False, "create", "is not there after it was created"),
        ("insert", lambda _: {"insert_count": 299}, "insert", "inserted 300 entities, Milvus took 299"),
        ("get_collection_stats", lambda _: {"row_count": 0}, "flush", "inserted 300 entities, Milvus counts 0"),
        (
            "describe_index",
            lambda _: {"index_type": "FLAT"},
            "index",
            "asked for the index IVF_FLAT, Milvus reports FLAT",
        ),
        (
            "describe_index",
            lambda _: {"index_type": "IVF_FLAT", "state": "Failed", "index_state_fail_reason": "no node"},
            "index",
            "the index is Failed, not Finished: no node",
        ),
        ("count", lambda _: [{"count(*)": 7}], "load", "must hold 300 entities, a query counts 7"),
        ("search", lambda hits: hits[:2], "search", "a search for 3 neighbours of entity 299 found 2"),
        ("search", lambda hits: hits[::-1], "search", "a search for the vector of entity 299 found entity"),
        (
            "search",
            lambda hits: [{**hit, "distance": 0.5} for hit in hits],
            "search",
            "a search for the vector of entity 299 found entity 299 at distance 0.5 first",
        ),
        ("query", lambda rows: rows[1:], "query", "1 of them wrong or missing"),
        ("query", lambda rows: [*rows, rows[0]], "query", "0 of them wrong or missing"),
        ("filtered_search", lambda hits: hits[1:], "hybrid", "a filtered search for 3 neighbours found 2"),
        (
            "filtered_search",
            lambda hits: [{**hit, "entity": {"random": 0.25}} for hit in hits],
            "hybrid",
            "with random 0.25",
        ),
        (
            "filtered_search",
            lambda hits: [{**hit, "pk": "x"} for hit in hits],
            "hybrid",
            "a search with random > 0.5 missed entity",
        ),
        ("query_deleted", lambda _: [], "delete", "a query for the 2 entities to delete returned 0"),
        ("delete", lambda _: None, "delete", "2 entities were deleted, a query still returns 2 of them"),
    ],
)
def test_wrong_answer_fails_the_step_and_the_collection_is_dropped(
    milvus: FakeMilvus, method: str, answer: Callable[[Any], Any], step: str, reason: str
) -> None:
    # GIVEN a Milvus that answers wrongly in one place
    if step == "create":
        answers = iter([False, False])
        milvus.wrong[method] = lambda _: next(answers)
    else:
        milvus.wrong[method] = answer

    report = smoke()

    # THEN the run fails there, says why, and leaves nothing behind
    assert not report.ok
    assert report.failure is not None
    assert report.failure.step == step
    assert reason in report.failure.reason
    assert report.failure.remedy
    assert report.left_behind is None
    assert not milvus.collections


def test_deleted_rows_that_are_still_counted_are_found_out(milvus: FakeMilvus) -> None:
    # GIVEN a Milvus whose count is right after loading, and does not follow the deletion
    milvus.wrong["count"] = lambda _: [{"count(*)": 300}]

    report = smoke()

    assert report.failure is not None
    assert (report.failure.step, report.failure.reason) == (
        "delete",
        "the collection must hold 298 entities, a query counts 300",
    )


def test_deleted_row_in_a_search_is_found_out(milvus: FakeMilvus) -> None:
    # GIVEN a query node that has not seen the deletion
    real = milvus.search

    def stale(name: str, **more: Any) -> Any:
        answer = real(name, **more)
        if "0" not in milvus.collections[name]:
            answer[0][0] = {**answer[0][0], "pk": "0"}
        return answer

    milvus.search = stale  # type: ignore[method-assign]  # a double is bent

    report = smoke()

    assert report.failure is not None
    assert report.failure.reason == "entity 0 was deleted, a search still returns it"


def test_collection_that_is_not_dropped_is_found_out(milvus: FakeMilvus) -> None:
    milvus.drop_collection = lambda *_, **__: None  # type: ignore[method-assign]  # a double is bent

    report = smoke()

    assert report.failure is not None
    assert "is still there after it was dropped" in report.failure.reason


@pytest.mark.parametrize("supported", [("AUTOINDEX",), ("FLAT",)])
def test_target_without_ivf_flat_gets_its_own_index_and_that_is_said(
    milvus: FakeMilvus, supported: tuple[str, ...]
) -> None:
    milvus.supported = supported

    report = smoke()

    assert report.ok
    assert report.index_type == supported[0]
    said = next(step for step in report.steps if step.name == "index").lines
    assert said[0] == "IVF_FLAT is not supported by this target: trying AUTOINDEX"
    assert said[-1] == f"index in use: {supported[0]}"


def test_target_without_any_index_fails(milvus: FakeMilvus) -> None:
    milvus.supported = ()

    failure = smoke().failure

    assert failure is not None
    assert (failure.step, failure.reason) == ("index", "invalid index type: FLAT")


@pytest.mark.parametrize(
    ("method", "step", "remedy"),
    [
        (
            "create_collection",
            "create",
            "broker credentials, the brokers' certificate, their auto.create.topics.enable, etcd",
        ),
        ("insert", "insert", "cannot write: check broker credentials and the brokers' message.max.bytes in kubectl"),
        ("flush", "flush", "check the role of the service account milvus-s3-access-sa"),
        ("create_index", "index", "Milvus cannot build the index"),
        ("load_collection", "load", "the query nodes cannot load: check their memory"),
        ("search", "search", "the query nodes do not answer"),
    ],
)
def test_failure_says_which_part_of_milvus_to_look_at(milvus: FakeMilvus, method: str, step: str, remedy: str) -> None:
    milvus.wrong[method] = fail("no luck\nwith   root:s3cret and s3cret")

    report = smoke()

    assert report.failure is not None
    assert (report.failure.step, report.failure.reason) == (step, "no luck with *** and ***")
    assert remedy in report.failure.remedy
    assert not milvus.collections


def test_hanging_insert_is_ended_by_its_time_out(milvus: FakeMilvus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_GRACE_SECONDS", 0.1)
    milvus.wrong["insert"] = hang
    started = time.monotonic()

    report = smoke(timeout=1)

    assert report.failure is not None
    assert report.failure.reason == "no answer within 1 s"
    assert report.failure.remedy.startswith("Milvus is up but cannot write: check broker credentials")
    assert not milvus.collections
    assert time.monotonic() - started < 10


def test_collection_that_could_not_be_dropped_is_named(milvus: FakeMilvus) -> None:
    milvus.wrong["insert"] = milvus.wrong["drop_collection"] = fail("gone")

    report = smoke()

    assert report.left_behind == report.collection
    assert not report.ok


@pytest.mark.parametrize("drop_fails", [False, True])
def test_interrupted_run_drops_its_collection_and_is_raised(milvus: FakeMilvus, drop_fails: bool) -> None:
    # GIVEN Ctrl-C while Milvus inserts
    def interrupt(title: str, _result: StepResult | None) -> None:
        if "inserting" in title:
            raise KeyboardInterrupt

    if drop_fails:
        milvus.wrong["drop_collection"] = fail("gone")

    with pytest.raises(KeyboardInterrupt) as raised:
        smoke(listener=interrupt)

    # THEN nothing is left, or it is named
    assert bool(milvus.collections) is drop_fails
    notes = getattr(raised.value, "__notes__", [])
    assert [("may still exist" in text) for text in notes] == ([True] if drop_fails else [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"rows": 99}, "--rows: got 99, allowed is 100 to 16384"),
        ({"rows": 16385}, "--rows: got 16385"),
        ({"timeout": 0}, "--timeout: got 0, allowed is 1 to 3600"),
        ({"connect_timeout": 601}, "--connect-timeout: got 601, allowed is 1 to 600"),
    ],
)
def test_argument_out_of_range_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(OpsError, match=says):
        run_smoke(**arguments)


def test_deadline_hands_on_results_and_errors() -> None:
    assert within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)
    with pytest.raises(DeadlineError, match=r"no answer within 0\.05 s"):
        within(0.05, lambda: time.sleep(1))


def test_sigterm_of_a_cancelled_build_cleans_up(milvus: FakeMilvus) -> None:
    milvus.wrong["insert"] = lambda _: signal.raise_signal(signal.SIGTERM)  # in the worker, handled by the main thread

    result = CliRunner().invoke(app, ["smoke", "--uri", "milvus.test", "--rows", "100"])

    assert result.exit_code == 130
    assert "interrupted" in result.stderr
    assert not milvus.collections


def test_command_prints_the_lines_of_hello_milvus(milvus: FakeMilvus) -> None:
    result = CliRunner().invoke(app, ["smoke", "--uri", "milvus.test", "--rows", "100"])

    assert result.exit_code == 0
    for text in (
        "=== start connecting to Milvus",
        "exist in Milvus: False",
        "=== start inserting 100 entities",
        "Number of entities in Milvus: 100",
        "=== start creating index IVF_FLAT",
        "=== start loading",
        "=== start searching based on vector similarity",
        "hit: id: ",
        "=== start querying with `random > 0.5`",
        "=== start hybrid searching with `random > 0.5`",
        "=== start deleting with expr",
        "=== drop collection `hello_milvus_",
        "passed 12 steps in",
        "on http://milvus.test:19530, Milvus v9, index IVF_FLAT",
    ):
        assert text in result.stdout
    assert not result.stderr
    assert milvus.dropped


def test_results_go_to_standard_output_while_a_spinner_turns(
    milvus: FakeMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN standard error on a terminal and standard output in a file
    terminal, file = io.StringIO(), io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setenv("TERM", "xterm")

    app(["smoke", "--uri", "milvus.test", "--rows", "100"], standalone_mode=False)

    assert file.getvalue().count("===") == 24
    assert "===" not in terminal.getvalue()
    assert "start inserting 100 entities …" in terminal.getvalue()
    assert len(milvus.dropped) == 1


def test_command_fails_with_one_line_of_reason(milvus: FakeMilvus) -> None:
    milvus.wrong["flush"] = milvus.wrong["drop_collection"] = fail("no such bucket")

    result = CliRunner().invoke(app, ["smoke", "--uri", "milvus.test", "--rows", "100"])

    assert result.exit_code == 1
    assert "error smoke failed at flush: no such bucket" in result.stderr
    assert "do Milvus cannot write to its bucket" in result.stderr
    assert "may still exist: drop it when Milvus answers again" in result.stderr


@pytest.mark.parametrize("ok", [True, False])
def test_json_report_has_timings_and_no_token(milvus: FakeMilvus, ok: bool) -> None:
    if not ok:
        milvus.wrong["insert"] = fail("root:s3cret is bad")

    result = CliRunner().invoke(
        app, ["smoke", "--uri", "milvus.test", "--rows", "100", "--json"], env={"MILVUS_TOKEN": "root:s3cret"}
    )

    report = json.loads(result.stdout)
    assert result.exit_code == (0 if ok else 1)
    assert report["ok"] is ok
    assert all(step["seconds"] >= 0 for step in report["steps"])
    assert (report["failure"] is None) is ok
    assert "s3cret" not in result.output


class Listener:
    """A TCP server on loopback that accepts, and says what it is told to."""

    def __init__(self, says: bytes = b"") -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._says = says
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        # Connections stay open until the end: a client that sees one close would not have to wait.
        with contextlib.ExitStack() as kept:
            while not self._stopped.is_set():
                connection, _ = self.socket.accept()
                kept.enter_context(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(self._says)

    def close(self) -> None:
        self._stopped.set()
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            socket.create_connection(self.socket.getsockname(), timeout=1).close()
        self._thread.join(timeout=5)
        self.socket.close()


def test_nothing_listening_is_said() -> None:
    silent = Listener()
    silent.close()

    failure = run_smoke(target=parse_target(uri=f"http://127.0.0.1:{silent.port}"), connect_timeout=2).failure

    assert failure is not None
    assert failure.reason == f"127.0.0.1:{silent.port} cannot be reached: connection refused"
    assert "port-forward" in failure.remedy


def test_port_that_does_not_answer_is_no_milvus() -> None:
    # GIVEN something that accepts connections and stays silent
    silent = Listener()

    failure = run_smoke(target=parse_target(uri=f"http://127.0.0.1:{silent.port}"), connect_timeout=1).failure
    silent.close()

    # THEN an open port is not taken for a Milvus
    assert failure is not None
    assert failure.reason == (
        f"127.0.0.1:{silent.port} accepts connections, but Milvus does not answer there: no answer within 1 s"
    )


def test_http_port_is_recognised() -> None:
    web = Listener(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    failure = run_smoke(target=parse_target(uri=f"http://127.0.0.1:{web.port}"), connect_timeout=3).failure
    web.close()

    assert failure is not None
    assert failure.reason == f"127.0.0.1:{web.port} is not Milvus's gRPC port"
    assert failure.remedy == "Use port 19530"


def test_missing_milvus_lite_is_a_failed_connection_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN what a build installs that only looks at a deployment
    for name in ("milvus_lite", "milvus_lite.server_manager"):
        monkeypatch.setitem(sys.modules, name, None)

    report = run_smoke(target=parse_target(), rows=300)

    # THEN the report says what to do
    assert report.failure is not None
    assert report.failure.step == "connect"
    assert "Check that milvus-lite is installed" in str(report.failure)
