"""Which node groups a pod may run on."""

from __future__ import annotations

from settings.cluster import NodeGroup
from settings.environment import Environment


def admits_all(group: NodeGroup) -> bool:
    """Return whether pods that name no node group may run on this one's nodes: it has no taint that keeps them away."""
    return not any(taint.effect in {"NO_SCHEDULE", "NO_EXECUTE"} for taint in group.taints)


def groups_open_to(env: Environment, bound: str | None) -> dict[str, NodeGroup]:
    """Return the node groups that a pod may run on: the one it is bound to, or all that admit everybody."""
    return {
        name: group
        for name, group in env.cluster.node_groups.items()
        if name == bound or (bound is None and admits_all(group))
    }
