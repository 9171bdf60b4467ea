"""Settings of the network: a new VPC, or an existing one by ids."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, LogRetentionDays, Settings
from settings.changes import IN_PLACE, NONE, never

ZoneLetter = Annotated[str, Field(pattern=r"^[a-z]$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
RouteTableId = Annotated[str, Field(pattern=r"^rtb-[0-9a-f]{8,17}$")]
InterfaceEndpoint = Literal[
    "ecr.api", "ecr.dkr", "sts", "ec2", "logs", "secretsmanager", "kms", "elasticloadbalancing", "eks", "eks-auth"
]


class ExistingVpc(Settings):
    """A VPC that somebody else owns. Nothing is looked up: what is needed is named here."""

    vpc_id: str = Field(pattern=r"^vpc-[0-9a-f]{8,17}$", description="Id of the VPC.", json_schema_extra=never())
    private_subnet_ids: tuple[SubnetId, ...] = Field(
        min_length=2,
        description="Private subnets with a way out to the internet (NAT), one per zone, "
        "in the order of `network.zones`.",
        json_schema_extra=never(),
    )
    public_subnet_ids: tuple[SubnetId, ...] = Field(
        default=(),
        description="Public subnets in the order of `network.zones`; needed only for internet-facing load balancers. "
        "They must carry the tag kubernetes.io/role/elb=1.",
        json_schema_extra=NONE,
    )
    secondary_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="Further address ranges of the VPC, such as 100.64.0.0/16, when subnets or clients are in them; "
        "`network.cidr` is the first range.",
        json_schema_extra=IN_PLACE,
    )
    private_route_table_ids: tuple[RouteTableId, ...] = Field(
        default=(),
        description="Route tables of the private subnets. Given: an S3 gateway endpoint is added to them. "
        "Empty: the VPC already has one.",
        json_schema_extra=IN_PLACE,
    )


class FlowLogs(Settings):
    """VPC flow logs in CloudWatch Logs."""

    enabled: bool = Field(
        default=True, description="Record the traffic of the VPC (new VPCs only).", json_schema_extra=IN_PLACE
    )
    retention_days: LogRetentionDays = Field(
        default=30, description="Days that the records are kept.", json_schema_extra=IN_PLACE
    )
    traffic: Literal["ALL", "ACCEPT", "REJECT"] = Field(
        default="ALL", description="Which traffic is recorded.", json_schema_extra=IN_PLACE
    )


class Network(Settings):
    """The VPC: its address range, zones, way out, endpoints and flow logs."""

    cidr: Cidr = Field(
        default="10.0.0.0/16",
        description="Address range of the VPC; with `existing`, the range that VPC has.",
        json_schema_extra=never(),
    )
    zones: tuple[ZoneLetter, ...] = Field(
        default=("a", "b", "c"),
        min_length=2,
        max_length=3,
        description="Availability zones as letters that follow the region's name. Brokers and etcd spread over them.",
        json_schema_extra=never(),
    )
    private_subnet_prefix: int = Field(
        default=20,
        ge=16,
        le=26,
        description="Prefix length of a private subnet; pods take their addresses from there. With `existing`, that of "
        "the smallest subnet.",
        json_schema_extra=never(),
    )
    public_subnet_prefix: int = Field(
        default=24,
        ge=16,
        le=28,
        description="Prefix length of a public subnet: NAT gateways and load balancers.",
        json_schema_extra=never(),
    )
    nat: Literal["single", "per-zone"] = Field(
        default="per-zone",
        description="NAT gateways. `single` is cheaper, but its zone's failure cuts every zone off from the internet.",
        json_schema_extra=IN_PLACE,
    )
    interface_endpoints: tuple[InterfaceEndpoint, ...] = Field(
        default=(),
        description="Interface endpoints to create; each costs by zone and hour, and all together replace no NAT. S3 "
        "has a free gateway one.",
        json_schema_extra=IN_PLACE,
    )
    flow_logs: FlowLogs = Field(default_factory=FlowLogs, description="VPC flow logs.")
    existing: ExistingVpc | None = Field(
        default=None,
        description="An existing VPC by ids; empty means that a VPC is created.",
        json_schema_extra=never(),
    )

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Return every address range of the VPC."""
        return (self.cidr, *(self.existing.secondary_cidrs if self.existing else ()))
