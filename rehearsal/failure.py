"""Says what failed: the stack, the resource and the reason, from the account rather than from a log."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

# What CloudFormation writes on resources that were stopped because another one failed.
_CONSEQUENCES = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed")


class Failure(BaseModel):
    """One resource that failed."""

    model_config = ConfigDict(frozen=True)

    stack: str
    resource: str
    resource_type: str
    status: str
    reason: str

    def __str__(self) -> str:
        """One line: stack, resource, type, reason."""
        return f"{self.stack}: {self.resource} ({self.resource_type}) {self.status}: {self.reason}"


class RehearsalError(RuntimeError):
    """A rehearsal that failed; its text is for the reader, and ``failures`` names what failed in the account."""

    def __init__(self, message: str, found: list[Failure] | None = None) -> None:
        super().__init__(message)
        self.failures = found or []


def failures(cloudformation: Any, stacks: list[str]) -> list[Failure]:  # noqa: ANN401 - a boto3 client
    """Return the resources that failed in these stacks, oldest first, without those that only followed."""
    found: list[Failure] = []
    for stack in stacks:
        try:
            pages = list(cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack))
        except cloudformation.exceptions.ClientError:
            continue  # never created
        paths = _paths(cloudformation, stack)
        events = [event for page in pages for event in page["StackEvents"]]
        for event in sorted(events, key=lambda entry: entry["Timestamp"]):
            reason = event.get("ResourceStatusReason", "")
            if not event["ResourceStatus"].endswith("_FAILED") or reason.startswith(_CONSEQUENCES):
                continue
            logical_id = event["LogicalResourceId"]
            found.append(
                Failure(
                    stack=stack,
                    resource=paths.get(logical_id, logical_id),
                    resource_type=event["ResourceType"],
                    status=event["ResourceStatus"],
                    reason=reason,
                )
            )
    return found


def _paths(cloudformation: Any, stack: str) -> dict[str, str]:  # noqa: ANN401 - a boto3 client
    """Logical id -> path in the construct tree, as far as the template tells it."""
    try:
        template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    except cloudformation.exceptions.ClientError:
        return {}
    if not isinstance(template, dict):
        return {}
    resources = template.get("Resources", {}).items()
    return {name: body.get("Metadata", {}).get("aws:cdk:path", name) for name, body in resources}
