"""Names that are taken: CloudFormation makes no log group and no secret over one that is there; the emulator does."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from rehearsal.account.base import Request
from rehearsal.account.refusals import invalid_request, service_fault


class Names:
    """Refuses to create what is there already, made by a function, a service or an earlier deployment.

    Args:
        log_groups: the account's log groups by name.
        secrets: its secrets by name.
    """

    def __init__(self, log_groups: Container[str], secrets: Mapping[str, Mapping[str, Any]]) -> None:
        self._log_groups = log_groups
        self._secrets = secrets

    def check_log_group(self, request: Request) -> None:
        """Refuse a log group under a given name that is taken; a name of CloudFormation's own is always new."""
        name = request.properties.get("LogGroupName")
        if name and not request.previous and name in self._log_groups:
            raise invalid_request(
                f"Resource of type 'AWS::Logs::LogGroup' with identifier '{{\"/properties/LogGroupName\":\"{name}\"}}' "
                "already exists.",
                code="AlreadyExists",
            )

    def check_secret(self, request: Request) -> None:
        """Refuse a secret under a given name that is taken, or that waits for its deletion."""
        found = self._secrets.get(request.properties.get("Name", ""))
        if request.previous or found is None:
            return
        text = "A resource with the ID you requested already exists."
        if found.get("DeletedDate"):
            text = "You can't create this secret because a secret with this name is already scheduled for deletion."
        raise service_fault("SecretsManager", text, code="AlreadyExists")
