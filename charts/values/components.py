"""The values of one component: replicas, resources, placement and environment."""

from __future__ import annotations

from typing import Any

from charts.names import STORAGE_CLASS
from charts.values.credentials import credentials
from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels
from settings import Environment
from settings.contract import ATTU_CPU, ATTU_MEMORY_GIB, NODE_GROUP_LABEL
from settings.milvus import Component, reserved_cpu
from settings.placement import groups_open_to

# An upgrade replaces the pods of a component in so many rounds, of about 100 seconds each, at the most.
_ROUNDS = 8

# Their work waits while they are away.
_ANSWER_NOBODY = {"data_node", "index_node"}

# The chart has a switch that passes the limit of their disk on to Milvus.
_SIZED_DISK = {"query_node", "index_node", "standalone"}

_ZONE = "topology.kubernetes.io/zone"
_HOST = "kubernetes.io/hostname"
_TOLERATION_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}


def component_values(env: Environment, name: str, component: Component, *, spread_constraints: bool) -> dict[str, Any]:
    """Return the values of a Milvus component, a name of the settings."""
    labels = component_labels(env, name)
    values: dict[str, Any] = {
        "resources": _resources(
            cpu=component.cpu,
            cpu_request=reserved_cpu(component),
            memory_gib=component.memory_gib,
            disk_gib=component.disk_gib,
        ),
        **_placement(env, env.node_group_of(name)),
    }
    if spread_constraints:
        values["topologySpreadConstraints"] = [
            _spread(_ZONE, labels, "ScheduleAnyway", by_revision=True),
            _spread(_HOST, labels, "ScheduleAnyway", by_revision=True),
        ]
    else:
        values["affinity"] = _anti_affinity(labels)
    if name in _SIZED_DISK:
        # Tells Milvus the limit; else it takes the whole volume of the node for its own.
        values["disk"] = {"size": {"enabled": True}}
    variables = credentials(env)
    if variables:
        values["extraEnv"] = variables
    if name == "standalone":
        # The one replica is the chart's; all that lasts is in etcd, the bucket and the queue.
        return {**values, "persistence": {"enabled": False}}
    values["replicas"] = component.replicas
    if component.replicas > 1 or name in _ANSWER_NOBODY:
        # Kubernetes would first add a pod, for which nodes that are sized for the replicas have no room: the upgrade
        # would wait for ever. One replica alone that serves clients is replaced by a new one first, as by default. Many
        # are replaced a few at a time: the chart's probes give each pod 90 seconds before it may be ready.
        rolling = {"maxSurge": 0, "maxUnavailable": -(-component.replicas // _ROUNDS)}
        values["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    if name != "streaming_node":  # that one is switched by streaming.enabled
        values["enabled"] = True
    if CHART_COMPONENTS[name].coordinator:
        # Without it the chart gives a second replica no standby role, and replaces both at the same time.
        values["activeStandby"] = {"enabled": env.milvus.active_standby}
    return values


def etcd_values(env: Environment, *, spread_constraints: bool) -> dict[str, Any]:
    """Return the values of etcd, the metadata store. The chart spreads its members over hosts only."""
    etcd = env.milvus.etcd
    labels = etcd_labels(env)
    values: dict[str, Any] = {
        "enabled": True,
        "replicaCount": etcd.replicas,
        "image": _image(etcd.image_repository),
        "persistence": {"storageClass": STORAGE_CLASS, "size": f"{etcd.volume_gib}Gi"},
        "resources": _resources(
            cpu=etcd.cpu,
            cpu_request=reserved_cpu(etcd),
            memory_gib=etcd.memory_gib,
        ),
        # The older charts would create it in policy/v1beta1, which Kubernetes removed in 1.25: see charts.disruption.
        "pdb": {"create": False},
        **_placement(env, env.node_group_of("etcd")),
    }
    if spread_constraints:
        # A volume binds a member to its zone for good, so the first placement has to be right.
        values["topologySpreadConstraints"] = [_spread(_ZONE, labels, "DoNotSchedule", by_revision=False)]
    else:
        values["affinity"] = _anti_affinity(labels, one_per_zone=_has_a_zone_for_each_member(env))
    return values


def attu_values(env: Environment) -> dict[str, Any]:
    """Return the values of Attu, the console. Its Ingress is our own: see charts.exposure."""
    attu = env.milvus.attu
    if attu.exposure == "off":
        return {"enabled": False}
    memory = _memory(ATTU_MEMORY_GIB)
    return {
        "enabled": True,
        "image": {"repository": attu.image_repository, "tag": attu.version or env.release.attu},
        "resources": {"requests": {"cpu": _cpu(ATTU_CPU), "memory": memory}, "limits": {"memory": memory}},
        "ingress": {"enabled": False},
        # One key only: the chart's template breaks with two.
        **_placement(env, env.milvus.node_group),
    }


def _image(repository: str) -> dict[str, str]:
    """Return an image as the chart of etcd names it: the registry apart, which is what has a dot or a port."""
    first, _, rest = repository.partition("/")
    if rest and ("." in first or ":" in first):
        return {"registry": first, "repository": rest}
    return {"repository": repository}


def _resources(
    *, cpu: float, cpu_request: float, memory_gib: float, disk_gib: int | None = None
) -> dict[str, dict[str, str]]:
    # Memory and disk are requested in full: what is promised twice gets a pod killed.
    full = {"memory": _memory(memory_gib)}
    if disk_gib is not None:
        full["ephemeral-storage"] = f"{disk_gib}Gi"
    return {"limits": {"cpu": _cpu(cpu), **full}, "requests": {"cpu": _cpu(cpu_request), **full}}


def _cpu(cores: float) -> str:
    millicores = round(cores * 1000)
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def _memory(gib: float) -> str:
    mib = round(gib * 1024)
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"


def _placement(env: Environment, group: str | None) -> dict[str, Any]:
    if group is None:
        return {}
    node_group = env.cluster.node_groups[group]
    placement: dict[str, Any] = {"nodeSelector": {NODE_GROUP_LABEL: group}}
    if node_group.taints:
        placement["tolerations"] = [
            {
                "key": taint.key,
                "operator": "Equal",
                "value": taint.value,
                "effect": _TOLERATION_EFFECTS[taint.effect],
            }
            for taint in node_group.taints
        ]
    return placement


def _spread(topology: str, labels: dict[str, str], unsatisfiable: str, *, by_revision: bool) -> dict[str, Any]:
    constraint: dict[str, Any] = {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": unsatisfiable,
        # The chart adds none, and without a selector a constraint counts no pod at all.
        "labelSelector": {"matchLabels": labels},
    }
    if by_revision:
        # Pods that a rolling update is about to remove do not count.
        constraint["matchLabelKeys"] = ["pod-template-hash"]
    return constraint


def _anti_affinity(labels: dict[str, str], *, one_per_zone: bool = False) -> dict[str, Any]:
    def term(topology: str) -> dict[str, Any]:
        return {"topologyKey": topology, "labelSelector": {"matchLabels": labels}}

    preferred = [{"weight": 50, "podAffinityTerm": term(_HOST)}]
    if one_per_zone:
        rules: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": [term(_ZONE)]}
    else:
        rules = {}
        preferred.insert(0, {"weight": 100, "podAffinityTerm": term(_ZONE)})
    return {"podAntiAffinity": {**rules, "preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _has_a_zone_for_each_member(env: Environment) -> bool:
    """Return whether there is a zone, and a node in it, for each member: EKS spreads the nodes of a group evenly."""
    zones = len(env.network.zones)
    groups = groups_open_to(env, env.node_group_of("etcd")).values()
    return env.milvus.etcd.replicas <= zones <= max((group.min_size for group in groups), default=0)
