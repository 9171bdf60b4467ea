"""Moves partitions some at a time, so that it may end at any moment and be started again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ops.rebalance.kafka import Brokers
from ops.rebalance.plan import Move

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many partitions are moved, and of how many."""
_LOOK_SECONDS = 1.0


def rebalance(
    brokers: Brokers, planned: Sequence[Move], *, mib_per_second: int, at_once: int, progress: Progress
) -> None:
    """Do what was planned, and let the first broker of each partition lead it.

    A run that ends half-way leaves partitions where they are or on their way, which Kafka finishes by itself; the next
    run waits for those and plans the rest. The throttle of a run that was killed is taken away by the next.

    Args:
        brokers: Of the cluster.
        planned: What `moves` says; nothing at all takes a throttle away that was left.
        mib_per_second: What each broker may send or fetch for it.
        at_once: How many partitions move at the same time.
        progress: Called after each batch.

    Raises:
        OpsError: Kafka refuses.
    """
    with brokers.throttled(mib_per_second, {partition.topic for partition in brokers.partitions()}):
        _settled(brokers)
        for first in range(0, len(planned), at_once):
            batch = planned[first : first + at_once]
            brokers.move({(move.before.topic, move.before.number): move.brokers for move in batch})
            _settled(brokers)
            progress(first + len(batch), len(planned))
    brokers.elect()


def _settled(brokers: Brokers) -> None:
    while brokers.moving():
        time.sleep(_LOOK_SECONDS)
