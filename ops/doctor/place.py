"""Whether an existing VPC has what the environment needs of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ops.doctor.facts import Facts, Subnet, Unread
from ops.doctor.findings import Finding, advice, blocks, not_checked, ok
from settings import Environment
from settings.needs import Needs
from settings.network import ExistingVpc

_CHECK = "existing VPC"
_TAG = "kubernetes.io/role/elb"


def vpc(env: Environment, needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield what an existing VPC lacks; nothing where the VPC is a new one."""
    existing = env.network.existing
    if existing is None:
        return
    yield from _vpc(env, existing, facts)
    if isinstance(facts.subnets, Unread):
        yield not_checked(_CHECK, "Whether the subnets are as the file says is unknown", facts.subnets)
        return
    yield from _ways_out(existing, facts)
    for subnet_id, zone in zip(existing.private_subnet_ids, needs.zones, strict=True):
        yield from _subnet(subnet_id, zone, existing, facts.subnets, needs=needs)
    for subnet_id, zone in zip(existing.public_subnet_ids, needs.zones, strict=False):
        yield from _subnet(subnet_id, zone, existing, facts.subnets, needs=None)


def _vpc(env: Environment, existing: ExistingVpc, facts: Facts) -> Iterator[Finding]:
    vpc_id, found = existing.vpc_id, facts.vpc
    if isinstance(found, Unread):
        yield not_checked(_CHECK, f"Whether {vpc_id} is as the file says is unknown", found)
        return
    if found is None:
        yield blocks(
            _CHECK,
            f"There is no {vpc_id} in {env.region} of this account",
            why="Every stack lives in it",
            remedy="Correct network.existing.vpc_id, the region or AWS_PROFILE",
        )
        return
    ranges = [ipaddress.IPv4Network(cidr) for cidr in found.cidrs]
    foreign = [
        cidr for cidr in env.network.cidrs if not any(ipaddress.IPv4Network(cidr).subnet_of(each) for each in ranges)
    ]
    if foreign:
        yield blocks(
            _CHECK,
            f"{vpc_id} has {', '.join(found.cidrs)}, not {', '.join(foreign)}",
            why="By these ranges security groups admit clients: nodes could not reach what they need",
            remedy="Correct network.cidr and network.existing.secondary_cidrs",
        )
    for attribute, on in (("enableDnsSupport", found.dns_support), ("enableDnsHostnames", found.dns_hostnames)):
        if not on:
            option = "--enable-dns-support" if attribute == "enableDnsSupport" else "--enable-dns-hostnames"
            yield blocks(
                _CHECK,
                f"{vpc_id} has {attribute} switched off",
                why="Nothing would find the private endpoint of the Kubernetes API",
                remedy=f"`aws ec2 modify-vpc-attribute --vpc-id {vpc_id} {option} --region {env.region}`",
            )
    if not foreign and found.dns_support and found.dns_hostnames:
        yield ok(_CHECK, f"{vpc_id} with {', '.join(found.cidrs)}, and DNS")


def _ways_out(existing: ExistingVpc, facts: Facts) -> Iterator[Finding]:
    found = facts.ways_out
    if isinstance(found, Unread):
        yield not_checked(_CHECK, "Whether the private subnets have a way out to the internet is unknown", found)
        return
    closed = [each for each in existing.private_subnet_ids if each not in found]
    if closed:
        yield blocks(
            _CHECK,
            f"{', '.join(closed)}: no default route that leads out",
            why="Functions, nodes and pods fetch from the internet: without a way out each custom resource waits for "
            "up to an hour",
            remedy="Route 0.0.0.0/0 to a NAT gateway, or to what leads out by itself; endpoints, a proxy or mirrors "
            "alone are not enough (docs/adr/0011-way-out.md)",
        )
    else:
        yield ok(_CHECK, "every private subnet has a default route")


def _subnet(
    subnet_id: str, zone: str, existing: ExistingVpc, subnets: dict[str, Subnet], *, needs: Needs | None
) -> Iterator[Finding]:
    """Yield what is wrong with a subnet; ``needs`` for a private one, where the addresses have to suffice."""
    setting = f"network.existing.{'private' if needs else 'public'}_subnet_ids"
    subnet = subnets.get(subnet_id)
    if subnet is None:
        yield blocks(
            _CHECK,
            f"There is no {subnet_id} in this account and region",
            why="Nodes, brokers and load balancers live in it",
            remedy=f"Correct {setting}",
        )
        return
    if subnet.vpc_id != existing.vpc_id:
        yield blocks(
            _CHECK,
            f"{subnet_id} is in {subnet.vpc_id}, not in {existing.vpc_id}",
            why="All subnets have to be in the environment's VPC",
            remedy=f"Correct {setting}",
        )
    elif subnet.zone != zone:
        yield blocks(
            _CHECK,
            f"{subnet_id} is in {subnet.zone}, the file says {zone}",
            why="Brokers, nodes and volumes are spread by zone, one subnet in each",
            remedy=f"Put {setting} into the order of network.zones, or correct network.zones",
        )
    elif needs and subnet.free < needs.addresses_at_most:
        yield _too_few(subnet_id, subnet.free, needs)
    elif needs is None and subnet.tags.get(_TAG) != "1":
        yield advice(
            _CHECK,
            f"{subnet_id} has no tag {_TAG}=1",
            why="The load balancers of Milvus and Attu name their subnets; those of others find theirs by this tag",
            remedy=f"`aws ec2 create-tags --resources {subnet_id} --tags Key={_TAG},Value=1`",
        )
    else:
        yield ok(_CHECK, f"{subnet_id} in {subnet.zone}, {subnet.free} addresses free")


def _too_few(subnet_id: str, free: int, needs: Needs) -> Finding:
    if free < needs.addresses:
        return blocks(
            _CHECK,
            f"{subnet_id} has {free} free addresses, {needs.addresses} are needed",
            why="Every pod takes an address: pods without one never start",
            remedy="Free some, or choose a larger subnet",
        )
    return advice(
        _CHECK,
        f"{subnet_id} has {free} free addresses, {needs.addresses_at_most} are needed with every group at its max_size",
        why="Every pod takes an address: pods without one never start",
        remedy="Choose a larger subnet while nothing is in it",
    )
