"""What servers and simulators have in common: each starts completely or leaves nothing behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from types import TracebackType
from typing import Self


class Startable(ABC):
    """A context manager: entering starts something and waits for it, leaving ends it, also after a failed start."""

    _stack: ExitStack

    @abstractmethod
    def _start(self, stack: ExitStack) -> None:
        """Start, and push onto ``stack`` what ends it again."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
