"""EC2's rules for addresses, NAT gateways, flow logs, security groups, ranges of subnets and subnets in use."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.account.base import Request
from rehearsal.account.network import HANDLERS, check_security_group, check_subnet
from rehearsal.account.occupants import require_empty
from rehearsal.account.refusals import ResourceError


def _request(properties: dict[str, Any], *, physical_id: str = "", **calls: Any) -> Request:
    ec2 = SimpleNamespace(**calls)
    return Request(
        type_name="T",
        logical_id="L",
        stack="s",
        properties=properties,
        aws=lambda _service: ec2,
        physical_id=physical_id,
    )


def test_ref_of_an_address_is_the_address() -> None:
    # GIVEN
    allocate = {"PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1"}
    # WHEN
    created = HANDLERS["AWS::EC2::EIP"].create(_request({}, allocate_address=lambda **_: allocate))
    # THEN
    assert created == ("192.0.2.1", {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1"})


def test_an_address_in_use_is_not_released() -> None:
    gateway = {"State": "available", "NatGatewayAddresses": [{"AllocationId": "eipalloc-1"}]}
    request = _request(
        {},
        physical_id="192.0.2.1",
        describe_addresses=lambda: {"Addresses": [{"PublicIp": "192.0.2.1", "AllocationId": "eipalloc-1"}]},
        describe_nat_gateways=lambda: {"NatGateways": [gateway]},
    )
    with pytest.raises(ResourceError, match=r"Address 192.0.2.1 is in use\."):
        HANDLERS["AWS::EC2::EIP"].delete(request)


def test_a_public_nat_gateway_needs_an_address() -> None:
    with pytest.raises(ResourceError, match="must specify an allocation ID"):
        HANDLERS["AWS::EC2::NatGateway"].create(_request({"SubnetId": "subnet-1"}))


def test_a_nat_gateway_needs_an_existing_subnet() -> None:
    request = _request(
        {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"}, describe_subnets=lambda **_: {"Subnets": []}
    )
    with pytest.raises(ResourceError, match="The subnet ID 'subnet-1' does not exist"):
        HANDLERS["AWS::EC2::NatGateway"].create(request)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ResourceId": "vpc-1", "ResourceType": "VPC"}, "DeliverLogsPermissionArn can't be empty"),
        (
            {
                "ResourceId": "vpc-1",
                "ResourceType": "VPC",
                "DeliverLogsPermissionArn": "r",
                "MaxAggregationInterval": 30,
            },
            "MaxAggregationInterval must be 60 or 600",
        ),
    ],
)
def test_a_flow_log_that_ec2_refuses_is_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        HANDLERS["AWS::EC2::FlowLog"].create(_request(properties))


def _groups(GroupIds: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
    if "sg-gone" in GroupIds:
        raise ClientError({"Error": {"Code": "InvalidGroup.NotFound", "Message": "sg-gone does not exist"}}, "Describe")
    return {"SecurityGroups": [{"GroupId": name} for name in GroupIds]}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"GroupId": "sg-1", "IpProtocol": "tcp"}, "Exactly one of CidrIp"),
        (
            {"GroupId": "sg-1", "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "SourceSecurityGroupId": "sg-2"},
            "Exactly one",
        ),
        ({"GroupId": "sg-1", "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}, "from and to ports"),
        (
            {"GroupId": "sg-1", "IpProtocol": "udp", "CidrIp": "10.0.0.0/8", "FromPort": 53},
            "Must specify both from and to ports",
        ),
        (
            {"GroupId": "sg-1", "IpProtocol": 6, "CidrIp": "10.0.0.0/8", "FromPort": "-1", "ToPort": 443},
            r"TCP/UDP port \(-1\) out of range",
        ),
        (
            {"GroupId": "sg-1", "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "FromPort": 443, "ToPort": 80},
            r"Invalid TCP/UDP port range \(443:80\)",
        ),
        ({"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}, "must contain the parameter GroupId"),
        ({"GroupId": "sg-1", "IpProtocol": "-1", "SourceSecurityGroupId": "sg-gone"}, "sg-gone does not exist"),
    ],
)
def test_a_security_group_rule_that_ec2_refuses_is_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        HANDLERS["AWS::EC2::SecurityGroupIngress"].create(_request(properties, describe_security_groups=_groups))


def test_a_security_group_rule_admits_the_peer_on_its_port() -> None:
    # GIVEN
    seen: list[dict[str, Any]] = []

    def authorize(**arguments: Any) -> dict[str, Any]:
        seen.append(arguments)
        return {"SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-1"}]}

    properties = {
        "GroupId": "sg-1",
        "SourceSecurityGroupId": "sg-2",
        "IpProtocol": "tcp",
        "FromPort": "9096",
        "ToPort": 9096,
    }
    # WHEN
    request = _request(properties, describe_security_groups=_groups, authorize_security_group_ingress=authorize)
    created = HANDLERS["AWS::EC2::SecurityGroupIngress"].create(request)
    # THEN
    assert created.physical_id == "sgr-1"
    expected = {"IpProtocol": "tcp", "FromPort": 9096, "ToPort": 9096, "UserIdGroupPairs": [{"GroupId": "sg-2"}]}
    assert seen == [{"GroupId": "sg-1", "IpPermissions": [expected]}]


def test_a_subnet_with_brokers_in_it_is_not_deleted() -> None:
    cluster = {"ClusterArn": "arn:kafka", "BrokerNodeGroupInfo": {"ClientSubnets": ["subnet-1"]}}
    services = {
        "kafka": SimpleNamespace(list_clusters=lambda: {"ClusterInfoList": [cluster]}),
        "eks": SimpleNamespace(list_clusters=lambda: {"clusters": []}),
        "ec2": SimpleNamespace(describe_nat_gateways=lambda: {"NatGateways": []}),
    }
    with pytest.raises(ResourceError, match=r"The subnet 'subnet-1' has dependencies .* arn:kafka"):
        require_empty("subnet-1", lambda name: services[name])
    require_empty("subnet-2", lambda name: services[name])


def _in_vpc(cidr: str, **more: Any) -> Request:
    """A subnet that is wanted in 10.0.0.0/16 and 10.1.0.0/16, where 10.0.1.0/24 is taken."""
    vpc = {"CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": [{"CidrBlock": "10.1.0.0/16"}]}
    return _request(
        {"VpcId": "vpc-1", "CidrBlock": cidr, **more},
        describe_vpcs=lambda **_: {"Vpcs": [vpc]},
        describe_subnets=lambda **_: {"Subnets": [{"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}]},
    )


@pytest.mark.parametrize("cidr", ["10.0.2.0/24", "10.1.0.0/16", "10.0.0.0/28"])
def test_a_subnet_in_a_free_range_of_its_vpc_is_accepted(cidr: str) -> None:
    check_subnet(_in_vpc(cidr))


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("192.168.0.0/24", r"The CIDR '192\.168\.0\.0/24' is invalid\."),
        ("10.0.0.0/15", "is invalid"),
        ("10.0.2.0/29", "is invalid"),
        ("10.0.2.0/33", "is invalid"),
        ("fd00::/64", "is invalid"),
        ("10.0.0.0/20", r"The CIDR '10\.0\.0\.0/20' conflicts with another subnet"),
        ("10.0.1.128/28", "conflicts with another subnet"),
    ],
)
def test_a_subnet_that_ec2_refuses_is_refused(cidr: str, message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        check_subnet(_in_vpc(cidr))


def test_a_subnet_does_not_conflict_with_itself_when_it_is_updated() -> None:
    request = _in_vpc("10.0.1.0/24", MapPublicIpOnLaunch=True)
    check_subnet(replace(request, previous={"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}))


def test_a_security_group_is_checked_rule_by_rule() -> None:
    rules = [{"IpProtocol": "-1"}, {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}]
    check_security_group(_request({"SecurityGroupEgress": rules}))
    rules.append({"IpProtocol": "tcp", "FromPort": 70000, "ToPort": 70000})
    with pytest.raises(ResourceError, match=r"TCP/UDP port \(70000\) out of range"):
        check_security_group(_request({"SecurityGroupEgress": rules}))
