"""Reads the token from Secrets Manager; its value goes nowhere but to Milvus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ops.errors import OpsError, usage_error
from ops.program import NAME as PROGRAM

if TYPE_CHECKING:
    from ops.aws import AwsClient


def token_from_secret(arn: str, *, client: AwsClient | None = None) -> str:
    """Return ``user:password`` from a secret that is JSON with ``password`` and, if not root, ``username``.

    Args:
        arn: ARN of the secret (its region is taken from it), or its name.
        client: boto3 client of Secrets Manager; one for the ARN's region if not given.

    Raises:
        OpsError: It cannot be read, or has another form. No message contains the value.
    """
    from ops.aws import reading  # noqa: PLC0415 - boto3 costs half a second that --help must not

    manager = client or _manager(arn)
    with reading(f"the secret {arn}"):
        answer = manager.get_secret_value(SecretId=arn)
    return _token(answer.get("SecretString"), arn)


def previous_token(arn: str, *, client: AwsClient | None = None) -> str | None:
    """Return ``user:password`` of the secret's previous version; None where there is none of that form.

    Secrets Manager keeps the version before the last change under the label AWSPREVIOUS:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html

    Raises:
        OpsError: It cannot be read.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3 costs half a second that --help must not

    from ops.aws import error_code, reading  # noqa: PLC0415 - the same

    manager = client or _manager(arn)
    with reading(f"the previous version of the secret {arn}"):
        try:
            answer = manager.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise
    try:
        return _token(answer.get("SecretString"), arn)
    except OpsError:
        return None


def _manager(arn: str) -> AwsClient:
    from ops.aws import client  # noqa: PLC0415 - boto3 costs half a second that --help must not

    parts = arn.split(":")
    if arn.startswith("arn:") and (len(parts) < 7 or parts[2] != "secretsmanager"):
        raise usage_error(
            setting="--secret-arn",
            value=arn,
            allowed="arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME",
            remedy=f"`{PROGRAM} endpoints --env NAME` shows it as RootSecretArn",
        )
    return client("secretsmanager", region=parts[3] if arn.startswith("arn:") else None)


def _token(text: str | None, arn: str) -> str:
    try:
        value = json.loads(text or "")
    except json.JSONDecodeError:
        value = None
    password = value.get("password") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(password, str) or not password:
        raise OpsError(
            f"the secret {arn} is not JSON with a password",
            remedy='Store {"username": "root", "password": "..."} in it',
        )
    return f"{value.get('username') or 'root'}:{password}"
