"""The shapes that the public sizing tool of Milvus gives, to compare with: it names no instance and no price."""

from __future__ import annotations

import math
from dataclasses import dataclass

# n x d of 100 million vectors of 768 dimensions: from there on the tool gives etcd and Kafka the larger shape.
_LARGE_RAW_BYTES = 4 * 100_000_000 * 768
_KAFKA_LEAST_GIB = 20


@dataclass(frozen=True)
class Shape:
    """Pods of one kind."""

    cpu: float
    memory_gib: float
    count: int
    volume_gib: int = 0


def query_nodes(load_gib: float) -> Shape:
    """Return the query nodes for so much memory to load."""
    if load_gib < 8:
        return Shape(2, 8, 1)
    if load_gib < 96:
        return Shape(4, 16, int(load_gib // 16) + 1)
    for most, size in ((512, 32), (2048, 64), (math.inf, 128)):
        if load_gib < most:
            return Shape(size / 4, size, math.ceil(load_gib / size))
    raise AssertionError


def streaming_nodes(query_cores: float) -> Shape:
    """Return the streaming nodes beside so many cores of query nodes: 2 CPU and 8 GiB for each 16 begun."""
    units = max(1, math.ceil(query_cores / 16))
    if units == 1:
        return Shape(2, 8, 1)
    if units <= 4:
        return Shape(4, 16, math.ceil(units / 2))
    return Shape(8, 32, max(2, math.ceil(units / 4)))


def builders(load_gib: float) -> Shape:
    """Return the pods that build indexes: data nodes from 2.6 on, index nodes before."""
    if load_gib < 8:
        return Shape(2, 8, 1)
    if load_gib < 96:
        return Shape(4, 16, 1 if load_gib < 16 else 2 if load_gib < 64 else 4)
    return Shape(8, 16, 8)


def front(load_gib: float) -> Shape:
    """Return the proxy, the coordinator, and the data node of 2.5 alike."""
    size = 4 if load_gib < 8 else 8 if load_gib < 96 else 32
    return Shape(size / 4, size, 1)


def shapes(load_gib: float, raw_bytes: float, *, line: str) -> dict[str, Shape]:
    """Return what the tool gives a cluster with Kafka, by the names of our settings."""
    queries = query_nodes(load_gib)
    large = raw_bytes >= _LARGE_RAW_BYTES
    found = {"query_node": queries, "proxy": front(load_gib), "mix_coordinator": front(load_gib)}
    if line == "2.5":
        data = front(load_gib)
        found |= {"data_node": Shape(max(2, data.cpu), max(8, data.memory_gib), 1), "index_node": builders(load_gib)}
    else:
        found |= {"data_node": builders(load_gib), "streaming_node": streaming_nodes(queries.cpu * queries.count)}
    found["etcd"] = Shape(1, 8, 3, 50) if large else Shape(1, 4, 3, 20)
    volume = max(_KAFKA_LEAST_GIB, math.ceil(raw_bytes / 1024**3))
    found["kafka"] = Shape(4, 16, 3, volume) if large else Shape(2, 8, 3, volume)
    return found
