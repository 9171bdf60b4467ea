"""Associates a SCRAM secret with an MSK cluster, and fails when MSK did not accept it.

Runs as the Lambda function of a CloudFormation custom resource, behind CDK's provider framework: an exception here
fails the deployment with its text. MSK answers a refused secret with success and names it in UnprocessedScramSecrets,
which is why the association of CloudFormation users commonly passes although nobody can log in (aws-cdk#34794).
It reads no secret and logs none: all it handles is ARNs.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from botocore.exceptions import ClientError

from milvus_constructs import patience

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

# The cluster is being changed.
PASSING = {"BadRequestException", "ConflictException"}
REMEDY = (
    "The secret's name must start with AmazonMSK_, it must be encrypted with a customer-managed KMS key (not "
    "aws/secretsmanager), lie in the account and region of the cluster, and hold JSON with username and password; and "
    "the brokers must be within their partition limit. "
    "https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html"
)


class KafkaClient(Protocol):
    """What is used of boto3's ``kafka`` client, which has no type information."""

    def batch_associate_scram_secret(self, **arguments: object) -> dict[str, Any]:
        """Associate secrets; what was refused stands in ``UnprocessedScramSecrets`` of the answer."""

    def batch_disassociate_scram_secret(self, **arguments: object) -> dict[str, Any]:
        """Undo associations; refusals as above."""

    def get_paginator(self, operation_name: str) -> Any:  # noqa: ANN401 - boto3 has no type for it
        """Return a paginator."""


class AssociationError(Exception):
    """MSK did not do what was asked; the text says what it answered and what to check."""


def on_event(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Handle one event of the custom resource.

    Args:
        event: ``RequestType`` and ``ResourceProperties`` with ``ClusterArn`` and ``SecretArn``.

    Raises:
        AssociationError: The association was not made, or not undone.
    """
    properties = event["ResourceProperties"]
    cluster, secret = properties["ClusterArn"], properties["SecretArn"]
    client = patience.client("kafka")
    LOG.info("%s: %s and %s", event["RequestType"], cluster, secret)
    if event["RequestType"] == "Delete":
        disassociate(client, cluster, secret)
    else:
        associate(client, cluster, secret)
    # Another cluster or secret is another association: CloudFormation then undoes the old one.
    return {"PhysicalResourceId": f"{cluster} {secret}", "Data": {"SecretArn": secret}}


def associate(client: KafkaClient, cluster: str, secret: str) -> None:
    """Associate the secret and see it in the cluster's list.

    Raises:
        AssociationError: After ten attempts MSK still refuses it, or does not list it.
    """

    def attempt() -> str | None:
        if secret in associated(client, cluster):
            return None
        answer = client.batch_associate_scram_secret(ClusterArn=cluster, SecretArnList=[secret])
        refused = _refusal(answer)
        if refused:
            return refused
        return None if secret in associated(client, cluster) else "MSK accepted the secret but does not list it"

    last = patience.until_done(attempt, passing=PASSING)
    if last:
        raise AssociationError(f"MSK did not accept the SCRAM secret {secret} for {cluster}: {last}. {REMEDY}")


def disassociate(client: KafkaClient, cluster: str, secret: str) -> None:
    """Undo the association; one that is gone already, or whose cluster is, counts as undone.

    Raises:
        AssociationError: After ten attempts the cluster still lists the secret.
    """

    def attempt() -> str | None:
        if secret not in associated(client, cluster):
            return None
        answer = client.batch_disassociate_scram_secret(ClusterArn=cluster, SecretArnList=[secret])
        refused = _refusal(answer)
        if refused:
            return refused
        return "MSK still lists the secret" if secret in associated(client, cluster) else None

    last = patience.until_done(attempt, passing=PASSING)
    if last:
        remedy = "Run `aws kafka batch-disassociate-scram-secret` and delete the stack again."
        raise AssociationError(f"MSK did not let go of the SCRAM secret {secret} of {cluster}: {last}. {remedy}")


def associated(client: KafkaClient, cluster: str) -> set[str]:
    """Return the ARNs of the secrets that a cluster knows; none for a cluster that does not exist."""
    try:
        pages = client.get_paginator("list_scram_secrets").paginate(ClusterArn=cluster)
        return {arn for page in pages for arn in page.get("SecretArnList", [])}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return set()
        raise


def _refusal(answer: dict[str, Any]) -> str | None:
    """Return what MSK holds against a secret: it says so in an answer that is otherwise a success."""
    found = [
        f"{item.get('ErrorCode', 'unknown error')}: {item.get('ErrorMessage', '')}"
        for item in answer.get("UnprocessedScramSecrets", [])
    ]
    return "; ".join(found) or None
