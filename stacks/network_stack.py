"""The Network stack: a VPC of its own, or an existing one with endpoints added."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from milvus_constructs.network import MilvusNetwork
from settings import Environment, output_keys
from settings.parts import Part
from stacks.base import EnvironmentStack


class NetworkStack(EnvironmentStack):
    """Where everything else lives. Its subnets cannot go while a broker, a node or a load balancer is there."""

    def __init__(self, scope: Construct, *, env: Environment) -> None:
        self._zone_letters = env.network.zones
        super().__init__(scope, Part.NETWORK, env=env, description="the VPC, or endpoints in an existing one")
        network = MilvusNetwork(self, "Network", settings=env.network, removal=env.removal_policy)
        self.vpc: ec2.IVpc = network.vpc
        """The VPC."""
        self.private_subnets = network.private_subnets
        """Selects the private subnets: one per zone."""
        cdk.CfnOutput(self, output_keys.VPC_ID, value=self.vpc.vpc_id, description="Id of the VPC.")

    @property
    def availability_zones(self) -> list[str]:
        """Return the zones of the settings: with an account given, CDK would look them up in AWS at synth."""
        return [f"{cdk.Aws.REGION}{letter}" for letter in self._zone_letters]
