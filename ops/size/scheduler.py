"""Whether pods start on nodes in whatever order they come: what fits can still stay Pending."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_TINY = 1e-6


@dataclass(frozen=True)
class Pod:
    """A pod as the scheduler sees it."""

    component: str
    cpu: float
    memory: float
    group: str | None
    """The node group that it is bound to; None: any untainted one."""
    one_zone_more_at_most: bool = False
    """Whether its zones may not differ by more than one (etcd)."""


@dataclass
class Node:
    """A node with the room that is left."""

    group: str
    zone: int
    cpu: float
    memory: float
    tainted: bool = False
    held: Counter[str] = field(default_factory=Counter)

    def takes(self, pod: Pod) -> bool:
        """Return whether the pod may run here and has room."""
        bound = pod.group == self.group or (pod.group is None and not self.tainted)
        return bound and pod.cpu <= self.cpu + _TINY and pod.memory <= self.memory + _TINY


def pending(pods: Iterable[Pod], nodes: Sequence[Node]) -> list[Pod]:
    """Place pods in this order, each where its like are fewest and most is free; return those that find no room.

    That is what the scheduler of Kubernetes does by default, but for the weights of its scores.
    """
    left = []
    for pod in pods:
        zones = Counter({node.zone: 0 for node in nodes if pod.group in {None, node.group}})
        for node in nodes:
            zones[node.zone] += node.held[pod.component]
        fewest = min(zones.values(), default=0)
        able = [
            node for node in nodes if node.takes(pod) and not (pod.one_zone_more_at_most and zones[node.zone] > fewest)
        ]
        if not able:
            left.append(pod)
            continue
        best = min(able, key=lambda node: (zones[node.zone], node.held[pod.component], -node.memory, -node.cpu))
        best.cpu -= pod.cpu
        best.memory -= pod.memory
        best.held[pod.component] += 1
    return left


def orders(pods: Sequence[Pod], *, number: int, seed: int) -> Iterable[list[Pod]]:
    """Yield orders of creation: the smallest first, then random ones, always the same for a seed."""
    yield sorted(pods, key=lambda pod: (pod.memory, pod.cpu))
    mixed = random.Random(seed)  # noqa: S311 - orders to try, no secret
    for _ in range(number - 1):
        yield mixed.sample(pods, len(pods))
