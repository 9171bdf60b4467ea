"""The base of every settings model: immutable, and strict about unknown keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A frozen model that refuses unknown keys, so that a misspelt setting is an error and never a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a settings file: the setting's path, and what was given, allowed and to do."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the line that a person reads."""
        return f"{self.path}: {self.message}"


Cidr = Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$")]
"""An IPv4 block in CIDR notation; whether it is a proper network is a rule of its own (`settings.rules`)."""

RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")]
CertificateArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+$")]
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A Kubernetes object name (RFC 1123 label)."""
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731]
"""Days that CloudWatch Logs can keep a log group."""
