"""boto3 clients, and AWS's errors in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from ops.errors import OpsError, one_line, usage_error

AwsClient: TypeAlias = Any
"""A boto3 client: boto3 ships no type information, its methods are made at run time."""

# A person waits: fail within a minute rather than after botocore's five.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"})

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_BAD_CREDENTIALS = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def client(service: str, *, region: str | None = None, session: boto3.session.Session | None = None) -> AwsClient:
    """Return a boto3 client; AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL work as everywhere.

    Raises:
        OpsError: No region is known, the profile does not exist, or AWS_ENDPOINT_URL is no address.
    """
    try:
        with reading(f"AWS ({service})"):
            return (session or boto3.session.Session(region_name=region)).client(
                service, region_name=region, config=_CONFIG
            )
    except ValueError as error:
        # botocore's only error that is none of its own classes: "Invalid endpoint: ...".
        raise usage_error(
            setting="AWS_ENDPOINT_URL",
            value=f"'{one_line(str(error)).removeprefix('Invalid endpoint: ')}'",
            allowed="an address such as http://localhost:4566",
            remedy="Correct or unset it, or that of the service (AWS_ENDPOINT_URL_...): it is for an emulator only",
        ) from error


def session(*, role: str | None, account: str | None, region: str | None) -> boto3.session.Session:
    """Return a session in an account and region, with a role of that account if one is named.

    Args:
        role: Name of the role; ``ACCOUNT`` in it stands for the account.
        account: The account; that of the credentials if not given.
        region: The region.

    Raises:
        OpsError: The role cannot be assumed, or there are no credentials.
    """
    with reading("the AWS configuration"):
        own = boto3.session.Session(region_name=region)
    if role is None:
        return own
    tokens = client("sts", region=region, session=own)
    with reading(f"AWS with the role {role}"):
        caller = tokens.get_caller_identity()
        account = account or caller["Account"]
        partition = caller["Arn"].split(":")[1]
        credentials = tokens.assume_role(
            RoleArn=f"arn:{partition}:iam::{account}:role/{role.replace('ACCOUNT', account)}",
            RoleSessionName="milvus-ops",
        )["Credentials"]
    return boto3.session.Session(
        region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def is_missing_stack(error: ClientError) -> bool:
    """Whether CloudFormation says that there is no such stack: it has no code of its own for that."""
    return error_code(error) == "ValidationError" and "does not exist" in str(error)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what boto3 raises while it reads ``what`` into an `OpsError`."""
    try:
        yield
    except ClientError as error:
        raise _from_client_error(error, what) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError) as error:
        raise OpsError(
            f"cannot read {what}: {one_line(str(error)).rstrip('.')}",
            remedy="Log in (`aws sso login`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error
    except NoRegionError as error:
        raise OpsError(f"cannot read {what}: no region is set", remedy="Set AWS_REGION") from error
    except BotoConnectionError as error:
        raise OpsError(
            f"cannot read {what}: {one_line(str(error)).rstrip('.')}",
            remedy="Check the network and AWS_ENDPOINT_URL (it is for an emulator only)",
        ) from error
    except BotoCoreError as error:
        raise OpsError(
            f"cannot read {what}: {one_line(str(error)).rstrip('.')}", remedy="Check the AWS configuration"
        ) from error


def error_code(error: ClientError) -> str:
    """Return AWS's code of an error, such as ``AccessDenied``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _from_client_error(error: ClientError, what: str) -> OpsError:
    code = error_code(error)
    message = one_line(str(error.response.get("Error", {}).get("Message") or code)).rstrip(".")
    if code in _EXPIRED:
        return OpsError(f"cannot read {what}: the credentials have expired", remedy="Log in again (`aws sso login`)")
    if code in _BAD_CREDENTIALS:
        return OpsError(f"cannot read {what}: AWS does not accept the credentials", remedy="Check AWS_PROFILE")
    if code in _DENIED:
        return OpsError(f"cannot read {what}: {message}", remedy="Use a role that may read it")
    if code in {"ResourceNotFoundException", "NotFoundException"}:
        return OpsError(f"{what} does not exist ({message})", remedy="Check the name, the account and the region")
    return OpsError(f"cannot read {what}: {code}: {message}", remedy="Check the name, the account and the region")
