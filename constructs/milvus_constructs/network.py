"""The network of Milvus: a new VPC, or an existing one by its ids."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.interface_endpoints import InterfaceEndpoints
from milvus_constructs.logs import retention
from milvus_constructs.removal import RemovalSetting, removal_policy
from settings.network import ExistingVpc, Network

_MAX_ZONES = 3


class MilvusNetwork(Construct):
    """Private subnets for nodes and brokers, public ones for NAT and load balancers, and a free way to S3.

    A new VPC gets one private and one public subnet per zone, tagged for the AWS Load Balancer Controller, a closed
    default security group, flow logs and an S3 gateway endpoint. Address space is kept for three zones, so that the
    subnets of two keep theirs in whatever comes later; brokers never change their zones. An existing VPC is taken as
    it is; at most endpoints are added. Nothing is looked up at synth: zones are letters, an existing VPC is named by
    ids.

    NAT gateways cost by hour and by GB, an interface endpoint by zone and hour, flow logs by GB. The address range and
    the zones of a subnet cannot be changed without replacing what lives there. Subnet tags:
    https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html

    Example:
        >>> network = MilvusNetwork(self, "Network", settings=env.network, removal=env.removal_policy)
        >>> network.vpc, network.private_subnets
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Network, removal: RemovalSetting) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        # By the region's pseudo parameter: a zone's full name in a template is what cfn-lint warns of (W3010).
        self._zones = [f"{cdk.Aws.REGION}{letter}" for letter in settings.zones]
        self.vpc: ec2.IVpc
        """The VPC."""
        if settings.existing is None:
            new = self._new_vpc()
            self._flow_logs(new, removal)
            self.vpc = new
        else:
            self.vpc = self._existing_vpc(settings.existing)
            self._s3_endpoint(settings.existing)
        self.private_subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        """Where nodes, brokers and internal load balancers live: one subnet per zone."""
        if settings.interface_endpoints:
            InterfaceEndpoints(
                self,
                "Endpoints",
                vpc=self.vpc,
                subnets=self.private_subnets,
                services=settings.interface_endpoints,
                client_cidrs=settings.cidrs,
            )

    def _new_vpc(self) -> ec2.Vpc:
        zones = len(self._zones)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(self._settings.cidr),
            availability_zones=self._zones,
            reserved_azs=_MAX_ZONES - zones,
            nat_gateways=1 if self._settings.nat == "single" else zones,
            restrict_default_security_group=True,
            subnet_configuration=[
                # The larger ones first: the smaller then follow without a gap.
                ec2.SubnetConfiguration(
                    name="private",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=self._settings.private_subnet_prefix,
                ),
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=self._settings.public_subnet_prefix,
                    # NAT gateways and load balancers bring addresses of their own; nothing else belongs here.
                    map_public_ip_on_launch=False,
                ),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        for subnet in vpc.private_subnets:
            cdk.Tags.of(subnet).add("kubernetes.io/role/internal-elb", "1")
        for subnet in vpc.public_subnets:
            cdk.Tags.of(subnet).add("kubernetes.io/role/elb", "1")
        return vpc

    def _flow_logs(self, vpc: ec2.Vpc, removal: RemovalSetting) -> None:
        flow_logs = self._settings.flow_logs
        if not flow_logs.enabled:
            reason = "The environment's file switches flow logs off (network.flow_logs.enabled: false)."
            acknowledge(vpc, {"AwsSolutions-VPC7": reason})
            return
        group = logs.LogGroup(
            self,
            "FlowLogGroup",
            retention=retention(flow_logs.retention_days),
            removal_policy=removal_policy(removal),
        )
        vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType(flow_logs.traffic),
        )

    def _existing_vpc(self, existing: ExistingVpc) -> ec2.IVpc:
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=existing.vpc_id,
            vpc_cidr_block=self._settings.cidr,
            region=cdk.Stack.of(self).region,
            availability_zones=self._zones,
            private_subnet_ids=list(existing.private_subnet_ids),
            public_subnet_ids=list(existing.public_subnet_ids) or None,
        )
        for subnet in [*vpc.private_subnets, *vpc.public_subnets]:
            # CDK warns that the subnet's route table is unknown; nothing here asks a subnet for it.
            reason = "Route tables are given by network.existing.private_route_table_ids, not by subnet."
            acknowledge(subnet, {"Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId": reason})
        return vpc

    def _s3_endpoint(self, existing: ExistingVpc) -> None:
        if not existing.private_route_table_ids:
            return
        # The L1 resource, because the L2 one takes route tables from subnets, which are only known by id here.
        ec2.CfnVPCEndpoint(
            self,
            "S3Endpoint",
            vpc_id=existing.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{cdk.Stack.of(self).region}.s3",
            route_table_ids=list(existing.private_route_table_ids),
        )
