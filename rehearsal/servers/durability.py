"""Kills Milvus without warning while it is written to: what it acknowledged must be there, once."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pymilvus.exceptions import MilvusException

from rehearsal.servers.collection import Collection, connected
from rehearsal.servers.milvus import Milvus
from rehearsal.servers.process import ServerError

_BATCH = 50
_NAME = "durability"


@dataclass(frozen=True, kw_only=True)
class Round:
    """One kill: which components, after how many seconds of writing, with how many rows acknowledged so far.

    ``recovery_seconds`` pass until the collection answers queries again: mostly the time-out of the killed
    components' sessions in etcd.
    """

    killed: tuple[str, ...]
    after_seconds: float
    acknowledged: int
    recovery_seconds: float


@dataclass(kw_only=True)
class DurabilityResult:
    """What was acknowledged and what was found.

    Attributes:
        acknowledged: keys whose insert was confirmed.
        uncertain: keys whose insert was interrupted: they may or may not be stored, but not twice.
        missing: acknowledged keys that were not found.
        stored: rows stored, the same key counted as often as it is there.
        found: different keys stored.
    """

    rounds: list[Round] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    uncertain: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    stored: int = 0
    found: int = 0

    @property
    def ok(self) -> bool:
        """Every acknowledged row is there, and none twice."""
        return bool(self.acknowledged) and not self.missing and self.stored == self.found

    def __str__(self) -> str:
        killed = "; ".join(
            f"{', '.join(r.killed)} after {r.after_seconds:.1f} s, back in {r.recovery_seconds:.0f} s"
            for r in self.rounds
        )
        return (
            f"{len(self.acknowledged)} rows acknowledged, {len(self.missing)} of them missing, {self.stored} stored, "
            f"{self.stored - self.found} twice, {len(self.uncertain)} not acknowledged; killed: {killed}"
        )


class _Writer(threading.Thread):
    """Inserts batches of new keys until told to end or until Milvus is gone."""

    def __init__(self, collection: Collection, *, first: int) -> None:
        super().__init__(name="durability-writer", daemon=True)
        self._collection = collection
        self.next = first
        self.acknowledged: set[int] = set()
        self.uncertain: set[int] = set()
        self.ended = threading.Event()

    def run(self) -> None:
        """Write; a key is used once, so an interrupted insert is not repeated."""
        while not self.ended.is_set():
            keys = range(self.next, self.next + _BATCH)
            self.next += _BATCH
            try:
                self._collection.insert(keys, seconds=10)
            except Exception:  # noqa: BLE001 - pymilvus and gRPC raise what they like when the server is gone
                self.uncertain |= set(keys)
                return
            self.acknowledged |= set(keys)


def durability(milvus: Milvus, *, token: str = "", rounds: int = 5, seed: int | None = None) -> DurabilityResult:
    """Insert, kill, start again, ``rounds`` times; then compare what is stored with what was acknowledged.

    Odd rounds kill all processes at once, even rounds one component that writing passes through.
    ``seed`` repeats the moments of another run; ``ServerError`` when Milvus does not come back.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    result = DurabilityResult()
    with connected(milvus.uri, token=token) as client:
        Collection(client, _NAME).create()
    first = 0
    for number in range(rounds):
        killed = tuple(milvus.processes) if number % 2 == 0 else (chance.choice(("proxy", "datanode", "querynode")),)
        after = chance.uniform(0.3, 4)
        with connected(milvus.uri, token=token) as client:
            writer = _Writer(Collection(client, _NAME), first=first)
            writer.start()
            time.sleep(after)
            milvus.kill(*killed)
            writer.ended.set()
            writer.join(30)
        first = writer.next
        result.acknowledged |= writer.acknowledged
        result.uncertain |= writer.uncertain
        recovery = _start_again(milvus, killed, token=token)
        result.rounds.append(
            Round(
                killed=killed,
                after_seconds=after,
                acknowledged=len(result.acknowledged),
                recovery_seconds=recovery,
            )
        )
    with connected(milvus.uri, token=token, seconds=60) as client:
        collection = Collection(client, _NAME, seconds=60)
        found = collection.keys(first)
        result.found, result.stored = len(found), collection.count()
        result.missing = result.acknowledged - found
    return result


def _start_again(milvus: Milvus, killed: tuple[str, ...], *, token: str) -> float:
    """Start what was killed; the seconds until the collection answers again."""
    started = time.monotonic()
    milvus.start(*killed)
    milvus.wait(*killed)
    _wait_until_loaded(milvus, token=token)
    return time.monotonic() - started


def _wait_until_loaded(milvus: Milvus, *, token: str, seconds: float = 120) -> None:
    """Wait until the collection answers queries again: its segments move to the new query node."""
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            with connected(milvus.uri, token=token) as client:
                _read(client)
        except Exception as error:  # noqa: BLE001 - pymilvus and gRPC raise what they like while it starts
            last = error
            time.sleep(0.5)
        else:
            return
    reason = last.message if isinstance(last, MilvusException) else str(last)
    raise ServerError(f"Milvus did not answer queries {seconds:.0f} s after it was started again: {reason}")


def _read(client: Any) -> None:  # noqa: ANN401 - pymilvus ships no types
    Collection(client, _NAME, seconds=10).count()
