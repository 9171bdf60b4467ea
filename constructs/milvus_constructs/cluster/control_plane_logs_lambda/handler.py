"""Makes the log group that EKS writes to where there is none, gives it its end, and deletes it after the cluster.

Runs as the Lambda function of a CloudFormation custom resource, behind CDK's provider framework: an exception here
fails the deployment with its text. The group is under a name that EKS chooses, and EKS makes it again when it has
something left to write after the cluster is gone (terraform-aws-eks#2763): CloudFormation, which refuses to create what
exists, could then never make a cluster of that name again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

ATTEMPTS = 10
PAUSE_SECONDS = 15.0
# What passes by waiting: the function's own policy, made right before it is called, has not reached the service yet, or
# EKS is making the same group.
PASSING = {"AccessDeniedException", "OperationAbortedException", "ServiceUnavailableException", "ThrottlingException"}
LOOKS = 7
"""How often a deleted group is looked for again, with a pause before each: EKS's last events come within minutes."""
LOOK_SECONDS = 30.0


class LogsClient(Protocol):
    """What is used of boto3's ``logs`` client, which has no type information."""

    def create_log_group(self, **arguments: object) -> object:
        """Create a log group."""

    def put_retention_policy(self, **arguments: object) -> object:
        """Say how many days events are kept."""

    def delete_log_group(self, **arguments: object) -> object:
        """Delete a log group with what is in it."""


def on_event(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Handle one event of the custom resource.

    Args:
        event: ``RequestType`` and ``ResourceProperties`` with ``LogGroup``, ``RetentionInDays`` and ``Removal``.

    Raises:
        ClientError: CloudWatch Logs still refuses after ten attempts.
    """
    properties = event["ResourceProperties"]
    group = properties["LogGroup"]
    client = boto3.client("logs", config=Config(retries={"mode": "standard", "max_attempts": 5}))
    LOG.info("%s: %s", event["RequestType"], group)
    if event["RequestType"] != "Delete":
        keep(client, group, int(properties["RetentionInDays"]))
    elif properties["Removal"] == "destroy":
        remove(client, group)
    return {"PhysicalResourceId": group}


def keep(client: LogsClient, group: str, days: int, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """See that the group is there and that its events end after some days; one that is there is taken over."""
    _patiently(lambda: _unless("ResourceAlreadyExistsException", client.create_log_group, logGroupName=group), sleep)
    _patiently(lambda: client.put_retention_policy(logGroupName=group, retentionInDays=days), sleep)


def remove(client: LogsClient, group: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Delete the group, and delete it again if EKS makes it anew meanwhile."""
    _patiently(lambda: _unless("ResourceNotFoundException", client.delete_log_group, logGroupName=group), sleep)
    for _ in range(LOOKS):
        sleep(LOOK_SECONDS)
        _patiently(lambda: _unless("ResourceNotFoundException", client.delete_log_group, logGroupName=group), sleep)


def _unless(code: str, call: Callable[..., object], **arguments: object) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


def _patiently(call: Callable[[], object], sleep: Callable[[float], None]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in PASSING or attempt == ATTEMPTS:
                raise
            LOG.warning("attempt %d of %d: %s", attempt, ATTEMPTS, error)
            sleep(PAUSE_SECONDS)
        else:
            return
