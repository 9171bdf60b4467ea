"""EC2 and MSK instance types: what a node or broker of a type can hold.

Sources: https://docs.aws.amazon.com/ec2/latest/instancetypes/ for processors, memory and network interfaces;
https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html for partitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Architecture = Literal["amd64", "arm64"]


def allocatable_millicores(vcpu: int) -> int:
    """Return the millicores that pods may use.

    EKS keeps 6 % of the first core, 1 % of the second, 0.5 % of the third and fourth, 0.25 % of every further one.
    Source: https://awslabs.github.io/amazon-eks-ami/nodeadm/ (kubelet defaults).
    """
    tenths = 600 * min(vcpu, 1) + 100 * min(max(vcpu - 1, 0), 1) + 50 * min(max(vcpu - 2, 0), 2) + 25 * max(vcpu - 4, 0)
    return 1000 * vcpu - tenths // 10


def allocatable_memory_mib(memory_mib: int, pods: int) -> int:
    """Return the MiB that pods may use, of the memory of an instance type and the most pods that it takes.

    The kernel keeps at least 64 bytes for each page of 4 KiB (its `struct page`), and EKS 255 MiB, 11 for each pod, and
    the 100 of the eviction threshold.
    Source: https://awslabs.github.io/amazon-eks-ami/nodeadm/ (kubelet defaults).
    """
    return memory_mib - memory_mib // 64 - (255 + 11 * pods + 100)


@dataclass(frozen=True)
class InstanceType:
    """An EC2 instance type as a node of a cluster."""

    name: str
    vcpu: int
    memory_gib: float
    interfaces: int
    """Network interfaces that an instance may have."""
    addresses_per_interface: int
    """IPv4 addresses that an interface may carry."""

    @property
    def architecture(self) -> Architecture:
        """Return the processor architecture: a ``g`` after the generation means Graviton."""
        family = self.name.split(".")[0]
        return "arm64" if "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789") else "amd64"

    @property
    def max_pods(self) -> int:
        """Return the pods that fit by addresses, as the VPC CNI counts them, with EKS's cap of 110 (250 from 30 vCPU).

        Source: https://github.com/awslabs/amazon-eks-ami `max-pods-calculator.sh`.
        """
        by_addresses = self.interfaces * (self.addresses_per_interface - 1) + 2
        return min(by_addresses, 250 if self.vcpu > 30 else 110)

    @property
    def allocatable_cpu(self) -> float:
        """Return the cores that pods may use."""
        return allocatable_millicores(self.vcpu) / 1000

    @property
    def allocatable_memory_gib(self) -> float:
        """Return the memory that pods may use, in GiB."""
        return allocatable_memory_mib(int(self.memory_gib * 1024), self.max_pods) / 1024

    @property
    def addresses(self) -> int:
        """Return the addresses that a full node takes from its subnet."""
        return self.interfaces * self.addresses_per_interface


# size: (vCPU, memory factor, interfaces, addresses per interface). Families of one generation share the last two.
_SIZES = {
    "large": (2, 3, 10),
    "xlarge": (4, 4, 15),
    "2xlarge": (8, 4, 15),
    "4xlarge": (16, 8, 30),
    "8xlarge": (32, 8, 30),
    "12xlarge": (48, 8, 30),
    "16xlarge": (64, 15, 50),
}
# GiB of memory for each vCPU.
_FAMILIES = {
    **dict.fromkeys(("c6i", "c7i", "c6g", "c7g", "c8g"), 2),
    **dict.fromkeys(("m6i", "m7i", "m6g", "m7g", "m8g"), 4),
    **dict.fromkeys(("r6i", "r7i", "r6g", "r7g", "r8g"), 8),
}

INSTANCE_TYPES: dict[str, InstanceType] = {
    f"{family}.{size}": InstanceType(f"{family}.{size}", vcpu, vcpu * per_vcpu, interfaces, addresses)
    for family, per_vcpu in _FAMILIES.items()
    for size, (vcpu, interfaces, addresses) in _SIZES.items()
}
INSTANCE_TYPES |= {
    instance.name: instance
    for instance in (
        InstanceType("t3.large", 2, 8, 3, 12),
        InstanceType("t3.xlarge", 4, 16, 4, 15),
        InstanceType("t3.2xlarge", 8, 32, 4, 15),
        InstanceType("t4g.large", 2, 8, 3, 12),
        InstanceType("t4g.xlarge", 4, 16, 4, 15),
        InstanceType("t4g.2xlarge", 8, 32, 4, 15),
    )
}


# https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
_ACCELERATED = re.compile(r"(dl|f|g|gr|inf|p|trn|vt)\d+[a-z]*(-[a-z0-9]+)?\.[a-z0-9-]+")


def is_accelerated(name: str) -> bool:
    """Return whether an instance type has a GPU or another accelerator, for which nodes need drivers of their own."""
    return _ACCELERATED.fullmatch(name) is not None


@dataclass(frozen=True)
class BrokerType:
    """An MSK broker type and the partitions (with replicas) that AWS recommends at most for each broker."""

    name: str
    partitions: int


# Without kafka.t3.small: MSK has no KRaft on it.
BROKER_TYPES: dict[str, BrokerType] = {
    broker.name: broker
    for broker in (
        *(
            BrokerType(f"kafka.{family}.{size}", partitions)
            for family in ("m5", "m7g")
            for size, partitions in (
                ("large", 1000),
                ("xlarge", 1000),
                ("2xlarge", 2000),
                ("4xlarge", 4000),
                ("8xlarge", 4000),
                ("12xlarge", 4000),
                ("16xlarge", 4000),
            )
        ),
    )
}
