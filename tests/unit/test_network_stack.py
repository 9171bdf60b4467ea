from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from settings import parse_environment
from stacks.network_stack import NetworkStack
from tests.unit.settings_files import file_with
from tools.context import CONTEXT

REGION = "us-east-2"
EXISTING = {
    "vpc_id": "vpc-0123456789abcdef0",
    "private_subnet_ids": ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2", "subnet-0aaaaaaaaaaaaaaa3"],
    "public_subnet_ids": ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2", "subnet-0bbbbbbbbbbbbbbb3"],
    "private_route_table_ids": ["rtb-0ccccccccccccccc1"],
}
CIDR = "10.32.0.0/16"


def stack(*, account: str | None = None, removal: str = "destroy", **settings: Any) -> NetworkStack:
    zones = settings.get("zones", "abc")
    changes = (("account", account), ("removal_policy", removal), ("network", settings), ("queue.brokers", len(zones)))
    env = parse_environment(file_with(*changes), source="test")
    network = NetworkStack(cdk.App(context=CONTEXT), env=env)
    network.finish()
    return network


@functools.cache
def three_zones() -> Template:
    # GIVEN a new VPC over three zones with a NAT gateway in each and an endpoint for STS, not where CDK would put it
    return Template.from_stack(stack(cidr=CIDR, interface_endpoints=["sts"]))


@functools.cache
def two_zones() -> Template:
    # GIVEN a new VPC over two zones, with one NAT gateway and no flow logs
    return Template.from_stack(
        stack(
            cidr=CIDR,
            zones=["a", "c"],
            nat="single",
            flow_logs={"enabled": False},
            removal="retain",
            account="111122223333",
        )
    )


@functools.cache
def existing() -> Template:
    return Template.from_stack(stack(existing=EXISTING, interface_endpoints=["sts", "ecr.api"]))


def subnet_blocks(template: Template, kind: str) -> list[str]:
    found = template.find_resources(
        "AWS::EC2::Subnet", {"Properties": Match.object_like({"Tags": Match.array_with([_tag(kind)])})}
    )
    return sorted(resource["Properties"]["CidrBlock"] for resource in found.values())


def _tag(kind: str) -> dict[str, str]:
    return {"Key": f"kubernetes.io/role/{kind}", "Value": "1"}


def test_each_zone_has_one_private_and_one_public_subnet_tagged_for_load_balancers() -> None:
    # WHEN synthesized THEN
    template = three_zones()
    assert subnet_blocks(template, "internal-elb") == ["10.32.0.0/20", "10.32.16.0/20", "10.32.32.0/20"]
    assert subnet_blocks(template, "elb") == ["10.32.48.0/24", "10.32.49.0/24", "10.32.50.0/24"]


def test_a_third_zone_added_later_renumbers_no_private_subnet() -> None:
    # GIVEN two zones now WHEN a third comes THEN the first two keep their blocks
    assert subnet_blocks(two_zones(), "internal-elb") == subnet_blocks(three_zones(), "internal-elb")[:2]
    assert subnet_blocks(two_zones(), "elb") == subnet_blocks(three_zones(), "elb")[:2]


def test_zones_come_from_the_letters_of_the_settings() -> None:
    for letter in ("a", "c"):
        zone = {"Fn::Join": ["", [{"Ref": "AWS::Region"}, letter]]}
        two_zones().has_resource_properties("AWS::EC2::Subnet", {"AvailabilityZone": zone})


def test_nothing_is_looked_up_even_where_the_account_is_known() -> None:
    # GIVEN an account, with which CDK would ask AWS for its zones
    network = stack(account="111122223333")
    # WHEN synthesized THEN nothing is missing from the context
    assembly = cdk.App.of(network).synth()  # type: ignore[union-attr]  # the stack is in an App
    manifest = json.loads((Path(assembly.directory) / "manifest.json").read_text(encoding="utf-8"))
    assert "missing" not in manifest


@pytest.mark.parametrize(("template", "gateways"), [(three_zones, 3), (two_zones, 1)])
def test_nat_gateways_follow_the_setting(template: Any, gateways: int) -> None:
    template().resource_count_is("AWS::EC2::NatGateway", gateways)


def test_no_instance_gets_a_public_address_by_itself() -> None:
    subnets = three_zones().find_resources("AWS::EC2::Subnet")
    assert not [name for name, subnet in subnets.items() if subnet["Properties"].get("MapPublicIpOnLaunch")]


def test_default_security_group_is_closed() -> None:
    three_zones().resource_count_is("Custom::VpcRestrictDefaultSG", 1)


def test_s3_is_reached_by_a_gateway_endpoint_of_the_private_subnets() -> None:
    [endpoint] = (
        three_zones().find_resources("AWS::EC2::VPCEndpoint", {"Properties": {"VpcEndpointType": "Gateway"}}).values()
    )
    service = f"com.amazonaws.{REGION}.s3"
    assert endpoint["Properties"]["ServiceName"] in (
        service,
        {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".s3"]]},
    )
    tables = {table["Ref"] for table in endpoint["Properties"]["RouteTableIds"]}
    assert len([table for table in tables if "private" in table]) == 3


def test_flow_logs_go_to_a_log_group_that_ends() -> None:
    template = three_zones()
    template.has_resource_properties(
        "AWS::EC2::FlowLog", {"LogDestinationType": "cloud-watch-logs", "TrafficType": "ALL", "ResourceType": "VPC"}
    )
    groups = template.find_resources("AWS::Logs::LogGroup")
    assert groups
    # THEN that of the flow logs, and the guard's own
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {30, 90}
    assert {group["DeletionPolicy"] for group in groups.values()} == {"Delete"}


def test_flow_logs_can_be_switched_off() -> None:
    two_zones().resource_count_is("AWS::EC2::FlowLog", 0)


def test_every_function_has_a_log_group_of_the_stack() -> None:
    functions = three_zones().find_resources("AWS::Lambda::Function").values()
    assert functions
    for function in functions:
        assert "Ref" in function["Properties"]["LoggingConfig"]["LogGroup"]


def test_retained_log_groups_go_when_the_first_deployment_fails() -> None:
    groups = two_zones().find_resources("AWS::Logs::LogGroup").values()
    assert {group["DeletionPolicy"] for group in groups} == {"RetainExceptOnCreate"}


def test_interface_endpoints_admit_https_from_the_vpc_and_nothing_else() -> None:
    template = three_zones()
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
    )
    [group] = template.find_resources("AWS::EC2::SecurityGroup").values()
    [rule] = group["Properties"]["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == (CIDR, "tcp", 443, 443)
    assert group["Properties"]["SecurityGroupEgress"][0]["CidrIp"] == "255.255.255.255/32"


def kinds_but_the_guard(template: Template) -> set[str]:
    resources = template.to_json()["Resources"].items()
    return {resource["Type"] for name, resource in resources if not name.startswith("Guard")}


def test_existing_vpc_is_left_alone_but_for_endpoints() -> None:
    # GIVEN an existing VPC WHEN synthesized THEN
    assert kinds_but_the_guard(existing()) == {"AWS::EC2::VPCEndpoint", "AWS::EC2::SecurityGroup"}


def test_existing_vpc_gets_its_s3_endpoint_on_the_given_route_tables() -> None:
    existing().has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "VpcEndpointType": "Gateway",
            "VpcId": EXISTING["vpc_id"],
            "ServiceName": f"com.amazonaws.{REGION}.s3",
            "RouteTableIds": EXISTING["private_route_table_ids"],
        },
    )


def test_existing_vpc_without_additions_is_still_a_stack_that_cloudformation_takes() -> None:
    # GIVEN nothing to add
    template = Template.from_stack(stack(existing={**EXISTING, "private_route_table_ids": []}))
    # THEN the guard stands there alone, because a template without resources is refused
    assert kinds_but_the_guard(template) == set()
    assert template.find_resources("Custom::ChangeGuard")


@pytest.mark.parametrize("template", [three_zones, existing])
def test_vpc_id_is_an_output(template: Any) -> None:
    template().has_output("VpcId", {})


def test_private_subnets_can_be_selected_in_both_kinds_of_vpc() -> None:
    for network in (stack(), stack(existing=EXISTING)):
        assert len(network.vpc.select_subnets(subnet_type=network.private_subnets.subnet_type).subnet_ids) == 3
