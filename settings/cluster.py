"""Settings of the EKS cluster and its node groups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, DnsLabel, KeyArn, RoleArn, Settings
from settings.eks_versions import DEFAULT_EKS_VERSION

LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
LabelKey = Annotated[str, Field(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]

# https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
MOST_NODES = 450
# A security group takes 60 rules, and the VPC's ranges need some of them.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
_MOST_PRIVATE_CIDRS = 50


class Taint(Settings):
    """Keeps pods without the matching toleration off the nodes of a group."""

    key: LabelKey = Field(description="Key of the taint.")
    value: LabelValue = Field(default="", description="Value of the taint.")
    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = Field(
        default="NO_SCHEDULE", description="What happens to pods that do not tolerate it."
    )


class NodeGroup(Settings):
    """One managed node group: AL2023, IMDSv2, encrypted gp3 root volume."""

    instance_types: tuple[str, ...] = Field(
        min_length=1,
        description="EC2 instance types of one processor architecture; several only make sense for spot capacity.",
    )
    min_size: int = Field(default=1, ge=0, le=MOST_NODES, description="Fewest nodes.")
    desired_size: int = Field(
        ge=0, le=MOST_NODES, description="Nodes. Nothing scales them by itself, so they have to hold all pods."
    )
    max_size: int = Field(
        ge=1,
        le=MOST_NODES,
        description="Most nodes that anybody may scale to; the subnets must have addresses for them.",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, description="Labels of the nodes; the label node-group=<name> is always added."
    )
    taints: tuple[Taint, ...] = Field(default=(), description="Taints of the nodes.")
    spot: bool = Field(default=False, description="Spot capacity: cheaper, and taken away at two minutes' notice.")
    disk_gib: int = Field(default=80, ge=20, le=16384, description="Root volume in GiB; images and logs live there.")


ControlPlaneLog = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]


class Cluster(Settings):
    """The EKS cluster: version, access, logging and nodes."""

    version: str = Field(
        default=DEFAULT_EKS_VERSION, pattern=r"^1\.\d{2}$", description="Kubernetes version of the cluster."
    )
    endpoint: Literal["private", "public-and-private"] = Field(
        default="private", description="Where the Kubernetes API can be reached from."
    )
    public_cidrs: tuple[Cidr, ...] = Field(
        default=(), description="Who may reach the public endpoint; needed when there is one."
    )
    private_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        max_length=_MOST_PRIVATE_CIDRS,
        description="Who else may reach the private endpoint, such as a VPN or a peered network; the VPC's own ranges "
        "always may.",
    )
    admin_role_arns: tuple[RoleArn, ...] = Field(
        default=(),
        description="IAM roles that administer the cluster, each by an access entry. Without one, nobody but the "
        "deployment itself can use kubectl.",
    )
    logging: tuple[ControlPlaneLog, ...] = Field(
        default=("api", "audit", "authenticator"), description="Control-plane logs sent to CloudWatch Logs."
    )
    volume_key_arn: KeyArn | None = Field(
        default=None,
        description="KMS key of the volumes of nodes and etcd, where the account's default for EBS is a key that "
        "does not admit them; its policy has to admit Auto Scaling (docs/security.md). Empty means the account's "
        "default. Cannot change once deployed.",
    )
    node_groups: dict[DnsLabel, NodeGroup] = Field(min_length=1, description="Managed node groups by name.")
