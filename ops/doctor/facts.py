"""What was read of an account, and what could not be read: nothing in here judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

from settings.pipeline import Pipeline


@dataclass(frozen=True)
class Unread:
    """A fact that AWS did not tell: why, and the permission that its call needs."""

    reason: str
    permission: str


Fact = TypeVar("Fact")
Maybe: TypeAlias = Fact | Unread


class Quota(NamedTuple):
    """A quota in Service Quotas; its code is the same in every account and region."""

    service: str
    code: str
    name: str
    """What is counted, as messages say it."""


VCPUS = Quota("ec2", "L-1216C47A", "vCPUs of running On-Demand Standard instances")
SPOT_VCPUS = Quota("ec2", "L-34B43A08", "vCPUs of Standard Spot instances")
ELASTIC_IPS = Quota("ec2", "L-0263D0A3", "Elastic IP addresses")
VPCS = Quota("vpc", "L-F678F1CE", "VPCs")
NETWORK_LOAD_BALANCERS = Quota("elasticloadbalancing", "L-69A177A2", "Network Load Balancers")
APPLICATION_LOAD_BALANCERS = Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers")
LAMBDA_EXECUTIONS = Quota("lambda", "L-B99A9384", "concurrent Lambda executions")
BUILDS = Quota("codebuild", "L-9D07B6EF", "concurrently running Linux/Small builds of CodeBuild")


@dataclass(frozen=True)
class Allowance:
    """How much an account may have of something, and how much of that others than this environment have taken."""

    quota: Maybe[int]
    used: Maybe[int]


@dataclass(frozen=True)
class Zone:
    """An availability zone as this account sees it."""

    name: str
    zone_id: str
    state: str


@dataclass(frozen=True)
class Vpc:
    """A VPC that exists."""

    cidrs: tuple[str, ...]
    dns_support: bool
    dns_hostnames: bool


@dataclass(frozen=True)
class Subnet:
    """A subnet that exists."""

    vpc_id: str
    zone: str
    free: int
    """Addresses that nothing has taken."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KeptBucket:
    """A bucket that exists, and its key."""

    region: str
    key: str
    """Id or ARN of the key that encrypts what is written without another; empty where it is none of KMS."""
    key_state: str
    """State of the key that the settings name; empty where there is none."""
    private: bool
    """Whether it blocks everything public."""
    owns: bool
    """Whether all objects belong to its owner, whoever wrote them."""


@dataclass(frozen=True)
class StackState:
    """A stack that exists."""

    state: str
    protected: bool
    """Whether its termination protection is on."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of an account, for one environment."""

    account: str
    caller: str
    """ARN of whom the credentials are."""
    bootstrap: Maybe[int | None]
    """Version of the bootstrap; None where there is none."""
    allowances: dict[Quota, Allowance]
    lambda_executions: Maybe[int]
    builds: Maybe[int]
    pipelines: Maybe[dict[str, Pipeline]]
    """Pipelines beside the environment's file, by their files' names."""
    zones: Maybe[tuple[Zone, ...]]
    offered: Maybe[frozenset[tuple[str, str]]]
    """EC2 instance types, each with a zone that has it."""
    kafka_versions: Maybe[dict[str, str]]
    """Kafka versions of MSK with their status."""
    kubernetes: Maybe[str | None]
    """Status of the environment's Kubernetes version on EKS; None where EKS does not have it."""
    addons: dict[str, Maybe[tuple[str, ...]]]
    """Builds of each add-on for that Kubernetes version."""
    bucket: Maybe[KeptBucket | None]
    """The existing bucket; None where there is none of its name, or none is wanted."""
    vpc: Maybe[Vpc | None]
    """The existing VPC; None where there is none of its id, or none is wanted."""
    subnets: Maybe[dict[str, Subnet]]
    """Those of the environment's subnets that exist, by their ids."""
    ways_out: Maybe[frozenset[str]]
    """Those of the existing private subnets whose route table has a default route that leads somewhere."""
    stacks: dict[str, Maybe[StackState | None]]
    """The environment's stacks by name; None for one that does not exist."""
    eks_cluster: Maybe[bool]
    msk_cluster: Maybe[bool]
    """Whether something has the name that the environment will give."""
    waiting_secrets: Maybe[tuple[str, ...]]
    """Names of Kafka secrets of an earlier deployment that wait for their deletion."""
