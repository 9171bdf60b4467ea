"""The base of every settings model: immutable, and strict about unknown keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """A frozen model that refuses unknown keys, so that a misspelt setting is an error and never a default."""

    # A validator is built when it is first used: most models are only ever read as parts of a file.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a settings file: the setting's path, and what was given, allowed and to do."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the line that a person reads."""
        return f"{self.path}: {self.message}"


Rule = Callable[[Any], Iterable[Problem]]
"""Judges a whole file: what each setting alone allows, but together cannot work."""


def _network(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        text = f"{value} is not a network ({error}); write it like 10.0.0.0/16, host bits zero"
        raise PydanticCustomError("written", "{text}", {"text": text}) from error
    if str(network) != value:
        raise PydanticCustomError("written", "{text}", {"text": f"got {value}; write it as {network}"})
    return value


Cidr = Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$"), AfterValidator(_network)]
"""An IPv4 network in CIDR notation, such as 10.0.0.0/16."""

RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")]
PolicyName = Annotated[str, Field(pattern=r"^[\w+=,.@-]{1,128}$")]
"""A managed policy of the account by its name."""
KeyArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})$")]
"""A KMS key by its ARN: an alias is no resource that a policy could name."""
CertificateArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+$")]
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A Kubernetes object name (RFC 1123 label)."""
ServiceName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""The name of a Kubernetes Service (RFC 1035 label): it begins with a letter."""
ImageRepository = Annotated[str, Field(pattern=r"^([a-z0-9][\w.-]*(:\d+)?/)?([a-z0-9][\w.-]*/)*[a-z0-9][\w.-]*$")]
"""An image's name without a tag, with its registry where that is not Docker Hub."""
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731]
"""Days that CloudWatch Logs can keep a log group."""
