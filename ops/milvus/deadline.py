"""Time-outs that bite: a call that hangs in a library cannot hold up the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class DeadlineError(Exception):
    """A step did not return in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class _Worker(threading.Thread, Generic[Result]):
    """Runs one call. A daemon: a hanging one must not keep the process alive."""

    def __init__(self, call: Callable[[], Result]) -> None:
        super().__init__(daemon=True, name="milvus-call")
        self._call = call
        self.done = threading.Event()
        self.result: list[Result] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the call and keep what comes of it."""
        try:
            self.result.append(self._call())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self.error = error
        finally:
            self.done.set()


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Return what ``call`` returns, or raise `DeadlineError` after ``seconds``.

    The time-outs of pymilvus count per request and begin anew with each of its retries, and waiting for an index
    ignores a fractional one; so the call runs in a thread that is abandoned when its time is up.
    """
    worker = _Worker(call)
    worker.start()
    # Waiting on an event, unlike joining, can be interrupted by Ctrl-C.
    if not worker.done.wait(seconds):
        raise DeadlineError(seconds)
    if worker.error is not None:
        raise worker.error
    return worker.result[0]
