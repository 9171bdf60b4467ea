"""What a CloudFormation resource handler of this account is given, and what it answers."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Properties = dict[str, Any]


class Created(NamedTuple):
    """A provisioned resource: what ``Ref`` returns, and what ``Fn::GetAtt`` may read."""

    physical_id: str
    attributes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of CloudFormation to a handler. ``aws`` gives clients of this very account."""

    type_name: str
    logical_id: str
    stack: str
    properties: Properties
    aws: Callable[[str], Any]
    physical_id: str = ""
    previous: Properties = field(default_factory=dict)

    def name(self, *, length: int = 64) -> str:
        """Return the name CloudFormation would generate: stack, logical id, a suffix; stable over updates."""
        suffix = hashlib.sha256(f"{self.stack}/{self.logical_id}".encode()).hexdigest()[:12].upper()
        return f"{f'{self.stack}-{self.logical_id}'[: length - 13]}-{suffix}"


class Handler(ABC):
    """Provisions one resource type through the account's own APIs, so that what was created can be described."""

    @abstractmethod
    def create(self, request: Request) -> Created:
        """Create the resource; raise ResourceError as AWS would."""

    @abstractmethod
    def delete(self, request: Request) -> None:
        """Delete the resource; something that is gone already is no error, as in AWS."""

    def update(self, request: Request) -> Created:
        """Change the resource in place; properties that need a replacement never come here."""
        self.delete(request)
        return self.create(request)


Rule = Callable[[Request], None]


def tag_list(properties: Properties) -> list[dict[str, str]]:
    """Return the ``Tags`` property as the list of Key and Value that the services take."""
    tags = properties.get("Tags") or []
    if isinstance(tags, dict):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags]


def tag_map(properties: Properties) -> dict[str, str]:
    """Return the ``Tags`` property as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in tag_list(properties)}
