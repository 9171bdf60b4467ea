"""Puts a VPC that exists before the first deployment into the account: what an existing-VPC environment builds on."""

from __future__ import annotations

from typing import Any

from rehearsal.account.options import ExistingNetwork


def seed(ec2: Any, network: ExistingNetwork) -> None:
    """Create the VPC and its subnets under the ids that the settings name."""
    makers = ec2._new_vpc_id, ec2._new_subnet_id
    try:
        ec2._new_vpc_id = lambda: network.vpc_id
        ec2._create_vpc({"CidrBlock": [network.cidr]})
        # As docs/operations.md demands of a VPC of somebody else.
        ec2._vpcs[network.vpc_id] |= {"EnableDnsHostnames": True, "EnableDnsSupport": True}
        # And a way out, of whoever's VPC it is.
        out = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0123456789abcdef0", "State": "active"}
        for table in ec2._route_tables.values():
            if table["VpcId"] == network.vpc_id:
                table["Routes"].append(out)
        for subnet in network.subnets:
            ec2._new_subnet_id = lambda subnet_id=subnet.subnet_id: subnet_id
            wanted = {"VpcId": [network.vpc_id], "CidrBlock": [subnet.cidr], "AvailabilityZone": [subnet.zone]}
            ec2._create_subnet(wanted)
    finally:
        ec2._new_vpc_id, ec2._new_subnet_id = makers
