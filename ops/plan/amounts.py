"""How much a change concerns, and for about how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settings import Environment
from settings.changes import Change as Declared
from settings.changes import Effect
from settings.milvus import Milvus
from settings.parts import Part

# Minutes, fewest and most; the figures of README.md and docs/upgrade.md. Brokers: 10 to 15 minutes each, and an hour
# for large volumes (https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-operations.html).
_CREATION: Mapping[Part, tuple[int, int]] = {
    Part.NETWORK: (3, 5),
    Part.STORAGE: (1, 2),
    Part.STREAMING: (25, 40),
    Part.EKS: (15, 25),
    Part.MILVUS: (5, 15),
}
HOLDS: Mapping[Part, str] = {
    Part.NETWORK: "the VPC, its ways out and endpoints",
    Part.STORAGE: "buckets and their keys",
    Part.STREAMING: "the brokers and their user",
    Part.EKS: "the cluster, its nodes and controllers",
    Part.MILVUS: "the release and its load balancers",
}
_AT_ONCE = (Part.STREAMING, Part.EKS)
_EACH: Mapping[Effect, tuple[int, int]] = {
    Effect.RESTARTS_PODS: (1, 3),
    Effect.ROLLS_NODES: (4, 8),
    Effect.BROKER_BY_BROKER: (10, 15),
}
_WHOLE: Mapping[Effect, tuple[int, int]] = {
    Effect.IN_PLACE: (1, 5),
    Effect.REPLACES: (3, 10),
    Effect.REPLACES_NODE_GROUP: (10, 20),
}
_CONTROL_PLANE = (10, 15)


def affected(env: Environment, path: str, declared: Declared) -> str:
    """Return how many pods, nodes or brokers a change concerns, as a person says it."""
    number = _number(env, path, declared.effect)
    what = {Effect.RESTARTS_PODS: "pod", Effect.BROKER_BY_BROKER: "broker"}.get(declared.effect, "node")
    return f"{number} {what}{'s' * (number != 1)}" if number else ""


def _number(env: Environment, path: str, effect: Effect) -> int | None:
    """Return how many pods, nodes or brokers a change concerns; None where that is not the question."""
    if effect in {Effect.ROLLS_NODES, Effect.REPLACES_NODE_GROUP}:
        name = path.split(".")[2] if path.startswith("cluster.node_groups.") else None
        groups = env.cluster.node_groups
        return sum(group.desired_size for key, group in groups.items() if name in {None, key})
    if effect is Effect.BROKER_BY_BROKER:
        return env.queue.brokers if env.queue.kind == "msk" else None
    return _pods(env.milvus, env, path) if effect is Effect.RESTARTS_PODS else None


def _pods(milvus: Milvus, env: Environment, path: str) -> int:
    section, *rest = path.split(".")
    components = sum(each.replicas for each in env.components.values())
    if section == "cluster":
        group = rest[1]
        bound = [name for name in env.component_names if env.node_group_of(name) == group]
        return sum(env.components[name].replicas for name in bound)
    if rest[:1] == ["components"]:
        component = env.components.get(rest[1])
        return component.replicas if component else 0
    if path == "milvus.etcd.replicas":
        # Milvus is told the members' addresses.
        return components + milvus.etcd.replicas
    if rest[:1] == ["etcd"]:
        return milvus.etcd.replicas
    if rest[:1] == ["attu"]:
        return 1
    return components + (milvus.etcd.replicas if path in {"milvus.line", "milvus.node_group"} else 0)


def takes(env: Environment, path: str, declared: Declared) -> str:
    """Return about how long a change takes; nothing where there is nothing to wait for."""
    if declared.effect in _WHOLE:
        return _minutes(*_WHOLE[declared.effect])
    if declared.effect not in _EACH:
        return ""
    least, most = _EACH[declared.effect]
    number = _number(env, path, declared.effect) or 1
    extra = _CONTROL_PLANE if path == "cluster.version" else (0, 0)
    return _minutes(least * number + extra[0], most * number + extra[1])


def _minutes(least: int, most: int) -> str:
    return f"{least} to {most} min"


def creation_takes(missing: Sequence[Part]) -> str:
    """Return how long stacks take together: brokers and cluster are created at the same time."""
    apart = [_CREATION[part] for part in missing if part not in _AT_ONCE]
    at_once = [_CREATION[part] for part in missing if part in _AT_ONCE]
    least, most = (sum(each[n] for each in apart) + max((each[n] for each in at_once), default=0) for n in (0, 1))
    return _minutes(least, most) if missing else ""
