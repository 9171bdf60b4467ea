"""Settings of the EKS cluster and its node groups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, DnsLabel, KeyArn, RoleArn, Settings
from settings.changes import IN_PLACE, Effect, change, never
from settings.eks_versions import DEFAULT_EKS_VERSION

_ANOTHER_GROUP = change(
    Effect.REPLACES_NODE_GROUP,
    "the node group",
    remedy="without an interruption: add a second group, point `node_group` at it, deploy, then remove the old one",
)
_TAINT = change(Effect.RESTARTS_PODS, "what is bound to the group, and has to tolerate it")
_GROUPS = change(
    Effect.REPLACES_NODE_GROUP,
    "a group that is no longer named; one that is added comes beside the others",
    remedy="point every `node_group` at the groups that stay, and deploy, before you remove one",
)
_VERSION = change(
    Effect.ROLLS_NODES, "control plane, add-ons, then all nodes", only_grows=True, remedy="one minor version at a time"
)

LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
LabelKey = Annotated[str, Field(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]

# https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
MOST_NODES = 450
# A security group takes 60 rules, and the VPC's ranges need some of them.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
_MOST_PRIVATE_CIDRS = 50
_ROLLS_NODES = change(Effect.ROLLS_NODES, "the group's nodes")


class Taint(Settings):
    """Keeps pods without the matching toleration off the nodes of a group."""

    key: LabelKey = Field(description="Key of the taint.", json_schema_extra=_TAINT)
    value: LabelValue = Field(default="", description="Value of the taint.", json_schema_extra=_TAINT)
    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = Field(
        default="NO_SCHEDULE", description="What happens to pods that do not tolerate it.", json_schema_extra=_TAINT
    )


class NodeGroup(Settings):
    """One managed node group: AL2023, IMDSv2, encrypted gp3 root volume."""

    instance_types: tuple[str, ...] = Field(
        min_length=1,
        description="EC2 instance types of one processor architecture; several only make sense for spot capacity.",
        json_schema_extra=_ANOTHER_GROUP,
    )
    min_size: int = Field(default=1, ge=0, le=MOST_NODES, description="Fewest nodes.", json_schema_extra=IN_PLACE)
    desired_size: int = Field(
        ge=0,
        le=MOST_NODES,
        description="Nodes. Nothing scales them by itself, so they have to hold all pods.",
        json_schema_extra=IN_PLACE,
    )
    max_size: int = Field(
        ge=1,
        le=MOST_NODES,
        description="Most nodes that anybody may scale to; the subnets must have addresses for them.",
        json_schema_extra=IN_PLACE,
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        description="Labels of the nodes; the label node-group=<name> is always added.",
        json_schema_extra=IN_PLACE,
    )
    taints: tuple[Taint, ...] = Field(default=(), description="Taints of the nodes.", json_schema_extra=_TAINT)
    spot: bool = Field(
        default=False,
        description="Spot capacity: cheaper, and taken away at two minutes' notice.",
        json_schema_extra=_ANOTHER_GROUP,
    )
    disk_gib: int = Field(
        default=80,
        ge=20,
        le=16384,
        description="Root volume in GiB: images, logs, and the local disk of pods (`disk_gib` of each component).",
        json_schema_extra=_ROLLS_NODES,
    )
    disk_iops: int | None = Field(
        default=None,
        ge=3000,
        le=16000,
        description="I/O operations a second of the root volume, at most 500 for each GiB; empty means 3,000, which "
        "cost nothing more.",
        json_schema_extra=_ROLLS_NODES,
    )
    disk_throughput: int | None = Field(
        default=None,
        ge=125,
        le=1000,
        description="Throughput of the root volume in MiB/s, at most a quarter of the operations; empty means 125, "
        "which cost nothing more.",
        json_schema_extra=_ROLLS_NODES,
    )
    local_storage: Literal["none", "raid0"] = Field(
        default="none",
        description="The instances' own NVMe disks: with `raid0` they are one, and hold images and the local disk of "
        "pods instead of the root volume; with `none` nothing uses them.",
        json_schema_extra=_ROLLS_NODES,
    )


ControlPlaneLog = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]


class Cluster(Settings):
    """The EKS cluster: version, access, logging and nodes."""

    version: str = Field(
        default=DEFAULT_EKS_VERSION,
        pattern=r"^1\.\d{2}$",
        description="Kubernetes version of the cluster.",
        json_schema_extra=_VERSION,
    )
    endpoint: Literal["private", "public-and-private"] = Field(
        default="private", description="Where the Kubernetes API can be reached from.", json_schema_extra=IN_PLACE
    )
    public_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="Who may reach the public endpoint; needed when there is one.",
        json_schema_extra=IN_PLACE,
    )
    private_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        max_length=_MOST_PRIVATE_CIDRS,
        description="Who else may reach the private endpoint, such as a VPN or a peered network; the VPC's own ranges "
        "always may.",
        json_schema_extra=IN_PLACE,
    )
    admin_role_arns: tuple[RoleArn, ...] = Field(
        default=(),
        description="IAM roles that administer the cluster, each by an access entry. Without one, nobody but the "
        "deployment itself can use kubectl.",
        json_schema_extra=IN_PLACE,
    )
    logging: tuple[ControlPlaneLog, ...] = Field(
        default=("api", "audit", "authenticator"),
        description="Control-plane logs sent to CloudWatch Logs.",
        json_schema_extra=IN_PLACE,
    )
    volume_key_arn: KeyArn | None = Field(
        default=None,
        description="KMS key of the volumes of nodes and etcd, where the account's default for EBS is a key that "
        "does not admit them; its policy has to admit Auto Scaling (docs/security.md). Empty means the account's "
        "default. Cannot change once deployed.",
        json_schema_extra=never(),
    )
    node_groups: dict[DnsLabel, NodeGroup] = Field(
        min_length=1, description="Managed node groups by name.", json_schema_extra=_GROUPS
    )
