"""Makes the log group that EKS writes to where there is none, gives it its end, and deletes it after the cluster.

Runs as the Lambda function of a CloudFormation custom resource, behind CDK's provider framework: an exception here
fails the deployment with its text. The group is under a name that EKS chooses, and EKS makes it again when it has
something left to write after the cluster is gone (terraform-aws-eks#2763): CloudFormation, which refuses to create what
exists, could then never make a cluster of that name again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError

from milvus_constructs import patience

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

# EKS is making the same group.
PASSING = {"OperationAbortedException"}
LOOKS = 14
"""How often a deleted group is looked for again, with a pause before each: EKS's last events come within minutes."""


class LogGroupError(Exception):
    """CloudWatch Logs did not do what was asked; the text says what it answered."""


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
        LogGroupError: CloudWatch Logs still refuses after ten attempts.
    """
    properties = event["ResourceProperties"]
    group = properties["LogGroup"]
    client = patience.client("logs")
    LOG.info("%s: %s", event["RequestType"], group)
    if event["RequestType"] != "Delete":
        keep(client, group, int(properties["RetentionInDays"]))
    elif properties["Removal"] == "destroy":
        remove(client, group)
    return {"PhysicalResourceId": group}


def keep(client: LogsClient, group: str, days: int) -> None:
    """See that the group is there and that its events end after some days; one that is there is taken over."""
    _do("ResourceAlreadyExistsException", client.create_log_group, logGroupName=group)
    _do("", client.put_retention_policy, logGroupName=group, retentionInDays=days)


def remove(client: LogsClient, group: str) -> None:
    """Delete the group, and delete it again if EKS makes it anew meanwhile."""
    for look in range(LOOKS + 1):
        if look:
            patience.pause()
        _do("ResourceNotFoundException", client.delete_log_group, logGroupName=group)


def _do(done: str, call: Callable[..., object], **arguments: object) -> None:
    """Call CloudWatch Logs, for which the error ``done`` means that all is as it should be."""

    def attempt() -> None:
        try:
            call(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != done:
                raise

    last = patience.until_done(attempt, passing=PASSING)
    if last:
        raise LogGroupError(f"the log group {arguments['logGroupName']}: {last}. Deploy again once that is mended.")
