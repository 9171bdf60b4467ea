"""What `ops doctor` holds an account against is what the templates create, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from settings.instances import INSTANCE_TYPES
from settings.needs import BOOTSTRAP_VERSION, needs_of
from tests.assemblies import EVERY_FIXTURE, assembly, environment, kubernetes_objects, templates

every_environment = pytest.mark.parametrize("name", EVERY_FIXTURE)


def _resources(name: str, kind: str) -> Iterator[dict[str, Any]]:
    for template in templates(name).values():
        for resource in template["Resources"].values():
            if resource["Type"] == kind:
                yield resource.get("Properties", {})


def _number(name: str, kind: str) -> int:
    return len(list(_resources(name, kind)))


@every_environment
def test_quotas_are_those_of_the_resources(name: str) -> None:
    needs = needs_of(environment(name))
    nodes = list(_resources(name, "AWS::EKS::Nodegroup"))
    on_demand = [each for each in nodes if each.get("CapacityType") != "SPOT"]

    def vcpus(groups: list[dict[str, Any]], size: str) -> int:
        return sum(
            group["ScalingConfig"][size] * max(INSTANCE_TYPES[kind].vcpu for kind in group["InstanceTypes"])
            for group in groups
        )

    assert nodes
    assert needs.on_demand_vcpus == vcpus(on_demand, "DesiredSize")
    assert needs.on_demand_vcpus_at_most == vcpus(on_demand, "MaxSize")
    assert needs.spot_vcpus == vcpus([each for each in nodes if each not in on_demand], "DesiredSize")
    assert needs.elastic_ips == _number(name, "AWS::EC2::EIP")
    assert needs.vpcs == _number(name, "AWS::EC2::VPC")


@every_environment
def test_load_balancers_are_those_of_the_kubernetes_objects(name: str) -> None:
    needs, objects = needs_of(environment(name)), kubernetes_objects(name)

    services = [each for each in objects if each.get("spec", {}).get("type") == "LoadBalancer"]
    assert needs.network_load_balancers == len(services)
    assert needs.application_load_balancers == len([each for each in objects if each["kind"] == "Ingress"])


@every_environment
def test_versions_and_types_are_those_of_the_resources(name: str) -> None:
    needs = needs_of(environment(name))

    assert {each["Version"] for each in _resources(name, "AWS::EKS::Cluster")} == {needs.kubernetes}
    addons = {each["AddonName"]: each["AddonVersion"] for each in _resources(name, "AWS::EKS::Addon")}
    assert addons == needs.addons
    groups = sorted(tuple(each["InstanceTypes"]) for each in _resources(name, "AWS::EKS::Nodegroup"))
    assert groups == sorted(needs.instance_types.values())
    brokers = {
        (each["KafkaVersion"], each["BrokerNodeGroupInfo"]["InstanceType"])
        for each in _resources(name, "AWS::MSK::Cluster")
    }
    assert brokers == ({(needs.kafka_version, needs.broker_type)} if needs.kafka_version else set())


@every_environment
def test_bootstrap_is_as_new_as_the_assembly_asks(name: str) -> None:
    manifest = json.loads((assembly(name) / "manifest.json").read_text(encoding="utf-8"))
    stacks = [each for each in manifest["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
    asked = {
        place["requiresBootstrapStackVersion"]
        for stack in stacks
        for place in (stack["properties"], stack["properties"]["lookupRole"])
    }

    assert max(asked) == BOOTSTRAP_VERSION
