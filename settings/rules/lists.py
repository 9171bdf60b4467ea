"""Rules of lists: what stands in one twice is a slip, and to AWS or the CDK an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from settings.base import Problem, Rule
from settings.environment import Environment

# Their own rules know what each entry stands for.
_ELSEWHERE = (
    "cluster.private_cidrs",
    "network.existing.private_subnet_ids",
    "network.existing.public_subnet_ids",
    "network.zones",
)


def _once(env: Environment) -> Iterator[Problem]:
    for path, entries in _lists(env, ""):
        if path not in _ELSEWHERE:
            twice = [entry for index, entry in enumerate(entries) if entry in entries[:index]]
            yield from (Problem(path, f"{_words(entry)} appears twice; remove one") for entry in twice)


def _lists(value: object, path: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield the path and the entries of every list."""
    if isinstance(value, tuple):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _lists(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield from _lists(below, f"{path}.{name}")


def _words(entry: object) -> str:
    return ":".join(map(str, entry.model_dump().values())) if isinstance(entry, BaseModel) else str(entry)


def _roles_alike(env: Environment) -> Iterator[Problem]:
    """Refuse roles that come to the same name of an access entry in the template."""
    seen: dict[str, str] = {}
    for arn in env.cluster.admin_role_arns:
        other = seen.setdefault(arn.replace("/", "-"), arn)
        if other != arn:
            yield Problem(
                "cluster.admin_role_arns",
                f"{other} and {arn} differ in nothing but / and -, and would be one access entry; name one of them, or "
                "a role of another name",
            )


RULES: tuple[Rule, ...] = (_once, _roles_alike)
