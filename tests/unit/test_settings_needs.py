"""What an environment needs of its account follows from its settings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from settings import Environment, parse_environment
from settings.needs import builds_needed, needs_of
from settings.pipeline import Pipeline
from settings.waves import parse_pipeline
from tests.unit.settings_files import file_with

GROUPS = {
    "general": {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 4},
    "spot": {"instance_types": ["m7g.2xlarge", "m6g.4xlarge"], "desired_size": 1, "max_size": 2, "spot": True},
}


def env_with(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="test.yaml", today=date(2026, 11, 23))


def test_vcpus_are_counted_by_market_and_the_largest_type() -> None:
    needs = needs_of(env_with(("cluster.node_groups", GROUPS)))

    assert (needs.on_demand_vcpus, needs.on_demand_vcpus_at_most) == (24, 32)
    assert (needs.spot_vcpus, needs.spot_vcpus_at_most) == (16, 32)


@pytest.mark.parametrize(("nat", "addresses"), [("single", 1), ("per-zone", 3)])
def test_each_nat_gateway_needs_an_address(nat: str, addresses: int) -> None:
    needs = needs_of(env_with(("network.nat", nat)))

    assert (needs.elastic_ips, needs.vpcs) == (addresses, 1)


def test_an_existing_vpc_needs_neither_addresses_nor_a_vpc() -> None:
    subnets = [f"subnet-0aaaaaaaaaaaaaaa{number}" for number in range(3)]
    existing = {"vpc_id": "vpc-0123456789abcdef0", "private_subnet_ids": subnets}
    needs = needs_of(env_with(("network.existing", existing)))

    assert (needs.elastic_ips, needs.vpcs) == (0, 0)
    # 4 interfaces of 15 addresses for each of 3 nodes, over 3 zones, and 32 for what lives beside them
    assert (needs.addresses, needs.addresses_at_most) == (92, 92)


def test_addresses_are_counted_for_the_nodes_of_today_and_for_as_many_as_there_may_be() -> None:
    group = {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 7}
    needs = needs_of(env_with(("cluster.node_groups.milvus", group)))

    # 60 addresses for each node, over 3 zones, and 32 beside them
    assert (needs.addresses, needs.addresses_at_most) == (92, 172)


def test_woodpecker_needs_no_msk() -> None:
    needs = needs_of(env_with(("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0")))

    assert (needs.kafka_version, needs.broker_type) == (None, None)


def pipeline(**place: Any) -> Pipeline:
    source = {"codecommit": {"repository": "milvus"}}
    wave = {"name": "dev", "environments": [{"environment": "dev", **place}]}
    data = {"name": "delivery", "account": "111111111111", "region": "us-east-2", "source": source, "waves": [wave]}
    return parse_pipeline(data, source="pipeline.yaml")


@pytest.mark.parametrize(
    ("place", "name", "needed"),
    [
        ({"account": "111111111111"}, "dev", 6),
        ({"account": "111111111111"}, "prod", 0),
        # Only what verifies the environment is built beside it.
        ({"account": "222222222222"}, "dev", 1),
        # That is another deployment of the same file.
        ({"account": "111111111111", "region": "eu-west-1"}, "dev", 0),
    ],
)
def test_builds_run_where_the_pipeline_and_its_environments_are(place: Any, name: str, needed: int) -> None:
    env = env_with(("account", place["account"]))

    assert builds_needed(name, env, pipeline(**place)) == needed


def test_pipeline_of_another_region_builds_there_and_verifies_here() -> None:
    env = env_with(("account", "111111111111"), ("region", "eu-west-1"))

    assert builds_needed("dev", env, pipeline(region="eu-west-1")) == 1
