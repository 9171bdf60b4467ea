"""What a rehearsal deploys: environments by the names of their files, and the network that they expect to find."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from rehearsal.account import limits
from rehearsal.account.options import ExistingNetwork, ExistingSubnet
from settings import Environment, SettingsError, load_environment
from settings.base import Problem
from settings.loader import file_name
from settings.needs import needs_of
from settings.parts import parts, stack_name
from settings.regions import TWO_ZONES

# What makes two files the same deployment: with another value the CDK makes new stacks beside those that are there.
_IDENTITY = ("name", "region", "account")


@dataclass(frozen=True)
class Target:
    """An environment: the name of its file, and what the file says."""

    env: str
    settings: Environment

    @classmethod
    def load(cls, env: str) -> Target:
        """Read an environment's file.

        Raises:
            SettingsError: It cannot be used.
        """
        return cls(env, load_environment(env))

    @property
    def stacks(self) -> list[str]:
        """Return the names of its stacks, in the order of their deployment."""
        return [stack_name(self.settings, part) for part in parts(self.settings)]

    def followed_by(self, env: str) -> Target:
        """Read the environment that is deployed over this one.

        Raises:
            SettingsError: Its file cannot be used, or is another deployment.
        """
        other = Target.load(env)
        problems = [
            Problem(
                field,
                f"must be {before or 'left out'}, as in {file_name(self.env)} over which it is deployed, "
                f"got {after or 'none'}; another one is another deployment, beside it: rehearse it with ENV={env}",
            )
            for field in _IDENTITY
            if (before := getattr(self.settings, field)) != (after := getattr(other.settings, field))
        ]
        if problems:
            raise SettingsError(file_name(env), problems)
        return other


def existing_network(settings: Environment) -> ExistingNetwork | None:
    """Return the VPC that an environment expects to find; its subnets share the VPC's range evenly."""
    existing = settings.network.existing
    if existing is None:
        return None
    identifiers = [*existing.private_subnet_ids, *existing.public_subnet_ids]
    zones = settings.network.zones
    subnets = tuple(
        ExistingSubnet(
            subnet_id=identifier,
            zone=f"{settings.region}{zones[number % len(zones)]}",
            cidr=_share(str(settings.network.cidr), number),
        )
        for number, identifier in enumerate(identifiers)
    )
    return ExistingNetwork(vpc_id=existing.vpc_id, cidr=str(settings.network.cidr), subnets=subnets)


def raised_quotas(*deployed: Environment) -> dict[str, int]:
    """Return what somebody with a new account has to ask AWS for, so that the environments may grow to their full size.

    Whatever is not named stays as a new account has it.
    """
    needs = [needs_of(settings) for settings in deployed]
    wanted = {
        limits.VCPUS: max(each.on_demand_vcpus_at_most for each in needs),
        limits.SPOT_VCPUS: max(each.spot_vcpus_at_most for each in needs),
    }
    return {code: most for code, most in wanted.items() if most > limits.NEW_ACCOUNT[code]}


def zones_of_account(settings: Environment) -> tuple[str, ...] | None:
    """Return the zones that the account sees, where accounts see different ones: those of the settings."""
    return settings.network.zones if settings.region in TWO_ZONES else None


def _share(cidr: str, number: int) -> str:
    return str(list(ip_network(cidr).subnets(prefixlen_diff=4))[number])
