"""Faults of the AWS side: what the deployed functions say when MSK refuses."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
from botocore.config import Config

from rehearsal.full.checks import expect
from rehearsal.full.site import Site
from settings.output_keys import MSK_CLUSTER_ARN
from settings.parts import Part, stack_name

_NAME = "milvus-kafka-without-prefix"


def secret_without_prefix(site: Site) -> str:
    """Prove that the function that associates secrets fails, and names the prefix ``AmazonMSK_``.

    MSK itself answers such a request with success. The function asks ten times before it gives up: 2.5 minutes.
    """
    secret = site.account.client("secretsmanager").create_secret(
        Name=_NAME, SecretString=json.dumps({"username": "milvus", "password": "of no use"})
    )["ARN"]
    began = time.monotonic()
    try:
        answer = _invoke(site, secret)
    finally:
        site.account.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    message = str(answer.get("errorMessage", ""))
    expect(message, f"MSK's refusal went unnoticed: {answer}")
    expect("AmazonMSK_" in message, f"the message does not name the prefix: {message}")
    return f"after {time.monotonic() - began:.0f} s beside the other steps, what the user reads: {message}"


def _patient(site: Site) -> Any:  # noqa: ANN401 - boto3 builds its clients at run time
    """Return a client of Lambda that waits as long as a function may take."""
    return boto3.client(
        "lambda",
        endpoint_url=site.account.endpoint,
        region_name=site.account.options.region,
        aws_access_key_id=site.account.options.account_id,
        aws_secret_access_key="rehearsal",  # noqa: S106 - the emulator wants any key
        config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=600),
    )


def _invoke(site: Site, secret: str) -> dict[str, Any]:
    """Call the deployed function as CDK's provider calls it."""
    cloudformation = site.account.client("cloudformation")
    name = stack_name(site.env, Part.STREAMING)
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    # The only function of the association that is not CDK's: brokers are read by one of the same shape.
    (associating,) = [
        entry["PhysicalResourceId"]
        for entry in resources
        if entry["ResourceType"] == "AWS::Lambda::Function"
        and entry["LogicalResourceId"].startswith("AssociationFunction")
    ]
    properties = {"ClusterArn": site.outputs(Part.STREAMING)[MSK_CLUSTER_ARN], "SecretArn": secret}
    event = {"RequestType": "Create", "ResourceProperties": properties}
    answer = _patient(site).invoke(FunctionName=associating, Payload=json.dumps(event).encode())
    result: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    return result
