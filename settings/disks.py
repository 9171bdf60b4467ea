"""The local disk of nodes: what is there, and what pods may take of it."""

from __future__ import annotations

from settings.cluster import NodeGroup
from settings.instances import InstanceType

_GB, _GIB = 10**9, 2**30
# EKS reserves a GiB, and the kubelet evicts pods when less than a tenth is free.
# https://awslabs.github.io/amazon-eks-ami/nodeadm/ and
# https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
_RESERVED_GIB = 1
_USABLE = 0.9
IMAGES_GIB = 8
"""What images, and logs of pods, take beside the pods' own disk: those of Milvus and of the add-ons."""


def disk_of(group: NodeGroup, kind: InstanceType) -> float:
    """Return the GiB of the disk on which a node keeps what its pods write."""
    return nvme_gib(kind) if group.local_storage == "raid0" and kind.nvme_gb else group.disk_gib


def nvme_gib(kind: InstanceType) -> float:
    """Return the GiB of an instance's own disks."""
    return kind.nvme_gb * _GB / _GIB


def allocatable_disk_gib(disk_gib: float) -> float:
    """Return the GiB of a disk that the scheduler gives to pods."""
    return disk_gib * _USABLE - _RESERVED_GIB


def disk_for(pods_gib: float) -> float:
    """Return the GiB of a disk on which pods have so many together, beside the images."""
    return (pods_gib + IMAGES_GIB + _RESERVED_GIB) / _USABLE
