"""Whether a bucket that was kept can be used, and what that does not give back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.doctor.facts import Facts, KeptBucket, Unread
from ops.doctor.findings import Finding, advice, blocks, not_checked, ok
from settings import Environment
from settings.needs import Needs
from settings.storage import ExistingBucket

PERMISSION = (
    "s3:GetBucketLocation, s3:GetEncryptionConfiguration, s3:GetBucketPublicAccessBlock, s3:GetBucketOwnershipControls "
    "and kms:DescribeKey"
)
_CHECK = "existing bucket"
_UNUSABLE = "Milvus could not start"


def read(env: Environment, clients: Callable[[str], aws.AwsClient]) -> KeptBucket | None:
    """Return the bucket of `storage.existing`; None where there is none of its name, or none is wanted."""
    existing = env.storage.existing
    if existing is None:
        return None
    s3, bucket = clients("s3"), existing.bucket
    place = _unless("NoSuchBucket", lambda: s3.get_bucket_location(Bucket=bucket))
    if place is None:
        return None
    without = "ServerSideEncryptionConfigurationNotFoundError"
    encryption = _unless(without, lambda: s3.get_bucket_encryption(Bucket=bucket))
    public = _unless("NoSuchPublicAccessBlockConfiguration", lambda: s3.get_public_access_block(Bucket=bucket))
    owners = _unless("OwnershipControlsNotFoundError", lambda: s3.get_bucket_ownership_controls(Bucket=bucket))
    key = _unless("NotFoundException", lambda: clients("kms").describe_key(KeyId=existing.key_arn))
    rules = (encryption or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    blocked = (public or {}).get("PublicAccessBlockConfiguration", {})
    owned = [rule["ObjectOwnership"] for rule in (owners or {}).get("OwnershipControls", {}).get("Rules", [])]
    return KeptBucket(
        # S3 has no name for its first region.
        region=place.get("LocationConstraint") or "us-east-1",
        key=next((each["KMSMasterKeyID"] for each in defaults if each.get("KMSMasterKeyID")), ""),
        key_state=key["KeyMetadata"]["KeyState"] if key else "",
        private=len(blocked) == 4 and all(blocked.values()),
        owns=owned == ["BucketOwnerEnforced"],
    )


def kept_bucket(env: Environment, _needs: Needs, facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with an existing bucket, and what it is no substitute for; nothing where it is a new one."""
    existing, found = env.storage.existing, facts.bucket
    if existing is None:
        return
    if isinstance(found, Unread):
        yield not_checked(_CHECK, f"Whether {existing.bucket} can be used is unknown", found)
        return
    if found is None:
        yield blocks(
            _CHECK,
            f"There is no bucket {existing.bucket}",
            why=_UNUSABLE,
            remedy="Correct storage.existing.bucket or AWS_PROFILE; `python -m ops destroy` lists what was kept",
        )
        return
    wrong = list(_wrong(env, existing, found))
    yield from wrong
    if not wrong:
        yield ok(_CHECK, f"{existing.bucket} is in {found.region}, under the key that the file names")
    yield from _doubtful(existing, found)


def _wrong(env: Environment, existing: ExistingBucket, found: KeptBucket) -> Iterator[Finding]:
    if found.region != env.region:
        yield blocks(
            _CHECK,
            f"{existing.bucket} is in {found.region}, the environment in {env.region}",
            why="Milvus asks S3 of its own region",
            remedy="Deploy there, or copy the bucket",
        )
    if found.key.rpartition("/")[2] != existing.key_arn.rpartition("/")[2]:
        yield blocks(
            _CHECK,
            f"{existing.bucket} encrypts under {found.key or 'no key of KMS'}, the file says {existing.key_arn}",
            why="The role of Milvus may use the key of the file alone",
            remedy="Correct storage.existing.key_arn",
        )
    if found.key_state != "Enabled":
        yield blocks(
            _CHECK,
            f"The key {existing.key_arn} is {found.key_state or 'not there'}",
            why="Nothing in the bucket can be read without it",
            remedy="Call it back (`aws kms cancel-key-deletion`, then `aws kms enable-key`) while that is possible",
        )


def _doubtful(existing: ExistingBucket, found: KeptBucket) -> Iterator[Finding]:
    if not found.private:
        yield advice(
            _CHECK,
            f"{existing.bucket} does not block public access",
            why="It is used as it is",
            remedy="Switch on all four of its public access blocks",
        )
    if not found.owns:
        yield advice(
            _CHECK,
            f"Objects in {existing.bucket} may belong to others than its owner",
            why="Milvus could not read those, nor can access control lists be ruled out",
            remedy="Set its object ownership to BucketOwnerEnforced",
        )
    if existing.garbage_collection:
        yield advice(
            _CHECK,
            "storage.existing.garbage_collection is true",
            why=f"Milvus deletes from {existing.bucket} what etcd does not know: with empty metadata, everything",
            remedy="Be sure that etcd holds the metadata of this very bucket; else set it to false",
        )
    else:
        yield advice(
            _CHECK,
            f"Milvus sees nothing of what is in {existing.bucket}",
            why="Which collections and segments there are stands in etcd: a bucket alone is no backup",
            remedy="Restore etcd's metadata (docs/destroy.md), or leave the old folder alone with another "
            "storage.root_path",
        )


def _unless(code: str, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - an answer of AWS
    try:
        return ask()
    except ClientError as error:
        if aws.error_code(error) == code:
            return None
        raise
