"""The checks of `ops doctor`: facts of an account in, findings out. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Iterator

from ops.doctor.facts import Facts, Unread
from ops.doctor.findings import Finding, blocks, not_checked, ok
from ops.doctor.kept_bucket import kept_bucket
from ops.doctor.names import names
from ops.doctor.offers import addons, instance_types, kafka, kubernetes, zones
from ops.doctor.place import vpc
from ops.doctor.quotas import builds, lambda_executions, quotas
from settings import Environment
from settings.needs import BOOTSTRAP_VERSION, needs_of

DEFAULT_QUALIFIER = "hnb659fds"
"""Qualifier of a bootstrap that names none: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html"""


def findings(env: Environment, facts: Facts, *, file: str | None, qualifier: str) -> tuple[Finding, ...]:
    """Return what every check found, in the order in which a deployment would meet it.

    Args:
        env: The environment.
        facts: What was read of the account.
        file: Name of the environment's file, by which pipelines know it; None where it is none of environments/.
        qualifier: Qualifier of the bootstrap.
    """
    needs = needs_of(env)
    found = [*_account(env, facts), *_bootstrap(env, facts, qualifier)]
    for check in (quotas, lambda_executions, zones, instance_types, kafka, kubernetes, addons, vpc, kept_bucket):
        found += check(env, needs, facts)
    found += names(env, facts)
    if file is not None:
        found += builds(file, env, facts)
    return tuple(found)


def _account(env: Environment, facts: Facts) -> Iterator[Finding]:
    if env.account is not None and env.account != facts.account:
        yield blocks(
            "account",
            f"The credentials are of account {facts.account}, the file says {env.account}",
            why=f"The CDK deploys into the file's account only; the caller is {facts.caller}",
            remedy="Set AWS_PROFILE to one of that account, or correct `account` in the file",
        )
    else:
        yield ok("account", f"{facts.account}, as {facts.caller}")


def _bootstrap(env: Environment, facts: Facts, qualifier: str) -> Iterator[Finding]:
    check, version = "bootstrap", facts.bootstrap
    option = "" if qualifier == DEFAULT_QUALIFIER else f" --qualifier {qualifier}"
    command = f"`cdk bootstrap aws://{facts.account}/{env.region}{option}`"
    if isinstance(version, Unread):
        yield not_checked(check, f"Whether {env.region} is bootstrapped is unknown", version)
    elif version is None:
        yield blocks(
            check,
            f"There is no bootstrap of the qualifier {qualifier} in {env.region}",
            why="The CDK publishes assets to, and deploys with roles of, its bootstrap",
            remedy=f"Run {command}",
        )
    elif version < BOOTSTRAP_VERSION:
        yield blocks(
            check,
            f"The bootstrap has version {version}, {BOOTSTRAP_VERSION} or newer is needed",
            why="Older ones lack roles and permissions that this CDK uses",
            remedy=f"Run {command} again",
        )
    else:
        yield ok(check, f"Version {version}")
