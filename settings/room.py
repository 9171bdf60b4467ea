"""What pods request, and the room that a node has for them."""

from __future__ import annotations

from dataclasses import dataclass

from settings.disks import IMAGES_GIB, allocatable_disk_gib
from settings.instances import InstanceType


@dataclass(frozen=True)
class Pod:
    """What the scheduler reserves for a pod, and the node group that it is bound to, if any."""

    cpu: float
    memory_gib: float
    disk_gib: float = 0
    group: str | None = None


@dataclass
class Room:
    """What is left on a node."""

    cpu: float
    memory_gib: float
    disk_gib: float

    def fits(self, pod: Pod) -> bool:
        """Return whether the pod has room; sums of tenths are not exact."""
        return (
            pod.cpu <= self.cpu + 1e-6
            and pod.memory_gib <= self.memory_gib + 1e-6
            and pod.disk_gib <= self.disk_gib + 1e-6
        )

    def take(self, pod: Pod) -> None:
        """Place the pod."""
        self.cpu -= pod.cpu
        self.memory_gib -= pod.memory_gib
        self.disk_gib -= pod.disk_gib


# Requests of the EKS add-ons, rounded up. On every node: VPC CNI, kube-proxy, EBS CSI driver.
DAEMONS = Pod(0.2, 0.25)
# On any node, two of each: CoreDNS, metrics-server, EBS CSI controller. The load balancer controller and the External
# Secrets Operator request nothing.
ADDONS = (Pod(0.1, 0.1), Pod(0.1, 0.2), Pod(0.1, 0.25)) * 2
"""Pods of the add-ons that a cluster has once."""


def room_of(kind: InstanceType, disk_gib: float) -> Room:
    """Return what an empty node has for pods beside the daemons and the images."""
    room = Room(kind.allocatable_cpu, kind.allocatable_memory_gib, allocatable_disk_gib(disk_gib) - IMAGES_GIB)
    room.take(DAEMONS)
    return room
