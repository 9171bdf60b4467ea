"""EC2 and MSK instance types: what a node or broker of a type can hold.

The types of EC2 are in ``instances.json``, with the source and the day of each column. Partitions of MSK's brokers:
https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Architecture = Literal["amd64", "arm64"]


def allocatable_millicores(vcpu: int) -> int:
    """Return the millicores that pods may use.

    EKS keeps 6 % of the first core, 1 % of the second, 0.5 % of the third and fourth, 0.25 % of every further one.
    Source: https://awslabs.github.io/amazon-eks-ami/nodeadm/ (kubelet defaults).
    """
    tenths = 600 * min(vcpu, 1) + 100 * min(max(vcpu - 1, 0), 1) + 50 * min(max(vcpu - 2, 0), 2) + 25 * max(vcpu - 4, 0)
    return 1000 * vcpu - tenths // 10


# Of an instance type that nobody measured: a little less than the least of all that were measured leaves (c6i.large).
_SURELY_THERE = 0.925


@dataclass(frozen=True)
class InstanceType:
    """An EC2 instance type as a node of a cluster."""

    name: str
    vcpu: int
    memory_gib: float
    """The memory that AWS names; a running instance has less."""
    measured_mib: int | None
    """The memory that the kernel of a running instance reports, MiB; None if nobody measured it."""
    interfaces: int
    """Network interfaces that an instance may have."""
    addresses_per_interface: int
    """IPv4 addresses that an interface may carry."""
    nvme_gb: int
    """Local NVMe disks together, GB of 10^9 bytes."""
    coremark: int | None
    """CoreMark, iterations a second with all vCPU; None if nobody measured it."""

    @property
    def architecture(self) -> Architecture:
        """Return the processor architecture: a ``g`` after the generation means Graviton."""
        family = self.name.split(".")[0]
        return "arm64" if "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789") else "amd64"

    @property
    def pods_by_addresses(self) -> int:
        """Return the pods that its addresses allow, as the VPC CNI counts them."""
        return self.interfaces * (self.addresses_per_interface - 1) + 2

    @property
    def max_pods(self) -> int:
        """Return the pods that its addresses allow, with EKS's cap of 110 (250 from 30 vCPU).

        Source: https://github.com/awslabs/amazon-eks-ami `max-pods-calculator.sh`.
        """
        return min(self.pods_by_addresses, 250 if self.vcpu > 30 else 110)

    @property
    def memory_mib(self) -> int:
        """Return the memory of a running instance, MiB: the hypervisor and the kernel keep some of the nominal."""
        return self.measured_mib or int(self.memory_gib * 1024 * _SURELY_THERE)

    @property
    def allocatable_cpu(self) -> float:
        """Return the cores that pods may use."""
        return allocatable_millicores(self.vcpu) / 1000

    @property
    def allocatable_memory_mib(self) -> int:
        """Return the MiB that pods may use: EKS keeps 255, 11 for each pod, and the 100 of the eviction threshold.

        It counts the pods that the addresses allow, also where it runs fewer.
        Source: https://awslabs.github.io/amazon-eks-ami/nodeadm/ (kubelet defaults).
        """
        return self.memory_mib - (255 + 11 * self.pods_by_addresses + 100)

    @property
    def allocatable_memory_gib(self) -> float:
        """Return the memory that pods may use, in GiB."""
        return self.allocatable_memory_mib / 1024

    @property
    def addresses(self) -> int:
        """Return the addresses that a full node takes from its subnet."""
        return self.interfaces * self.addresses_per_interface


def _read() -> dict[str, InstanceType]:
    table = json.loads(Path(__file__).with_name("instances.json").read_text(encoding="utf-8"))
    return {name: InstanceType(name, *row) for name, row in table["types"].items()}


INSTANCE_TYPES: dict[str, InstanceType] = _read()


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
