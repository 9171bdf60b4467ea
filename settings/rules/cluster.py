"""Rules of the cluster: its version, who may reach it, its node groups, and what is bound to them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import date

from settings.base import Problem, Rule
from settings.contract import NODE_GROUP_LABEL
from settings.eks_versions import EKS_VERSIONS
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES, is_accelerated
from settings.placement import admits_all
from settings.rules.words import LIST_RANGES, for_everybody, listed, nearest


def _cluster_version(env: Environment) -> Iterator[Problem]:
    if env.cluster.version not in EKS_VERSIONS:
        yield Problem(
            "cluster.version",
            f"got {env.cluster.version}; EKS versions that can be created and have pinned add-ons here: "
            f"{listed(EKS_VERSIONS)}",
        )


def out_of_support(env: Environment, today: date) -> list[Problem]:
    """Return what the calendar forbids: Kubernetes versions that AWS no longer supports."""
    support = EKS_VERSIONS.get(env.cluster.version)
    if support is None or today <= support.extended_support_ends:
        return []
    return [
        Problem(
            "cluster.version",
            f"{env.cluster.version} is out of support since {support.extended_support_ends}; use one of "
            f"{in_support(today)}",
        )
    ]


def in_support(today: date) -> str:
    """Return the Kubernetes versions in standard support."""
    return listed(version for version, support in EKS_VERSIONS.items() if today <= support.standard_support_ends)


def _public_endpoint(env: Environment) -> Iterator[Problem]:
    public = env.cluster.endpoint == "public-and-private"
    if public and not env.cluster.public_cidrs:
        yield Problem(
            "cluster.public_cidrs",
            "a public endpoint needs the address ranges that may reach it, got none; list them, or set "
            "cluster.endpoint: private",
        )
    if public and (wide := for_everybody(env.cluster.public_cidrs)):
        yield Problem("cluster.public_cidrs", f"got {wide}: do not open the Kubernetes API to everybody; {LIST_RANGES}")
    if not public and env.cluster.public_cidrs:
        yield Problem(
            "cluster.public_cidrs",
            "given, but cluster.endpoint is private and nobody there could connect; remove them, or set "
            "cluster.endpoint: public-and-private",
        )


def _private_endpoint(env: Environment) -> Iterator[Problem]:
    path = "cluster.private_cidrs"
    if wide := for_everybody(env.cluster.private_cidrs):
        yield Problem(path, f"got {wide}: do not open the Kubernetes API to everybody; {LIST_RANGES}")
    admitted = [ipaddress.IPv4Network(cidr) for cidr in env.network.cidrs]
    given = [ipaddress.IPv4Network(cidr) for cidr in env.cluster.private_cidrs]
    for index, network in enumerate(given):
        if network in given[:index]:
            yield Problem(path, f"{network} appears twice; remove one")
            continue
        others = [*admitted, *(other for other in given if other != network)]
        if around := next((other for other in others if network.subnet_of(other)), None):
            whose = "the VPC" if around in admitted else "the list"
            yield Problem(path, f"{network} is in {around} of {whose}, which may connect already; remove {network}")


def _node_groups(env: Environment) -> Iterator[Problem]:
    for name, group in env.cluster.node_groups.items():
        path = f"cluster.node_groups.{name}"
        for instance_type in group.instance_types:
            if is_accelerated(instance_type):
                yield Problem(
                    f"{path}.instance_types",
                    f"got {instance_type}, but GPU is not supported; use one without, such as m7g.2xlarge",
                )
            elif instance_type not in INSTANCE_TYPES:
                yield Problem(
                    f"{path}.instance_types",
                    f"{instance_type} is not in the instance table{nearest(instance_type, INSTANCE_TYPES)}; "
                    "add it to settings/instances.json with its vCPU, memory and addresses",
                )
        known = [INSTANCE_TYPES[each] for each in group.instance_types if each in INSTANCE_TYPES]
        if len({instance.architecture for instance in known}) > 1:
            kinds = listed(f"{instance.name} ({instance.architecture})" for instance in known)
            yield Problem(f"{path}.instance_types", f"one architecture for a group, got {kinds}; make two node groups")
        if len(group.instance_types) > 1 and not group.spot:
            yield Problem(
                f"{path}.instance_types",
                f"on-demand capacity always takes the first of several types, got {listed(group.instance_types)}; "
                "name one, or set spot: true",
            )
        if not group.min_size <= group.desired_size <= group.max_size:
            yield Problem(
                f"{path}.desired_size",
                f"must be between min_size {group.min_size} and max_size {group.max_size}, got {group.desired_size}",
            )
        if group.labels.get(NODE_GROUP_LABEL, name) != name:
            yield Problem(f"{path}.labels", f"the label {NODE_GROUP_LABEL} is set by the application; remove it")


def _placement(env: Environment) -> Iterator[Problem]:
    groups = env.cluster.node_groups
    chosen = {"milvus.node_group": env.milvus.node_group, "milvus.etcd.node_group": env.milvus.etcd.node_group}
    for name in env.component_names:
        chosen[f"milvus.components.{name}.node_group"] = env.components[name].node_group
    for path, group in chosen.items():
        if group is not None and group not in groups:
            yield Problem(path, f"no node group {group}{nearest(group, groups)}; there are: {listed(groups)}")
    if not any(admits_all(group) for group in groups.values()):
        yield Problem(
            "cluster.node_groups",
            "every group has a taint that keeps pods away, so the add-ons and controllers have no node; leave one "
            "group without",
        )


RULES: tuple[Rule, ...] = (_cluster_version, _public_endpoint, _private_endpoint, _node_groups, _placement)
