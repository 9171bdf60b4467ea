"""Which partitions go where: as few copies as possible, each within its zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Partition:
    """A partition and its brokers."""

    topic: str
    number: int
    brokers: tuple[int, ...]
    """Ids of the brokers that hold a copy; the first leads where it can."""


@dataclass(frozen=True)
class Move:
    """What becomes of a partition."""

    before: Partition
    brokers: tuple[int, ...]
    """Ids of the brokers that hold a copy afterwards; the first leads."""

    @property
    def copies(self) -> int:
        """Number of brokers that have to fetch the partition; 0 where another one only leads."""
        return len(set(self.brokers) - set(self.before.brokers))


def moves(partitions: Iterable[Partition], zones: Mapping[int, str]) -> tuple[Move, ...]:
    """Return what has to change until brokers of a zone differ by one copy at most, and hardly in what they lead.

    A copy stays in its zone: MSK puts brokers into each zone alike, so each zone balances by itself, and no partition
    comes to have two copies in one. What is balanced already moves nothing.

    Args:
        partitions: All partitions of the cluster.
        zones: Zone of each broker by its id; brokers without one share the empty name.
    """
    before = sorted(partitions)
    now = [list(partition.brokers) for partition in before]
    for zone in sorted(set(zones.values())):
        _spread(now, sorted(broker for broker in zones if zones[broker] == zone))
    _lead(now, sorted(zones))
    pairs = zip(before, map(tuple, now), strict=True)
    return tuple(
        Move(before=partition, brokers=brokers) for partition, brokers in pairs if brokers != partition.brokers
    )


def _spread(now: list[list[int]], brokers: list[int]) -> None:
    """Move copies from the fullest of some brokers to the emptiest until they differ by one at most."""
    held = Counter(broker for copies in now for broker in copies)
    while brokers:
        full, empty = max(brokers, key=lambda broker: held[broker]), min(brokers, key=lambda broker: held[broker])
        movable = [copies for copies in now if full in copies and empty not in copies]
        if held[full] - held[empty] < 2 or not movable:
            return
        copies = movable[0]
        copies[copies.index(full)] = empty
        held.update({full: -1, empty: 1})


def _lead(now: list[list[int]], brokers: list[int]) -> None:
    """Let other holders of a copy lead until nobody could hand over to one that leads two partitions fewer."""
    leads = Counter(copies[0] for copies in now if copies)
    busy = True
    while busy:
        busy = False
        for copies in now:
            idle = min(copies, key=lambda broker: (leads[broker], brokers.index(broker) if broker in brokers else -1))
            if leads[copies[0]] - leads[idle] >= 2:
                leads.update({copies[0]: -1, idle: 1})
                copies.remove(idle)
                copies.insert(0, idle)
                busy = True
