"""The Network stack: a VPC of its own, or an existing one with endpoints added."""

from __future__ import annotations

from typing import Unpack

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from milvus_constructs.network import MilvusNetwork
from milvus_constructs.provider_logs import manage_provider_logs
from milvus_constructs.removal import RemovalSetting
from settings import output_keys
from settings.network import Network
from stacks.options import StackOptions


class NetworkStack(cdk.Stack):
    """Where everything else lives. Its subnets cannot go while a broker, a node or a load balancer is there."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Network,
        removal: RemovalSetting,
        **options: Unpack[StackOptions],
    ) -> None:
        self._zone_letters = settings.zones
        super().__init__(scope, construct_id, **options)
        network = MilvusNetwork(self, "Network", settings=settings, removal=removal)
        self.vpc: ec2.IVpc = network.vpc
        """The VPC."""
        self.private_subnets = network.private_subnets
        """Selects the private subnets: one per zone."""
        manage_provider_logs(self, days=settings.flow_logs.retention_days, removal=removal)
        cdk.CfnOutput(self, output_keys.VPC_ID, value=self.vpc.vpc_id, description="Id of the VPC.")

    @property
    def availability_zones(self) -> list[str]:
        """Return the zones of the settings: with an account given, CDK would look them up in AWS at synth."""
        return [f"{cdk.Aws.REGION}{letter}" for letter in self._zone_letters]
