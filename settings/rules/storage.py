"""Rules of the object storage."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment


def _versions_of_an_existing_bucket(env: Environment) -> Iterator[Problem]:
    """Refuse a setting that would change nothing: the bucket is used as it is."""
    if env.storage.existing and env.storage.versioning:
        yield Problem(
            "storage.versioning",
            f"is true, and {env.storage.existing.bucket} of storage.existing is used as it is; remove the setting, and "
            "switch versioning on at the bucket itself",
        )


def _key_of_another_account(env: Environment) -> Iterator[Problem]:
    """Refuse a key of another account: the role of Milvus alone cannot open it."""
    existing = env.storage.existing
    if existing and env.account and (owner := existing.key_arn.split(":")[4]) != env.account:
        yield Problem(
            "storage.existing.key_arn",
            f"belongs to account {owner}, the environment to {env.account}; name the key of a bucket in that account",
        )


RULES: tuple[Rule, ...] = (_versions_of_an_existing_bucket, _key_of_another_account)
