"""In-memory records of resources for which the emulator has no service."""

from __future__ import annotations

import threading
from typing import Any


class Store:
    """A mapping that the server's worker threads share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = {}

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Add or replaces an entry."""
        with self._lock:
            self._entries[key] = value

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the entry, or None."""
        with self._lock:
            return self._entries.get(key)

    def drop(self, key: str) -> None:
        """Remove an entry; one that is gone already is no error."""
        with self._lock:
            self._entries.pop(key, None)

    def keys(self) -> list[str]:
        """All keys, in the order in which they were added."""
        with self._lock:
            return list(self._entries)
