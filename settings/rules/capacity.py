"""Whether the nodes hold the pods. Nothing adds nodes: what has no room stays Pending, until the stack fails."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from settings.base import Problem, Rule
from settings.cluster import MOST_NODES
from settings.contract import ATTU_CPU, ATTU_MEMORY_GIB
from settings.disks import disk_for, disk_of
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES, InstanceType
from settings.milvus import reserved_cpu
from settings.placement import admits_all
from settings.room import ADDONS, Pod, Room, room_of


@dataclass(frozen=True)
class _Group:
    """A node group of one instance type: of several, the smallest, which spot capacity may give."""

    name: str
    kind: InstanceType
    disk_gib: float
    nodes: int
    max_size: int
    admits_all: bool
    nvme: bool

    def room(self) -> Room:
        """Return what an empty node has for pods."""
        return room_of(self.kind, self.disk_gib)

    def takes(self, pod: Pod) -> bool:
        """Return whether the pod may run here, room or not."""
        return pod.group == self.name or (pod.group is None and self.admits_all)


def _fits_a_node(env: Environment) -> Iterator[Problem]:
    """Refuse a pod that is larger than every node it may run on."""
    for path, (pod, _) in _requests(env).items():
        groups = [group for group in _groups(env) if group.takes(pod)]
        if not groups or any(group.room().fits(pod) for group in groups):
            continue
        where = pod.group or "any untainted group"
        if any(group.room().fits(replace(pod, disk_gib=0)) for group in groups):
            most = max(groups, key=lambda group: group.disk_gib)
            larger = "larger instances" if most.nvme else f"cluster.node_groups.{most.name}.disk_gib {_disk_for(pod)}"
            yield Problem(
                f"{path}.disk_gib",
                f"{pod.disk_gib:g} GiB fit on no node of {where}; the largest disk that is certain, of {most.name}, "
                f"leaves {max(0, most.room().disk_gib):.1f} of {most.disk_gib:,.0f} GiB beside images and what the "
                f"kubelet keeps free; use {larger}, or less here",
            )
            continue
        kind = max((group.kind for group in groups), key=lambda kind: kind.memory_gib)
        room = room_of(kind, 0)
        yield Problem(
            path,
            f"requests {pod.cpu:g} CPU and {pod.memory_gib:g} GiB, which fit on no node of {where}; the largest that "
            f"is certain is {kind.name}, whose {kind.vcpu} vCPU and {kind.memory_gib:g} GiB leave {room.cpu:.2f} and "
            f"{room.memory_gib:.1f} for pods; use larger instances or smaller pods",
        )


def _disk_for(pod: Pod) -> int:
    return math.ceil(disk_for(pod.disk_gib))


def _fits_all_nodes(env: Environment) -> Iterator[Problem]:
    """Refuse pods that have no room together on the nodes that there are at the start."""
    groups = _groups(env)
    pods = [pod for pod in _pods(env) if any(group.takes(pod) and group.room().fits(pod) for group in groups)]
    pending = _pending(pods, groups)
    for bound in dict.fromkeys(pod.group for pod in pending):
        alike = [pod for pod in pods if pod.group == bound]
        group = max((each for each in groups if each.takes(alike[0])), key=lambda each: each.nodes)
        whose = "that are bound to it" if bound else "that name no node group (the add-ons of EKS among them)"
        yield Problem(
            f"cluster.node_groups.{group.name}.desired_size",
            f"{group.nodes} x {group.kind.name} leave {sum(pod.group == bound for pod in pending)} of the {len(alike)} "
            f"pods {whose} without room, and nothing adds nodes by itself; they request "
            f"{sum(pod.cpu for pod in alike):g} CPU, {sum(pod.memory_gib for pod in alike):g} GiB and "
            f"{sum(pod.disk_gib for pod in alike):g} GiB of disk; "
            f"{_remedy(group, bound, pods, groups)}",
        )


def _remedy(group: _Group, bound: str | None, pods: Sequence[Pod], groups: Sequence[_Group]) -> str:
    others = [each for each in groups if each is not group]

    def enough(nodes: int) -> bool:
        return not any(pod.group == bound for pod in _pending(pods, [*others, replace(group, nodes=nodes)]))

    # One node more comes last and takes no pod its room: whatever is enough stays enough.
    first = bisect_left(range(MOST_NODES + 1), True, key=enough)
    if first > MOST_NODES:
        return "use larger instances, or fewer or smaller pods"
    more = "" if first <= group.max_size else f" and max_size {first}"
    return f"use desired_size {first}{more}, larger instances, or fewer or smaller pods"


def _pending(pods: Sequence[Pod], groups: Sequence[_Group]) -> list[Pod]:
    """Return the pods that find no room when the largest are placed first; a scheduler does no better."""
    nodes = [(group, group.room()) for group in groups for _ in range(group.nodes)]
    pending = []
    # Those that are bound to a group come first: the others may go elsewhere.
    for pod in sorted(pods, key=lambda each: (each.group is None, -each.memory_gib, -each.cpu)):
        room = next((room for group, room in nodes if group.takes(pod) and room.fits(pod)), None)
        if room:
            room.take(pod)
        else:
            pending.append(pod)
    return pending


def _groups(env: Environment) -> list[_Group]:
    found = []
    for name, group in env.cluster.node_groups.items():
        known = [INSTANCE_TYPES[each] for each in group.instance_types if each in INSTANCE_TYPES]
        if known:
            kind = min(known, key=lambda each: (each.memory_gib, each.vcpu))
            disk = min(disk_of(group, each) for each in known)
            nvme = group.local_storage == "raid0"
            found.append(_Group(name, kind, disk, group.desired_size, group.max_size, admits_all(group), nvme))
    return found


def _requests(env: Environment) -> dict[str, tuple[Pod, int]]:
    """Return a pod of each component and of etcd, and how many there are, by the path of its settings."""
    etcd = env.milvus.etcd
    found: dict[str, tuple[Pod, int]] = {}
    found["milvus.etcd"] = (Pod(reserved_cpu(etcd), etcd.memory_gib, group=env.node_group_of("etcd")), etcd.replicas)
    for name, each in env.components.items():
        pod = Pod(reserved_cpu(each), each.memory_gib, each.disk_gib, env.node_group_of(name))
        found[f"milvus.components.{name}"] = (pod, each.replicas)
    return found


def _pods(env: Environment) -> Iterator[Pod]:
    for pod, replicas in _requests(env).values():
        yield from [pod] * replicas
    if env.milvus.attu.exposure != "off":
        yield Pod(ATTU_CPU, ATTU_MEMORY_GIB, group=env.milvus.node_group)
    yield from ADDONS


RULES: tuple[Rule, ...] = (_fits_a_node, _fits_all_nodes)
