"""The pods that a workload needs: query nodes that hold it when something is lost, and what stands beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ops.size import tool
from ops.size.indexes import GIB, up
from ops.size.workload import Workload
from settings.milvus import Components, Searcher

ZONES = 3
FILL = 0.9
"""Share of their memory up to which query nodes load: queryNode.overloadedMemoryThresholdPercentage of Milvus."""

_LEAST_QUERY_GIB = 4.0
_SEARCHER = Searcher()
# What Milvus keeps of its disk free, and what else lies there beside the index.
_DISK_SHARE = 0.85


@dataclass(frozen=True)
class Pods:
    """Pods of one component."""

    name: str
    cpu: float
    memory_gib: float
    replicas: int
    disk_gib: int = 0
    why: str = field(default="", compare=False)


def fewest_query_pods(work: Workload, memory_gib: float) -> int:
    """Return a number of query nodes of this memory below which they cannot hold the workload, nothing being lost."""
    return work.copies * max(1, math.ceil(_filled_gib(work) / memory_gib))


def _filled_gib(work: Workload) -> float:
    return work.load.memory_gib * (1 + work.headroom / 100) / FILL


def query_pods(work: Workload, replicas: int, *, on_a_node: int) -> Pods | None:
    """Return query nodes of this number that still hold the workload after the loss; None if none of the size can.

    The copies are of disjoint query nodes: the one with the fewest has to hold all of the data.
    """
    lost = {"none": 0, "node": on_a_node, "zone": math.ceil(replicas / ZONES)}[work.survive]
    for_each_copy = (replicas - lost) // work.copies
    if for_each_copy < 1:
        return None
    load = work.load
    memory = max(_LEAST_QUERY_GIB, up(_filled_gib(work) / for_each_copy, 0.5))
    answering = replicas - lost
    cores = memory * work.cores_per_gib if work.qps is None else work.qps / work.qps_per_core / answering
    disk = _SEARCHER.disk_gib + math.ceil(load.disk / GIB / for_each_copy / _DISK_SHARE)
    nodes = "query node" if for_each_copy == 1 else f"{for_each_copy} query nodes"
    why = (
        f"{'A copy' if work.copies > 1 else 'It'} fills its {nodes} to {load.memory_gib / for_each_copy / memory:.0%}"
        + (f" when a {work.survive} is lost" if lost else "")
        + "; Milvus loads up to 90 %"
    )
    return Pods("query_node", max(1.0, up(cores, 0.5)), memory, replicas, disk, why)


def other_pods(work: Workload, queries: Pods) -> tuple[Pods, ...]:
    """Return the components beside the query nodes, and etcd."""
    load = work.load
    shapes = tool.shapes(load.memory_gib, load.raw, line=work.line)
    if "streaming_node" in shapes:
        shapes["streaming_node"] = tool.streaming_nodes(queries.cpu * queries.replicas / work.copies)
    least = 1 if work.survive == "none" else 2
    found = []
    for name, shape in shapes.items():
        if name in {"query_node", "kafka"}:
            continue
        # etcd has three members with any --survive: one member has no redundancy.
        replicas = max(least, shape.count)
        why = (
            "As the public sizing tool gives"
            if replicas == shape.count
            else "Two, where the public sizing tool gives one"
        )
        if name == "index_node" or (name == "data_node" and work.line != "2.5"):
            why += "; it builds indexes, which takes 8 GiB at least"
        disk = 0 if name == "etcd" else Components.model_fields[name].default.disk_gib
        found.append(Pods(name, float(shape.cpu), float(shape.memory_gib), replicas, disk, why))
    return tuple(found)


def etcd_volume_gib(work: Workload) -> int:
    """Return the volume of a member of etcd."""
    return tool.shapes(work.load.memory_gib, work.load.raw, line=work.line)["etcd"].volume_gib
