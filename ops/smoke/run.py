"""Runs hello_milvus against a target and leaves nothing behind, whatever happens."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from ops.errors import check_range
from ops.milvus.connection import MilvusApi, open_client
from ops.milvus.deadline import within
from ops.milvus.diagnosis import explain
from ops.milvus.quiet import quiet
from ops.milvus.target import Target, parse_target
from ops.smoke.report import SmokeFailure, SmokeReport, StepResult
from ops.smoke.steps import Hello, make_rows

# A request's own time-out comes first: its error says more than the deadline around it.
_GRACE_SECONDS = 2
_CLEAN_UP_SECONDS = 15

Listener = Callable[[str, StepResult | None], None]
"""Called with a step's title when it starts, and again with its result when it is done."""


def run_smoke(
    *,
    target: Target | None = None,
    rows: int = 3000,
    timeout: int = 60,
    connect_timeout: int = 10,
    listener: Listener | None = None,
) -> SmokeReport:
    """Run hello_milvus and return what came of it; a failure is in the report, not raised.

    The collection is the run's own and is dropped at the end, also after a failure, a time-out or Ctrl-C (which is
    raised again afterwards).

    Args:
        target: Where to connect to, from `parse_target`; Milvus Lite in a temporary file if not given.
        rows: Entities to insert, 100 to 16,384 (the most that one query may return).
        timeout: Seconds that each step may take.
        connect_timeout: Seconds that connecting may take.
        listener: Hears of each step as it starts and ends.

    Raises:
        OpsError: An argument is out of range.
    """
    check_range("--rows", rows, 100, 16384)
    check_range("--timeout", timeout, 1, 3600)
    check_range("--connect-timeout", connect_timeout, 1, 600)
    run = _Run(
        target=target or parse_target(),
        rows=rows,
        timeout=timeout,
        connect_timeout=connect_timeout,
        listener=listener or (lambda _title, _result: None),
    )
    started = time.monotonic()
    failure: SmokeFailure | None = None
    with quiet(), _address(run.target) as uri:
        try:
            run.steps(uri)
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is this run's result
            failure = run.failure(error)
        except BaseException as interrupt:
            if run.clean_up():
                interrupt.add_note(f"the collection {run.collection} may still exist: drop it by hand")
            raise
        left_behind = run.clean_up()
    return SmokeReport(
        ok=failure is None and left_behind is None,
        target=str(run.target),
        server_version=run.version,
        collection=run.collection,
        rows=rows,
        index_type=run.hello.index_type if run.hello else None,
        seconds=round(time.monotonic() - started, 3),
        steps=tuple(run.done),
        failure=failure,
        left_behind=left_behind,
    )


class _Run:
    """One run: what it is at, what it has done, and what it may leave behind."""

    def __init__(self, *, target: Target, rows: int, timeout: int, connect_timeout: int, listener: Listener) -> None:
        self.target = target
        self.collection = f"hello_milvus_{uuid.uuid4().hex[:12]}"
        self.version: str | None = None
        self.hello: Hello | None = None
        self.done: list[StepResult] = []
        self._rows = rows
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._listener = listener
        self._client: MilvusApi = None
        self._current = "connect"
        self._may_exist = False

    def steps(self, uri: str) -> None:
        """Do one step after the other; the first that fails raises."""
        self._step("connect", "start connecting to Milvus", lambda: self._connect(uri), self._connect_timeout)
        hello = Hello(
            client=self._client, collection=self.collection, rows=make_rows(self._rows), timeout=self._timeout
        )
        self.hello = hello
        self._step("exists", "does the collection exist", hello.exists)
        self._may_exist = True
        self._step("create", f"create collection `{self.collection}`", hello.create)
        self._step("insert", f"start inserting {self._rows} entities", hello.insert)
        self._step("flush", "number of entities", hello.flush)
        self._step("index", "start creating index IVF_FLAT", hello.index)
        self._step("load", "start loading", hello.load)
        self._step("search", "start searching based on vector similarity", hello.search)
        self._step("query", "start querying with `random > 0.5`", hello.query)
        self._step("hybrid", "start hybrid searching with `random > 0.5`", hello.hybrid)
        self._step("delete", 'start deleting with expr `pk in ["0" , "1"]`', hello.delete)
        self._step("drop", f"drop collection `{self.collection}`", hello.drop)
        self._may_exist = False

    def failure(self, error: Exception) -> SmokeFailure:
        """Return why the current step failed, and what to do."""
        seconds = self._connect_timeout if self._current == "connect" else self._timeout
        reason, remedy = explain(self._current, error, target=self.target, seconds=seconds)
        return SmokeFailure(step=self._current, reason=reason, remedy=remedy)

    def clean_up(self) -> str | None:
        """Drop the collection if it may exist, and return its name if that failed."""
        left_behind: str | None = None
        client = self._client
        if client is None:
            return None
        if self._may_exist:
            seconds = min(self._timeout, _CLEAN_UP_SECONDS)
            try:
                within(seconds + _GRACE_SECONDS, lambda: client.drop_collection(self.collection, timeout=seconds))
            except Exception:  # noqa: BLE001 - the report names the collection; the first failure is what matters
                left_behind = self.collection
        with contextlib.suppress(Exception):
            within(_GRACE_SECONDS, client.close)
        return left_behind

    def _step(self, name: str, title: str, call: Callable[[], list[str]], seconds: int | None = None) -> None:
        self._current = name
        self._listener(title, None)
        started = time.monotonic()
        lines = within((seconds or self._timeout) + _GRACE_SECONDS, call)
        result = StepResult(name=name, title=title, lines=tuple(lines), seconds=round(time.monotonic() - started, 3))
        self.done.append(result)
        self._listener(title, result)

    def _connect(self, uri: str) -> list[str]:
        self._client = open_client(self.target, timeout=self._connect_timeout, uri=uri)
        self.version = str(self._client.get_server_version(timeout=self._connect_timeout))
        return [f"connected to Milvus {self.version}"]


@contextlib.contextmanager
def _address(target: Target) -> Iterator[str]:
    """Yield the address for pymilvus; Milvus Lite's server and temporary file end with it."""
    if not target.is_lite:
        yield str(target.uri)
        return
    with tempfile.TemporaryDirectory(prefix="milvus-smoke-") as folder:
        path = target.uri or str(Path(folder) / "smoke.db")
        try:
            yield path
        finally:
            # Where it is not installed, the connection has failed and said so.
            with contextlib.suppress(ModuleNotFoundError):
                from milvus_lite.server_manager import server_manager_instance  # noqa: PLC0415 - only here needed

                server_manager_instance.release_server(path)
