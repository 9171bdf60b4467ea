"""Interface endpoints: AWS services that are reached without leaving the VPC."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct


class InterfaceEndpoints(Construct):
    """One interface endpoint per service, with private DNS, behind a security group that admits HTTPS from the VPC.

    Each endpoint costs by zone and hour, and by GB. Private DNS of a service can be had once per VPC: in an existing
    VPC that already has one of these endpoints, leave that service out.

    Example:
        >>> InterfaceEndpoints(
        ...     self, "Endpoints", vpc=vpc, subnets=private, services=["sts", "ecr.api"], client_cidrs=["10.0.0.0/16"]
        ... )
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        services: Sequence[str],
        client_cidrs: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="HTTPS from the VPC to the interface endpoints",
            allow_all_outbound=False,
        )
        for cidr in client_cidrs:
            self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "HTTPS from the VPC")
        for service in services:
            ec2.InterfaceVpcEndpoint(
                self,
                service.replace(".", "-"),
                vpc=vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service, port=443),
                subnets=subnets,
                security_groups=[self.security_group],
                private_dns_enabled=True,
                open=False,
            )
