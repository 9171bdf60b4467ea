"""The credentials with which a step of the pipeline reads an environment's account."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(retries={"total_max_attempts": 5, "mode": "standard"})


def assumed_client(service: str, *, role: str, account: str | None, region: str) -> Any:  # noqa: ANN401 - made by boto3
    """Return a boto3 client of a role in the environment's account and region.

    Args:
        service: AWS service, such as ``cloudformation``.
        role: Name of the role; ``ACCOUNT`` in it stands for the account.
        account: The environment's account; that of the step's own credentials if not given.
        region: The environment's region.
    """
    security_tokens = boto3.client("sts", region_name=region, config=_CONFIG)
    caller = security_tokens.get_caller_identity()
    account = account or caller["Account"]
    partition = caller["Arn"].split(":")[1]
    credentials = security_tokens.assume_role(
        RoleArn=f"arn:{partition}:iam::{account}:role/{role.replace('ACCOUNT', account)}",
        RoleSessionName="milvus-delivery",
    )["Credentials"]
    return boto3.client(
        service,
        region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=_CONFIG,
    )
