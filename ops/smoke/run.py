"""Runs hello_milvus against a target and leaves nothing behind, whatever happens."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.errors import check_range
from ops.smoke.connection import open_client
from ops.smoke.deadline import within
from ops.smoke.diagnosis import explain
from ops.smoke.quiet import quiet
from ops.smoke.report import SmokeFailure, SmokeReport, StepResult
from ops.smoke.steps import Hello, make_rows
from ops.smoke.target import Target, parse_target

# A request's own time-out comes first: its error says more than the deadline around it.
_GRACE_SECONDS = 2
_CLEAN_UP_SECONDS = 15

Listener = Callable[[str, StepResult | None], None]
"""Called with a step's title when it starts, and again with its result when it is done."""


@dataclass
class _State:
    target: Target
    collection: str
    rows: int
    timeout: int
    connect_timeout: int
    listener: Listener
    client: Any = None
    version: str | None = None
    may_exist: bool = False
    steps: list[StepResult] = field(default_factory=list)
    hello: Hello | None = None
    current: str = "connect"


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
        OpsError: an argument is out of range.
    """
    check_range("--rows", rows, 100, 16384)
    check_range("--timeout", timeout, 1, 3600)
    check_range("--connect-timeout", connect_timeout, 1, 600)
    state = _State(
        target=target or parse_target(),
        collection=f"hello_milvus_{uuid.uuid4().hex[:12]}",
        rows=rows,
        timeout=timeout,
        connect_timeout=connect_timeout,
        listener=listener or (lambda _title, _result: None),
    )
    started = time.monotonic()
    failure: SmokeFailure | None = None
    with quiet(), _address(state.target) as uri:
        try:
            _run_steps(state, uri)
        except Exception as error:  # noqa: BLE001 - whatever a client library raises is this run's result
            seconds = state.connect_timeout if state.current == "connect" else state.timeout
            reason, remedy = explain(state.current, error, target=state.target, seconds=seconds)
            failure = SmokeFailure(step=state.current, reason=reason, remedy=remedy)
        except BaseException as interrupt:
            if _clean_up(state):
                interrupt.add_note(f"the collection {state.collection} may still exist: drop it by hand")
            raise
        left_behind = _clean_up(state)
    return SmokeReport(
        ok=failure is None and left_behind is None,
        target=str(state.target),
        server_version=state.version,
        collection=state.collection,
        rows=rows,
        index_type=state.hello.index_type if state.hello else None,
        seconds=round(time.monotonic() - started, 3),
        steps=tuple(state.steps),
        failure=failure,
        left_behind=left_behind,
    )


def _run_steps(state: _State, uri: str) -> None:
    _step(state, "connect", "start connecting to Milvus", lambda: _connect(state, uri), state.connect_timeout)
    hello = Hello(client=state.client, collection=state.collection, rows=make_rows(state.rows), timeout=state.timeout)
    state.hello = hello
    _step(state, "exists", "does the collection exist", hello.exists)
    state.may_exist = True
    _step(state, "create", f"create collection `{state.collection}`", hello.create)
    _step(state, "insert", f"start inserting {state.rows} entities", hello.insert)
    _step(state, "flush", "number of entities", hello.flush)
    _step(state, "index", "start creating index IVF_FLAT", hello.index)
    _step(state, "load", "start loading", hello.load)
    _step(state, "search", "start searching based on vector similarity", hello.search)
    _step(state, "query", "start querying with `random > 0.5`", hello.query)
    _step(state, "hybrid", "start hybrid searching with `random > 0.5`", hello.hybrid)
    _step(state, "delete", 'start deleting with expr `pk in ["0" , "1"]`', hello.delete)
    _step(state, "drop", f"drop collection `{state.collection}`", hello.drop)
    state.may_exist = False


def _step(state: _State, name: str, title: str, call: Callable[[], list[str]], seconds: int | None = None) -> None:
    state.current = name
    state.listener(title, None)
    started = time.monotonic()
    lines = within((seconds or state.timeout) + _GRACE_SECONDS, call)
    result = StepResult(name=name, title=title, lines=tuple(lines), seconds=round(time.monotonic() - started, 3))
    state.steps.append(result)
    state.listener(title, result)


def _connect(state: _State, uri: str) -> list[str]:
    state.client = open_client(state.target, timeout=state.connect_timeout, uri=uri)
    state.version = str(state.client.get_server_version(timeout=state.connect_timeout))
    return [f"connected to Milvus {state.version}"]


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
            from milvus_lite.server_manager import server_manager_instance  # noqa: PLC0415 - only here needed

            server_manager_instance.release_server(path)


def _clean_up(state: _State) -> str | None:
    """Drop the collection if it may exist, and return its name if that failed."""
    left_behind: str | None = None
    client = state.client
    if client is None:
        return None
    if state.may_exist:
        seconds = min(state.timeout, _CLEAN_UP_SECONDS)
        try:
            within(seconds + _GRACE_SECONDS, lambda: client.drop_collection(state.collection, timeout=seconds))
        except Exception:  # noqa: BLE001 - the report names the collection; the first failure is the one that matters
            left_behind = state.collection
    with contextlib.suppress(Exception):
        within(_GRACE_SECONDS, client.close)
    return left_behind
