"""The embedded AWS account: an emulator on loopback, with CloudFormation handlers that validate like AWS."""

from __future__ import annotations

from rehearsal.account.options import AccountOptions, KubernetesEndpoint
from rehearsal.account.server import EmbeddedAccount

__all__ = ["AccountOptions", "EmbeddedAccount", "KubernetesEndpoint"]
