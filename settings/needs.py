"""What an environment needs of its AWS account and region, known from its settings alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from settings.cluster import NodeGroup
from settings.eks_versions import EKS_VERSIONS
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES
from settings.pipeline import Pipeline

BOOTSTRAP_VERSION = 8
"""Version of `cdk bootstrap` from which on the CLI's lookup role reads what a deployment compares itself with."""

LAMBDA_EXECUTIONS = 10
"""Functions that a deployment runs at the same time, at most: what is on its way to the cluster holds two each.

That is what AWS lets a new account have: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

PIPELINE_BUILDS = 6
"""Builds that a pipeline and the verification of its environments run at the same time in one account."""

# Load balancers, EKS's own interfaces, brokers and endpoints live in the private subnets too.
_ADDRESSES_BESIDE_NODES = 32


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What has to be free, offered or absent before a first deployment."""

    on_demand_vcpus: int
    on_demand_vcpus_at_most: int
    """With every on-demand node group at its ``max_size``."""
    spot_vcpus: int
    spot_vcpus_at_most: int
    elastic_ips: int
    vpcs: int
    network_load_balancers: int
    application_load_balancers: int
    lambda_executions: int
    zones: tuple[str, ...]
    """Full names, such as ``us-east-2a``."""
    instance_types: dict[str, tuple[str, ...]]
    """Types that a node group may have, by the group's name."""
    kubernetes: str
    addons: dict[str, str]
    """Name of each add-on and its pinned build."""
    kafka_version: str | None
    """None where the log is Woodpecker; so is the broker type."""
    broker_type: str | None
    addresses: int
    """Free addresses that each private subnet needs."""
    addresses_at_most: int


def needs_of(env: Environment) -> Needs:
    """Return what an environment needs."""
    groups = env.cluster.node_groups.values()
    network = env.network
    own_vpc = network.existing is None
    gateways = 1 if network.nat == "single" else len(network.zones)
    msk = env.queue if env.queue.kind == "msk" else None
    return Needs(
        on_demand_vcpus=_vcpus(groups, spot=False, most=False),
        on_demand_vcpus_at_most=_vcpus(groups, spot=False, most=True),
        spot_vcpus=_vcpus(groups, spot=True, most=False),
        spot_vcpus_at_most=_vcpus(groups, spot=True, most=True),
        elastic_ips=gateways if own_vpc else 0,
        vpcs=1 if own_vpc else 0,
        network_load_balancers=1,
        application_load_balancers=0 if env.milvus.attu.exposure == "off" else 1,
        lambda_executions=LAMBDA_EXECUTIONS,
        zones=tuple(f"{env.region}{letter}" for letter in network.zones),
        instance_types={name: group.instance_types for name, group in env.cluster.node_groups.items()},
        kubernetes=env.cluster.version,
        addons=dict(EKS_VERSIONS[env.cluster.version].addons),
        kafka_version=msk.kafka_version if msk else None,
        broker_type=msk.broker_type if msk else None,
        addresses=addresses_in_each_zone(env, most=False),
        addresses_at_most=addresses_in_each_zone(env, most=True),
    )


def addresses_in_each_zone(env: Environment, *, most: bool) -> int:
    """Return the addresses that full nodes, and whatever lives beside them, take from the subnet of each zone."""
    wanted = 0
    for group in env.cluster.node_groups.values():
        known = [INSTANCE_TYPES[name] for name in group.instance_types if name in INSTANCE_TYPES]
        wanted += _nodes(group, most=most) * max((instance.addresses for instance in known), default=0)
    return -(-wanted // len(env.network.zones)) + _ADDRESSES_BESIDE_NODES


def builds_needed(name: str, env: Environment, pipeline: Pipeline) -> int:
    """Return the builds that a pipeline runs at the same time in an environment's account and region.

    Args:
        name: Name of the environment's file, by which pipelines know it.
        env: The environment, in the account and region where it is to be.
        pipeline: The pipeline; one in another account runs there, and here only what verifies the environment.
    """
    for wave in pipeline.waves:
        for target in wave.environments:
            here = (target.region or env.region) == env.region and (target.account or env.account) == env.account
            if target.environment != name or not here:
                continue
            together = pipeline.region == env.region and pipeline.account in {None, env.account}
            return PIPELINE_BUILDS if together else int(wave.smoke)
    return 0


def _vcpus(groups: Iterable[NodeGroup], *, spot: bool, most: bool) -> int:
    return sum(
        _nodes(group, most=most) * max(INSTANCE_TYPES[name].vcpu for name in group.instance_types)
        for group in groups
        if group.spot is spot
    )


def _nodes(group: NodeGroup, *, most: bool) -> int:
    return group.max_size if most else group.desired_size
