"""Simulated nodes: one kwok node per real one, with its zone, labels, taints and what EKS leaves for pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rehearsal.servers.api import Api, Object
from settings.disks import allocatable_disk_gib
from settings.instances import InstanceType, allocatable_millicores

# kwok plays the kubelet of nodes with this annotation.
SIMULATED = {"kwok.x-k8s.io/node": "fake"}


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A node taint."""

    key: str
    value: str
    effect: str = "NoSchedule"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One worker node."""

    name: str
    zone: str
    instance: InstanceType
    disk_gib: float = 80
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()

    @property
    def capacity(self) -> dict[str, str]:
        """What a running instance of the type has."""
        kind = self.instance
        return {
            "cpu": str(kind.vcpu),
            "memory": f"{kind.memory_mib}Mi",
            "ephemeral-storage": f"{self.disk_gib:.0f}Gi",
            "pods": str(kind.max_pods),
        }

    @property
    def allocatable(self) -> dict[str, str]:
        """What pods may use, after what EKS reserves."""
        kind = self.instance
        return {
            "cpu": f"{allocatable_millicores(kind.vcpu)}m",
            "memory": f"{kind.allocatable_memory_mib}Mi",
            "ephemeral-storage": f"{allocatable_disk_gib(self.disk_gib):.0f}Gi",
            "pods": str(kind.max_pods),
        }

    def manifest(self) -> Object:
        """Return the Node object, as the instance's kubelet and the cloud's node controller would leave it."""
        region = self.zone.rstrip("abcdef")
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "annotations": SIMULATED,
                "labels": {
                    "kubernetes.io/arch": self.instance.architecture,
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                    "node.kubernetes.io/instance-type": self.instance.name,
                    "topology.kubernetes.io/region": region,
                    "topology.kubernetes.io/zone": self.zone,
                    "topology.ebs.csi.aws.com/zone": self.zone,
                    **self.labels,
                },
            },
            "spec": {
                "providerID": f"aws:///{self.zone}/i-{self.name}",
                "taints": [{"key": t.key, "value": t.value, "effect": t.effect} for t in self.taints],
            },
            "status": {"capacity": self.capacity, "allocatable": self.allocatable},
        }


def register(api: Api, nodes: Sequence[Node]) -> None:
    """Create the nodes with what they have, as a kubelet registers its own; kwok reports them Ready.

    In one call: a node without a size gets a terabyte of memory from kwok, and pods that fit nowhere would run.
    """
    for node in nodes:
        api.create(node.manifest())


def ready(node: Object) -> bool:
    """Whether the node reports Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
