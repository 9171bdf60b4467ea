"""The cheapest node groups that hold a workload's pods, and start them in whatever order they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

from ops.errors import ExitCode, OpsError
from ops.size.components import ZONES, Pods, fewest_query_pods, other_pods, query_pods
from ops.size.indexes import GIB, INDEXES
from ops.size.packing import Item, at_least, fewest
from ops.size.prices import Priced
from ops.size.scheduler import Node, Pod, orders, pending
from ops.size.workload import Workload
from settings.cluster import MOST_NODES
from settings.disks import IMAGES_GIB, allocatable_disk_gib, disk_for, nvme_gib
from settings.room import ADDONS, DAEMONS

QUERY = "query"
DISK_GIB = 80
"""The least root volume of a node."""

_MOST_QUERY_PODS_ON_A_NODE = 4
# What milvus.components.query_node.replicas takes.
_MOST_QUERY_PODS = 200
_SMALLER = ("IVF_SQ8", "IVF_RABITQ", "DISKANN")
_ORDERS = 120
_SEED = 20261127
# What the add-ons may take of any untainted node: one of each, of the two that there are over three zones.
_ADDONS = (sum(pod.cpu for pod in ADDONS) / 2, sum(pod.memory_gib for pod in ADDONS) / 2)


@dataclass(frozen=True)
class Group:
    """A node group with one instance type, and the components that are bound to it."""

    name: str
    priced: Priced
    nodes: int
    pods: tuple[Pods, ...]
    disk_gib: int
    tainted: bool = False

    @property
    def hourly(self) -> float:
        """Return what its nodes cost an hour, with their root volumes, USD."""
        return self.nodes * self.priced.with_volume(self.disk_gib)

    @property
    def local_storage(self) -> bool:
        """Return whether the instances' own disks hold what the pods write."""
        return self.priced.kind.nvme_gb > 0

    @property
    def room(self) -> tuple[float, float]:
        """Return the cores and GiB that a node has for pods beside the daemons."""
        return room(self.priced)


def room(priced: Priced) -> tuple[float, float]:
    """Return the cores and GiB that an empty node of a type has for pods."""
    kind = priced.kind
    return kind.allocatable_cpu - DAEMONS.cpu, kind.allocatable_memory_gib - DAEMONS.memory_gib


def query_group(work: Workload, types: Sequence[Priced]) -> Group:
    """Return the cheapest group for the query nodes alone, all pods of one size.

    Raises:
        OpsError: No type holds them on the nodes that a group may have.
    """
    found = [group for priced in types for group in _query_groups(work, priced)]
    if not found:
        raise _too_large(work, types)
    return min(found, key=lambda group: (group.hourly, group.nodes, group.priced.kind.name))


def _query_groups(work: Workload, priced: Priced) -> Iterator[Group]:
    _, memory = room(priced)
    for on_a_node in range(1, _MOST_QUERY_PODS_ON_A_NODE + 1):
        least = max(1 if work.survive == "none" else 2, fewest_query_pods(work, memory / on_a_node))
        for replicas in range(least, MOST_NODES * on_a_node + 1):
            nodes = _nodes_for(work, replicas, on_a_node)
            if nodes > MOST_NODES or replicas > _MOST_QUERY_PODS:
                break
            pods = query_pods(work, replicas, on_a_node=on_a_node)
            if pods and _fit(pods, on_a_node, priced):
                volume = DISK_GIB if priced.kind.nvme_gb else root_volume_gib(on_a_node * pods.disk_gib)
                yield Group(QUERY, priced, nodes, (pods,), volume, tainted=True)
                # More pods need at least as many nodes.
                break


def _fit(pods: Pods, on_a_node: int, priced: Priced) -> bool:
    cpu, memory = room(priced)
    disk = allocatable_disk_gib(nvme_gib(priced.kind)) - IMAGES_GIB if priced.kind.nvme_gb else math.inf
    return pods.cpu * on_a_node <= cpu and pods.memory_gib * on_a_node <= memory and pods.disk_gib * on_a_node <= disk


def root_volume_gib(pods_gib: float) -> int:
    """Return the root volume of a node whose pods may write so many GiB."""
    return max(DISK_GIB, math.ceil(disk_for(pods_gib)))


def _nodes_for(work: Workload, replicas: int, on_a_node: int) -> int:
    if work.survive == "none":
        return math.ceil(replicas / on_a_node)
    return ZONES * math.ceil(math.ceil(replicas / ZONES) / on_a_node)


def other_groups(
    pods: Sequence[Pods],
    types: Sequence[Priced],
    *,
    each_zone: bool,
    enough: Callable[[Group], Group],
) -> list[Group]:
    """Return the cheapest one or two groups for the other components, each bound to one of them.

    Args:
        pods: The components.
        types: Instance types that may be taken.
        each_zone: Whether every zone has to have room for its share of each component, rounded up.
        enough: Gives a group that holds its pods the nodes that it needs besides.

    Raises:
        OpsError: A pod fits on no type.
    """

    @cache
    def cheapest(some: tuple[Pods, ...], enough: Callable[[Group], Group]) -> Group | None:
        return _cheapest(some, types, each_zone=each_zone, enough=enough)

    def groups(parts: Sequence[tuple[Pods, ...]], enough: Callable[[Group], Group]) -> list[Group]:
        found = [cheapest(part, enough) for part in parts]
        return [group for group in found if group] if all(found) else []

    # What holds the pods costs no more than what starts them too: the cheapest come first, and few are tried.
    candidates = sorted(
        ((groups(parts, _as_it_is), parts) for parts in _splits(pods)), key=lambda each: _order(each[0])
    )
    best: list[Group] = []
    for holding, parts in candidates:
        if holding and (not best or _order(holding) < _order(best)):
            found = groups(parts, enough)
            best = found if not best or _order(found) < _order(best) else best
    if not best:
        raise OpsError(
            "no instance type holds one pod of each of " + ", ".join(sorted(each.name for each in pods)),
            remedy="Give a lower --generation",
            code=ExitCode.USAGE,
        )
    names = ("general", "workers") if len(best) > 1 else ("general",)
    return [replace(group, name=name) for name, group in zip(names, best, strict=True)]


def _splits(pods: Sequence[Pods]) -> Iterator[list[tuple[Pods, ...]]]:
    """Yield every way to part the components into one or two groups."""
    first, *others = pods
    for number in range(len(others) + 1):
        for chosen in combinations(others, number):
            rest = tuple(each for each in others if each not in chosen)
            yield [(first, *chosen), rest] if rest else [(first, *chosen)]


def _order(groups: Sequence[Group]) -> tuple[float, int, int]:
    """Return what is compared: cost, and at the same cost fewer groups, then fewer nodes."""
    return (round(sum(group.hourly for group in groups), 9), len(groups), sum(group.nodes for group in groups))


def _as_it_is(group: Group) -> Group:
    return group


def _cheapest(
    pods: tuple[Pods, ...], types: Sequence[Priced], *, each_zone: bool, enough: Callable[[Group], Group]
) -> Group | None:
    zones = ZONES if each_zone else 1
    # Without room in each zone, etcd's members still spread over three, which are as many nodes.
    least = ZONES if not each_zone and any(each.name == "etcd" for each in pods) else 1
    items = [
        Item(each.cpu, each.memory_gib, math.ceil(each.replicas / zones), 1 if each.name == "etcd" else 1_000)
        for each in pods
    ]
    bounds = []
    for priced in types:
        cpu, memory = (left - taken for left, taken in zip(room(priced), _ADDONS, strict=True))
        bound = at_least(items, cpu, memory)
        if bound is not None:
            # Whichever pods a node gets, they write no more than all of them, or the most for their memory.
            most = max(each.disk_gib / each.memory_gib for each in pods) * memory
            volume = root_volume_gib(min(most, sum(each.replicas * each.disk_gib for each in pods)))
            group = Group("", priced, zones * max(least, bound), pods, volume)
            bounds.append((group.hourly, priced.kind.name, group, cpu, memory))
    best: Group | None = None
    for hourly, _, group, cpu, memory in sorted(bounds, key=lambda each: each[:2]):
        if best and hourly >= best.hourly:
            break
        full = replace(group, nodes=zones * max(least, fewest(items, cpu, memory)))
        if full.nodes <= MOST_NODES and (best is None or full.hourly < best.hourly):
            full = enough(full)
            best = full if best is None or full.hourly < best.hourly else best
    return best


def started(group: Group) -> Group:
    """Return a group with as many nodes more as it takes to start all its pods in each order that is tried."""
    pods = pods_of([group])
    while any(pending(order, nodes_of([group])) for order in orders(pods, number=_ORDERS, seed=_SEED)):
        group = replace(group, nodes=group.nodes + 1)
    return group


def pods_of(groups: Sequence[Group]) -> list[Pod]:
    """Return every pod that starts on the groups' nodes, the add-ons of EKS among them."""
    found = [
        Pod(each.name, each.cpu, each.memory_gib, group.name, each.name == "etcd")
        for group in groups
        for each in group.pods
        for _ in range(each.replicas)
    ]
    return found + [Pod(f"add-on {number % 3}", pod.cpu, pod.memory_gib, None) for number, pod in enumerate(ADDONS)]


def nodes_of(groups: Sequence[Group]) -> list[Node]:
    """Return the empty nodes of the groups, over the zones in turn, as Auto Scaling starts them."""
    return [
        Node(group.name, number % ZONES, *group.room, tainted=group.tainted)
        for group in groups
        for number in range(group.nodes)
    ]


def node_groups(work: Workload, types: Sequence[Priced]) -> list[Group]:
    """Return the cheapest groups that hold a workload and start it."""
    # An index on disk needs a disk that answers as fast as it is asked: https://milvus.io/docs/disk_index.md
    fast = [each for each in types if (each.kind.nvme_gb > 0) == (work.load.disk > 0)]
    plain = [each for each in types if not each.kind.nvme_gb]
    queries = query_group(work, fast)
    others = other_pods(work, queries.pods[0])
    # The query nodes' own group needs no trial: pods of one size fill equal nodes in any order.
    groups = _groups_that_start(others, tuple(plain), each_zone=work.survive != "none")
    # Pods of one size may have come for another reason before.
    pods = {each.name: each for each in others}
    return [queries, *(replace(group, pods=tuple(pods[each.name] for each in group.pods)) for group in groups)]


@cache
def _groups_that_start(pods: tuple[Pods, ...], types: tuple[Priced, ...], *, each_zone: bool) -> tuple[Group, ...]:
    """Return what `other_groups` does; a page of many sizes asks for the same few again and again."""
    return tuple(other_groups(pods, types, each_zone=each_zone, enough=started))


def _too_large(work: Workload, types: Sequence[Priced]) -> OpsError:
    load = work.load
    others = [
        replace(work, index=index, parameters=index.parameters({}))
        for index in INDEXES.values()
        if index.name in _SMALLER and index != work.index and work.line in index.lines
    ]
    would = [each.index.name for each in others if any(group for one in types for group in _query_groups(each, one))]
    remedy = f"{', '.join(would)} would fit; or take" if would else "No other index would fit either: take"
    largest = max((room(each)[1] for each in types), default=0)
    return OpsError(
        f"no group of {MOST_NODES} nodes with {_MOST_QUERY_PODS} query nodes holds {work.grown:,} vectors of "
        f"{work.dim} dimensions in {work.index.name}: {work.copies} x {load.memory_gib:,.0f} GiB of memory and "
        f"{load.disk / GIB:,.0f} of disk; the largest instance has {largest:,.0f} GiB for pods",
        remedy=f"{remedy} fewer --copies, fewer --cores-per-gib, or several deployments",
        code=ExitCode.USAGE,
    )
