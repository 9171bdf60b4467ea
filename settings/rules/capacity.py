"""Whether the nodes hold the pods. Nothing adds nodes: what has no room stays Pending, until the stack fails."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from settings.base import Problem, Rule
from settings.cluster import MOST_NODES
from settings.contract import ATTU_CPU, ATTU_MEMORY_GIB
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES, InstanceType
from settings.milvus import reserved_cpu
from settings.placement import admits_all


@dataclass(frozen=True)
class _Pod:
    """What the scheduler reserves for a pod, and the node group that it is bound to, if any."""

    cpu: float
    memory_gib: float
    group: str | None = None


@dataclass(frozen=True)
class _Group:
    """A node group of one instance type: of several, the smallest, which spot capacity may give."""

    name: str
    kind: InstanceType
    nodes: int
    max_size: int
    admits_all: bool

    def takes(self, pod: _Pod) -> bool:
        """Return whether the pod may run here, room or not."""
        return pod.group == self.name or (pod.group is None and self.admits_all)


@dataclass
class _Room:
    """What is left on a node."""

    cpu: float
    memory_gib: float

    def fits(self, pod: _Pod) -> bool:
        """Return whether the pod has room; sums of tenths are not exact."""
        return pod.cpu <= self.cpu + 1e-6 and pod.memory_gib <= self.memory_gib + 1e-6

    def take(self, pod: _Pod) -> None:
        """Place the pod."""
        self.cpu -= pod.cpu
        self.memory_gib -= pod.memory_gib


# Requests of the EKS add-ons, rounded up. On every node: VPC CNI, kube-proxy, EBS CSI driver.
DAEMONS = _Pod(0.2, 0.25)
# On any node, two of each: CoreDNS, metrics-server, EBS CSI controller. The load balancer controller and the External
# Secrets Operator request nothing.
ADDONS = (_Pod(0.1, 0.1), _Pod(0.1, 0.2), _Pod(0.1, 0.25)) * 2


def _fits_a_node(env: Environment) -> Iterator[Problem]:
    """Refuse a pod that is larger than every node it may run on."""
    for path, (pod, _) in _requests(env).items():
        kinds = [group.kind for group in _groups(env) if group.takes(pod)]
        if kinds and not any(_room(kind).fits(pod) for kind in kinds):
            largest = max(kinds, key=lambda kind: kind.memory_gib)
            yield Problem(
                path,
                f"requests {pod.cpu:g} CPU and {pod.memory_gib:g} GiB, which fit on no node of "
                f"{pod.group or 'any untainted group'}; the largest that is certain is {largest.name}, whose "
                f"{largest.vcpu} vCPU and {largest.memory_gib:g} GiB leave {_room(largest).cpu:.2f} and "
                f"{_room(largest).memory_gib:.1f} for pods; use larger instances or smaller pods",
            )


def _fits_all_nodes(env: Environment) -> Iterator[Problem]:
    """Refuse pods that have no room together on the nodes that there are at the start."""
    groups = _groups(env)
    pods = [pod for pod in _pods(env) if any(group.takes(pod) and _room(group.kind).fits(pod) for group in groups)]
    pending = _pending(pods, groups)
    for bound in dict.fromkeys(pod.group for pod in pending):
        alike = [pod for pod in pods if pod.group == bound]
        group = max((each for each in groups if each.takes(alike[0])), key=lambda each: each.nodes)
        whose = "that are bound to it" if bound else "that name no node group (the add-ons of EKS among them)"
        yield Problem(
            f"cluster.node_groups.{group.name}.desired_size",
            f"{group.nodes} x {group.kind.name} leave {sum(pod.group == bound for pod in pending)} of the {len(alike)} "
            f"pods {whose} without room, and nothing adds nodes by itself; they request "
            f"{sum(pod.cpu for pod in alike):g} CPU and {sum(pod.memory_gib for pod in alike):g} GiB; "
            f"{_remedy(group, bound, pods, groups)}",
        )


def _remedy(group: _Group, bound: str | None, pods: Sequence[_Pod], groups: Sequence[_Group]) -> str:
    others = [each for each in groups if each is not group]

    def enough(nodes: int) -> bool:
        return not any(pod.group == bound for pod in _pending(pods, [*others, replace(group, nodes=nodes)]))

    # One node more comes last and takes no pod its room: whatever is enough stays enough.
    counts = range(group.nodes + 1, MOST_NODES + 1)
    first = bisect_left(counts, True, key=enough)
    if first == len(counts):
        return "use larger instances, or fewer or smaller pods"
    more = "" if counts[first] <= group.max_size else f" and max_size {counts[first]}"
    return f"use desired_size {counts[first]}{more}, larger instances, or fewer or smaller pods"


def _pending(pods: Sequence[_Pod], groups: Sequence[_Group]) -> list[_Pod]:
    """Return the pods that find no room when the largest are placed first; a scheduler does no better."""
    nodes = [(group, _room(group.kind)) for group in groups for _ in range(group.nodes)]
    pending = []
    # Those that are bound to a group come first: the others may go elsewhere.
    for pod in sorted(pods, key=lambda each: (each.group is None, -each.memory_gib, -each.cpu)):
        room = next((room for group, room in nodes if group.takes(pod) and room.fits(pod)), None)
        if room:
            room.take(pod)
        else:
            pending.append(pod)
    return pending


def _room(kind: InstanceType) -> _Room:
    """Return what an empty node has for pods beside the daemons."""
    room = _Room(kind.allocatable_cpu, kind.allocatable_memory_gib)
    room.take(DAEMONS)
    return room


def _groups(env: Environment) -> list[_Group]:
    found = []
    for name, group in env.cluster.node_groups.items():
        known = [INSTANCE_TYPES[each] for each in group.instance_types if each in INSTANCE_TYPES]
        if known:
            kind = min(known, key=lambda each: (each.memory_gib, each.vcpu))
            found.append(_Group(name, kind, group.desired_size, group.max_size, admits_all(group)))
    return found


def _requests(env: Environment) -> dict[str, tuple[_Pod, int]]:
    """Return a pod of each component and of etcd, and how many there are, by the path of its settings."""
    etcd = env.milvus.etcd
    found: dict[str, tuple[_Pod, int]] = {}
    found["milvus.etcd"] = (_Pod(reserved_cpu(etcd), etcd.memory_gib, env.node_group_of("etcd")), etcd.replicas)
    for name, each in env.components.items():
        pod = _Pod(reserved_cpu(each), each.memory_gib, env.node_group_of(name))
        found[f"milvus.components.{name}"] = (pod, each.replicas)
    return found


def _pods(env: Environment) -> Iterator[_Pod]:
    for pod, replicas in _requests(env).values():
        yield from [pod] * replicas
    if env.milvus.attu.exposure != "off":
        yield _Pod(ATTU_CPU, ATTU_MEMORY_GIB, env.milvus.node_group)
    yield from ADDONS


RULES: tuple[Rule, ...] = (_fits_a_node, _fits_all_nodes)
