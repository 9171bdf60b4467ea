"""The fewest nodes of one kind that hold pods: an integer program over the patterns of pods that a node can have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TINY = 1e-9


@dataclass(frozen=True)
class Item:
    """Pods of one size, how many of them, and how many of them a node takes at most."""

    cpu: float
    memory: float
    count: int
    most_on_a_node: int = 1_000


Pattern = tuple[int, ...]


def patterns(items: Sequence[Item], cpu: float, memory: float) -> list[Pattern]:
    """Return the maximal patterns: how many pods of each item fit on one node together, and not one more."""
    return [each for each in _patterns(items, cpu, memory) if not _room_for_more(each, items, cpu, memory)]


def _patterns(items: Sequence[Item], cpu: float, memory: float) -> Iterator[Pattern]:
    if not items:
        yield ()
        return
    first, *others = items
    for number in range(min(first.count, first.most_on_a_node) + 1):
        left = (cpu - number * first.cpu, memory - number * first.memory)
        if min(left) < -_TINY:
            return
        for rest in _patterns(others, *left):
            yield (number, *rest)


def _room_for_more(pattern: Pattern, items: Sequence[Item], cpu: float, memory: float) -> bool:
    cpu -= sum(number * item.cpu for number, item in zip(pattern, items, strict=True))
    memory -= sum(number * item.memory for number, item in zip(pattern, items, strict=True))
    return any(
        number < min(item.count, item.most_on_a_node) and item.cpu <= cpu + _TINY and item.memory <= memory + _TINY
        for number, item in zip(pattern, items, strict=True)
    )


def at_least(items: Sequence[Item], cpu: float, memory: float) -> int | None:
    """Return a number of nodes below which the pods cannot fit; None if one fits on no node."""
    if any(item.cpu > cpu + _TINY or item.memory > memory + _TINY for item in items):
        return None
    return max(
        math.ceil(sum(item.cpu * item.count for item in items) / cpu - _TINY),
        math.ceil(sum(item.memory * item.count for item in items) / memory - _TINY),
        *(-(-item.count // item.most_on_a_node) for item in items),
    )


def fewest(items: Sequence[Item], cpu: float, memory: float) -> int:
    """Return the fewest nodes that hold all of the pods, each of which fits on one."""
    bound = at_least(items, cpu, memory) or 0
    simple = _first_fit(items, cpu, memory)
    if simple == bound:
        return bound
    from ops.size.solver import fewest_nodes  # noqa: PLC0415 - half a second that most sizes do not need

    return fewest_nodes(patterns(items, cpu, memory), [item.count for item in items])


def _first_fit(items: Sequence[Item], cpu: float, memory: float) -> int:
    nodes: list[tuple[float, float, dict[Item, int]]] = []
    for item in sorted(items, key=lambda each: -max(each.cpu / cpu, each.memory / memory)):
        for _ in range(item.count):
            for number, (free_cpu, free_memory, held) in enumerate(nodes):
                fits = item.cpu <= free_cpu + _TINY and item.memory <= free_memory + _TINY
                if fits and held.get(item, 0) < item.most_on_a_node:
                    held[item] = held.get(item, 0) + 1
                    nodes[number] = (free_cpu - item.cpu, free_memory - item.memory, held)
                    break
            else:
                nodes.append((cpu - item.cpu, memory - item.memory, {item: 1}))
    return len(nodes)
