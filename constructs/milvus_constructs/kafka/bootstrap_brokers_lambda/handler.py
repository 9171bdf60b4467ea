"""Reads the brokers of an MSK cluster for SASL/SCRAM, once in the cluster's life.

Runs as the Lambda function of a CloudFormation custom resource, behind CDK's provider framework: an exception here
fails the deployment with its text. MSK names the brokers in another order at each call, and of more than three another
selection (terraform-provider-aws#13488), while Milvus's stack imports the list, and CloudFormation changes no export
that is in use. So the list is sorted, and it is the resource's physical id, which an update gets back.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from milvus_constructs import patience

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

FIELD = "BootstrapBrokerStringSaslScram"
# The cluster is being changed.
PASSING = {"ConflictException"}


class KafkaClient(Protocol):
    """What is used of boto3's ``kafka`` client, which has no type information."""

    def get_bootstrap_brokers(self, **arguments: object) -> dict[str, Any]:
        """Return lists of brokers, each under the name of a way to sign in."""


class BrokersError(Exception):
    """The list was not to be had; the text says what MSK answered and what to check."""


def on_event(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Handle one event of the custom resource.

    Args:
        event: ``RequestType``, ``ResourceProperties`` with ``ClusterArn`` and, but for a creation, what is there.

    Raises:
        BrokersError: MSK does not tell.
    """
    cluster = event["ResourceProperties"]["ClusterArn"]
    kind = event["RequestType"]
    LOG.info("%s: %s", kind, cluster)
    if kind == "Delete" or (kind == "Update" and event["OldResourceProperties"]["ClusterArn"] == cluster):
        brokers = event["PhysicalResourceId"]
    else:
        brokers = sasl_scram(patience.client("kafka"), cluster)
    return {"PhysicalResourceId": brokers, "Data": {FIELD: brokers}}


def sasl_scram(client: KafkaClient, cluster: str) -> str:
    """Return the ``host:9096`` list of a cluster, sorted.

    Raises:
        BrokersError: MSK refuses, or names none, after ten attempts.
    """
    brokers = ""

    def attempt() -> str | None:
        nonlocal brokers
        brokers = client.get_bootstrap_brokers(ClusterArn=cluster).get(FIELD) or ""
        return None if brokers else "the cluster has no brokers for SASL/SCRAM"

    last = patience.until_done(attempt, passing=PASSING)
    if last is None:
        return ",".join(sorted(brokers.split(",")))
    remedy = f"`aws kafka get-bootstrap-brokers --cluster-arn {cluster}` has to show {FIELD}; then deploy again."
    raise BrokersError(f"MSK does not tell where the brokers of {cluster} are: {last}. {remedy}")
