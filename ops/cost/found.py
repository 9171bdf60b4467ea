"""What was found in a deployment: lines, how many of each class, nodes, pods, and what by-use figures are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from ops.cost.lines import Line
from ops.cost.release import Pods, Release
from settings.instances import INSTANCE_TYPES

Class = Literal["priced", "free", "by use", "without a price"]


@dataclass
class NodeGroup:
    """The nodes of a group, as they stand at the start."""

    name: str
    instance_type: str
    nodes: int
    tainted: bool

    @property
    def vcpu(self) -> float:
        """Return the cores of all its nodes; 0 of a type that nobody knows."""
        known = INSTANCE_TYPES.get(self.instance_type)
        return self.nodes * known.vcpu if known else 0

    @property
    def memory_gib(self) -> float:
        """Return the memory of all its nodes as AWS names it."""
        known = INSTANCE_TYPES.get(self.instance_type)
        return self.nodes * known.memory_gib if known else 0


@dataclass
class Inventory:
    """What was found in a deployment; the by-use part is worked out of its counts."""

    region: str
    lines: list[Line] = field(default_factory=list)
    classes: Counter[Class] = field(default_factory=Counter)
    unclassified: list[str] = field(default_factory=list)
    node_groups: list[NodeGroup] = field(default_factory=list)
    pods: list[Pods] = field(default_factory=list)
    release: Release | None = None
    count: Counter[str] = field(default_factory=Counter)
    """What by-use figures are derived of: gateways, endpoints, load balancers, keys, buckets, secrets, functions."""
    control_plane_logs: list[str] = field(default_factory=list)
    flow_logs: list[str] = field(default_factory=list)
    monitoring: list[tuple[str, int, int]] = field(default_factory=list)
    """Of each MSK cluster: level, brokers, and whether their logs go to CloudWatch."""
