"""Switches EKS's deletion protection of a cluster on, and off again when the custom resource goes.

Runs as the Lambda function of a CloudFormation custom resource, behind CDK's provider framework: an exception here
fails the deployment with its text. https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from botocore.exceptions import ClientError

from milvus_constructs import patience

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

ATTEMPTS = 40
# The cluster is being changed: EKS makes one change at a time.
PASSING = {"ResourceInUseException"}
# Protected or not, EKS deletes a cluster in these states.
UNPROTECTED = {"CREATING", "DELETING", "FAILED"}


class EksClient(Protocol):
    """What is used of boto3's ``eks`` client, which has no type information."""

    def describe_cluster(self, **arguments: object) -> dict[str, Any]:
        """Return the cluster."""

    def update_cluster_config(self, **arguments: object) -> dict[str, Any]:
        """Start an update of the cluster."""


class ProtectionError(Exception):
    """EKS did not do what was asked; the text says what it answered and what to do."""


def on_event(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Handle one event of the custom resource.

    Args:
        event: ``RequestType`` and ``ResourceProperties`` with ``ClusterName``.

    Raises:
        ProtectionError: The protection is not what it should be.
    """
    cluster = event["ResourceProperties"]["ClusterName"]
    LOG.info("%s: %s", event["RequestType"], cluster)
    protect(patience.client("eks"), cluster, on=event["RequestType"] != "Delete")
    return {"PhysicalResourceId": f"{cluster}-deletion-protection"}


def protect(client: EksClient, cluster: str, *, on: bool) -> None:
    """Switch the protection on or off and see that it is; a cluster that is gone needs none taken off.

    Raises:
        ProtectionError: EKS refuses, or has not finished after ten minutes.
    """
    last = patience.until_done(lambda: _attempt(client, cluster, on=on), passing=PASSING, attempts=ATTEMPTS)
    if last is None:
        return
    option = "--deletion-protection" if on else "--no-deletion-protection"
    remedy = f"Run `aws eks update-cluster-config --name {cluster} {option}`, and repeat what failed."
    raise ProtectionError(f"the deletion protection of {cluster} is not {'on' if on else 'off'}: {last}. {remedy}")


def _attempt(client: EksClient, cluster: str, *, on: bool) -> str | None:
    """Look, and start the change where it can be made; return what is still missing, or None."""
    try:
        found = client.describe_cluster(name=cluster)["cluster"]
    except ClientError as error:
        if on or error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    status = found["status"]
    if not on and status in UNPROTECTED:
        return None
    if status != "ACTIVE":
        return f"the cluster is {status}"
    if bool(found.get("deletionProtection")) == on:
        return None
    update = client.update_cluster_config(name=cluster, deletionProtection=on)["update"]
    return f"update {update['id']} is not finished"
