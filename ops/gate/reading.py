"""Reads a change set from CloudFormation, however many pages it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.errors import OpsError
from ops.gate.changeset import ChangeSet, change_sets_of

_WAIT_SECONDS = 300
_PAUSE_SECONDS = 2.0
_UNDER_WAY = {"CREATE_PENDING", "CREATE_IN_PROGRESS"}


def read_change_set(
    cloudformation: aws.AwsClient, *, stack: str, name: str, pause: Callable[[float], None] = time.sleep
) -> tuple[ChangeSet, ...]:
    """Return all pages of a change set, after waiting until CloudFormation has made it; empty if there is none.

    CodePipeline may drop a change set that changes nothing, and has then nothing to execute. That is told apart from a
    wrong name by the stack: preparing a change set creates the stack if need be.

    Args:
        cloudformation: Client in the stack's account and region.
        stack: Name of the stack.
        name: Name of the change set.
        pause: Waits for seconds.

    Raises:
        OpsError: There is no such stack, it cannot be read, or the change set is not made within 5 minutes.
    """
    for _ in range(int(_WAIT_SECONDS / _PAUSE_SECONDS)):
        pages = _pages(cloudformation, stack, name)
        if not pages:
            return ()
        if pages[0].get("Status") not in _UNDER_WAY:
            return change_sets_of(pages, source=f"the change set {name} of {stack}")
        pause(_PAUSE_SECONDS)
    raise OpsError(
        f"the change set {name} of {stack} was not made within {_WAIT_SECONDS} s",
        remedy="Retry the stage; CloudFormation is slow, or waits for something",
    )


def _pages(cloudformation: aws.AwsClient, stack: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    with aws.reading(f"the change set {name} of {stack}"):
        try:
            while True:
                page = cloudformation.describe_change_set(
                    StackName=stack, ChangeSetName=name, IncludePropertyValues=True, **token
                )
                found.append(page)
                if not page.get("NextToken"):
                    return found
                token = {"NextToken": page["NextToken"]}
        except ClientError as error:
            if aws.error_code(error) not in {"ChangeSetNotFound", "ChangeSetNotFoundException"}:
                raise
    _require_stack(cloudformation, stack)
    return []


def _require_stack(cloudformation: aws.AwsClient, stack: str) -> None:
    with aws.reading(f"the stack {stack}"):
        try:
            cloudformation.describe_stacks(StackName=stack)
        except ClientError as error:
            if not aws.is_missing_stack(error):
                raise
            raise OpsError(
                f"there is no stack {stack} here, so its change set cannot be judged",
                remedy="Check the name, --account and --region",
            ) from error
