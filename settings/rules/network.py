"""Rules of the network: addresses, zones and subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.needs import addresses_in_each_zone
from settings.regions import TWO_ZONES, ZONE_LETTERS
from settings.rules.words import listed

# AWS keeps five addresses of every subnet: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_RESERVED_ADDRESSES = 5
# A new VPC keeps address space for three zones, so that subnets keep theirs when zones change.
_ZONES_WITH_SPACE = 3
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_NO_VPC = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


def _vpc_size(env: Environment) -> Iterator[Problem]:
    network = ipaddress.IPv4Network(env.network.cidr)
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    if not 16 <= network.prefixlen <= 28:
        yield Problem(
            "network.cidr", f"a VPC takes /16 to /28, got /{network.prefixlen}; use {network.network_address}/16"
        )
        return
    if env.network.existing:
        return
    zones = _ZONES_WITH_SPACE
    needed = zones * (2 ** (32 - env.network.private_subnet_prefix) + 2 ** (32 - env.network.public_subnet_prefix))
    if needed > network.num_addresses:
        yield Problem(
            "network.private_subnet_prefix",
            f"{zones} private /{env.network.private_subnet_prefix} and {zones} public "
            f"/{env.network.public_subnet_prefix} subnets (space is kept for {zones} zones) need {needed} addresses, "
            f"{network} has {network.num_addresses}; use a larger network.cidr or longer prefixes",
        )


def _range_of_vpc(env: Environment) -> Iterator[Problem]:
    """Refuse addresses that no VPC may have."""
    for index, cidr in enumerate(env.network.cidrs):
        network = ipaddress.IPv4Network(cidr)
        for taken in _NO_VPC:
            if network.overlaps(taken):
                yield Problem(
                    "network.existing.secondary_cidrs" if index else "network.cidr",
                    f"{network} is in {taken}, which no VPC may use; take a private one, such as 10.0.0.0/16",
                )


def _zones(env: Environment) -> Iterator[Problem]:
    zones = env.network.zones
    if len(set(zones)) != len(zones):
        yield Problem("network.zones", f"every zone once, got {listed(zones)}")
    if env.network.existing:
        existing = env.network.existing
        for name, ids in (("private", existing.private_subnet_ids), ("public", existing.public_subnet_ids)):
            if ids and len(ids) != len(zones):
                yield Problem(
                    f"network.existing.{name}_subnet_ids",
                    f"one subnet for each of the {len(zones)} zones ({listed(zones)}), got {len(ids)}; add or remove "
                    "subnets, or name their zones in network.zones",
                )


def _letters(env: Environment) -> Iterator[Problem]:
    """Refuse zones that the region does not have."""
    zones = env.network.zones
    region = env.region
    known = ZONE_LETTERS.get(region)
    if known is None:
        return
    how = f"`aws ec2 describe-availability-zones --region {region}` lists those of your account"
    if "zones" not in env.network.model_fields_set:
        yield Problem(
            "network.zones",
            f"{region} has not the zones {listed(zones)} that are the default; name them, such as "
            f"[{listed(known)}]: {how}",
        )
    elif region in TWO_ZONES and len(zones) > 2:
        yield Problem(
            "network.zones",
            f"{region} has two zones for an account, and MSK takes exactly two subnets there, got {listed(zones)}; "
            f"name two: {how}",
        )


def _subnets_once(env: Environment) -> Iterator[Problem]:
    """Refuse a subnet that stands for two zones, or is private and public."""
    existing = env.network.existing
    if existing is None:
        return
    seen: set[str] = set()
    for name, ids in (("private", existing.private_subnet_ids), ("public", existing.public_subnet_ids)):
        for subnet in ids:
            if subnet in seen:
                yield Problem(
                    f"network.existing.{name}_subnet_ids",
                    f"{subnet} appears twice; name one subnet for each zone, none of them private and public",
                )
            seen.add(subnet)


def _room_for_pods(env: Environment) -> Iterator[Problem]:
    zones = len(env.network.zones)
    per_zone = addresses_in_each_zone(env, most=True)
    available = 2 ** (32 - env.network.private_subnet_prefix) - _RESERVED_ADDRESSES
    if per_zone > available:
        prefix = 32 - (per_zone + _RESERVED_ADDRESSES - 1).bit_length()
        yield Problem(
            "network.private_subnet_prefix",
            f"a private /{env.network.private_subnet_prefix} subnet has {available} addresses, but the nodes of "
            f"cluster.node_groups and their pods take up to {per_zone} in each of {zones} zones; use {prefix} or less, "
            "or fewer nodes (max_size)",
        )


RULES: tuple[Rule, ...] = (_vpc_size, _range_of_vpc, _zones, _letters, _subnets_once, _room_for_pods)
