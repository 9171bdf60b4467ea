from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from settings import parse_environment
from stacks.storage_stack import StorageStack
from tests.unit.iam_policy import allows, with_arns
from tests.unit.settings_files import file_with
from tools.context import CONTEXT


def stacks(*, removal: str, **settings: Any) -> tuple[StorageStack, cdk.Stack]:
    app = cdk.App(context=CONTEXT)
    env = parse_environment(file_with(("removal_policy", removal), ("storage", settings)), source="test")
    storage = StorageStack(app, env=env)
    consumer = cdk.Stack(app, "milvus", env=cdk.Environment(region=env.region))
    role = iam.Role(consumer, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    storage.storage.grant_milvus(role)
    storage.finish()
    return storage, consumer


@functools.cache
def plain() -> tuple[Template, Template]:
    # GIVEN the defaults, everything destroyable
    storage, consumer = stacks(removal="destroy")
    return Template.from_stack(storage), Template.from_stack(consumer)


@functools.cache
def kept() -> Template:
    # GIVEN versions and data to keep
    storage, _ = stacks(removal="retain", versioning=True, noncurrent_days=5, backup_retention_days=40)
    return Template.from_stack(storage)


def bucket(template: Template, which: str) -> dict[str, Any]:
    [found] = [
        resource
        for name, resource in template.find_resources("AWS::S3::Bucket").items()
        if name.startswith(f"Storage{which}")
    ]
    return dict(found)


@pytest.mark.parametrize("which", ["Data", "Backup"])
def test_buckets_are_encrypted_with_a_customer_key_and_a_bucket_key(which: str) -> None:
    [rule] = bucket(plain()[0], which)["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::GetAtt"][0].startswith(f"Storage{which}Key")


@pytest.mark.parametrize("which", ["Data", "Backup"])
def test_buckets_cannot_be_public_and_own_their_objects(which: str) -> None:
    properties = bucket(plain()[0], which)["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_buckets_deny_plain_http() -> None:
    denial = Match.object_like(
        {"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    )
    template = plain()[0]
    policies = template.find_resources(
        "AWS::S3::BucketPolicy", {"Properties": {"PolicyDocument": {"Statement": Match.array_with([denial])}}}
    )
    assert len(policies) == 2


def test_keys_rotate_and_can_be_called_back_for_a_week_when_destroyed() -> None:
    keys = plain()[0].find_resources("AWS::KMS::Key").values()
    assert [(key["Properties"]["EnableKeyRotation"], key["Properties"]["PendingWindowInDays"]) for key in keys] == [
        (True, 7)
    ] * 2


def test_unfinished_uploads_are_removed_from_both_buckets() -> None:
    for which in ("Data", "Backup"):
        rule = bucket(plain()[0], which)["Properties"]["LifecycleConfiguration"]["Rules"][0]
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 3}


def test_data_bucket_keeps_versions_only_where_the_settings_say_so() -> None:
    assert "VersioningConfiguration" not in bucket(plain()[0], "Data")["Properties"]
    properties = bucket(kept(), "Data")["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = properties["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 5}
    assert "ExpirationInDays" not in rule


def test_backups_are_versioned_and_expire_after_their_retention() -> None:
    properties = bucket(kept(), "Backup")["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 40


def test_destroy_empties_the_buckets_and_deletes_everything() -> None:
    template = plain()[0]
    template.resource_count_is("Custom::S3AutoDeleteObjects", 2)
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"):
        assert {resource["DeletionPolicy"] for resource in template.find_resources(kind).values()} == {"Delete"}


def test_retain_keeps_buckets_and_keys_and_empties_nothing() -> None:
    kept().resource_count_is("Custom::S3AutoDeleteObjects", 0)
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key"):
        policies = {
            (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
            for resource in kept().find_resources(kind).values()
        }
        # Except when the first deployment fails: then nothing is in them.
        assert policies == {("RetainExceptOnCreate", "Retain")}


DATA, BACKUP, KEY = "arn:aws:s3:::data", "arn:aws:s3:::backup", "arn:aws:kms:us-east-2:111122223333:key/data"


@functools.cache
def policy() -> dict[str, Any]:
    """Return what Milvus's role may do, with the ARNs of the buckets and of the key filled in."""
    [found] = plain()[1].find_resources("AWS::IAM::Policy").values()
    places = {"StorageDataKey": KEY, "StorageData(?!Key)": DATA, "StorageBackup": BACKUP, "URLSuffix": "amazonaws.com"}
    return with_arns(found["Properties"]["PolicyDocument"], places)


@pytest.mark.parametrize("action", ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload"])
@pytest.mark.parametrize("key", ["milvus/insert_log/1/2", "milvus/stats_log/1"])
def test_milvus_uses_the_objects_under_its_root_path(action: str, key: str) -> None:
    assert allows(policy(), f"s3:{action}", f"{DATA}/{key}")


@pytest.mark.parametrize("prefix", ["milvus", "milvus/", "milvus/insert_log/1"])
def test_milvus_lists_its_root_path(prefix: str) -> None:
    assert allows(policy(), "s3:ListBucket", DATA, s3__prefix=prefix)


def test_milvus_asks_whether_the_bucket_is_there() -> None:
    # HeadBucket is a ListBucket without a prefix: a plain StringLike would refuse it, and Milvus would not start.
    assert allows(policy(), "s3:ListBucket", DATA)


def test_milvus_lists_the_prefix_of_its_start_check_and_reads_nothing_there() -> None:
    # Refused, query, index and data nodes of 2.3, 2.4, 2.5 before 2.5.26 and 2.6 before 2.6.10 panic.
    assert allows(policy(), "s3:ListBucket", DATA, s3__prefix="justforconnectioncheck")
    assert not allows(policy(), "s3:ListBucket", DATA, s3__prefix="justforconnectioncheck/more")
    assert not allows(policy(), "s3:GetObject", f"{DATA}/justforconnectioncheck")


def test_milvus_imports_and_removes_what_a_restore_copied_to_the_root_of_the_bucket() -> None:
    # GIVEN the folder of a restore
    folder = "restore-temp-0c9e4a52-default-books/"
    # THEN Milvus may list, read and delete in it; writing is left to the backup tool
    assert allows(policy(), "s3:ListBucket", DATA, s3__prefix=folder)
    for action, allowed in {"GetObject": True, "DeleteObject": True, "PutObject": False}.items():
        assert allows(policy(), f"s3:{action}", f"{DATA}/{folder}binlogs/insert_log/1") is allowed


@pytest.mark.parametrize("name", ["milvus2/insert_log/1", "other", "backup/1", "my-restore-temp-1/a", "restore-tem"])
def test_milvus_has_no_access_to_other_names_in_the_bucket(name: str) -> None:
    assert not allows(policy(), "s3:ListBucket", DATA, s3__prefix=name)
    for action in ("GetObject", "PutObject", "DeleteObject"):
        assert not allows(policy(), f"s3:{action}", f"{DATA}/{name}")


@pytest.mark.parametrize("action", ["ListBucket", "ListBucketVersions", "DeleteBucket", "PutBucketPolicy"])
def test_milvus_has_no_access_to_the_backups_and_none_to_a_bucket_itself(action: str) -> None:
    assert not allows(policy(), f"s3:{action}", BACKUP, s3__prefix="milvus/")
    assert action == "ListBucket" or not allows(policy(), f"s3:{action}", DATA, s3__prefix="milvus/")
    assert not allows(policy(), "s3:GetObject", f"{BACKUP}/milvus/1")


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_milvus_uses_the_key_through_s3_only(action: str) -> None:
    assert allows(policy(), action, KEY, kms__ViaService="s3.us-east-2.amazonaws.com")
    assert not allows(policy(), action, KEY, kms__ViaService="secretsmanager.us-east-2.amazonaws.com")
    assert not allows(policy(), action, KEY)


def test_the_grant_leaves_the_storage_stack_as_it_is() -> None:
    # GIVEN a role of a later stack with the grant THEN neither key nor bucket policy names it
    for kind in ("AWS::KMS::Key", "AWS::S3::BucketPolicy"):
        assert "Fn::GetStackOutput" not in str(plain()[0].find_resources(kind))
        assert "Fn::ImportValue" not in str(plain()[0].find_resources(kind))


def test_nag_accepts_the_wildcards_of_milvus_and_no_other() -> None:
    from cdk_nag import AwsSolutionsChecks

    # GIVEN the grant, and a wildcard of somebody else in the same policy
    storage, consumer = stacks(removal="destroy")
    app = cdk.App.of(storage)
    assert app is not None
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    role = consumer.node.find_child("Role")
    policy = role.node.find_child("MilvusObjects")
    assert isinstance(policy, iam.Policy)
    policy.add_statements(iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::other/*"]))
    # WHEN synthesized THEN only the other one is a finding
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = (Path(app.outdir) / "validation-report.json").read_text(encoding="utf-8")
    assert set(re.findall(r"AwsSolutions-IAM5\[[^\]]*\]", report)) == {
        "AwsSolutions-IAM5[Resource::arn:aws:s3:::other/*]"
    }


def test_bucket_names_are_outputs() -> None:
    for output in ("DataBucketName", "BackupBucketName"):
        plain()[0].has_output(output, {})


KEPT = {
    "bucket": "milvus-old-storage-data-1a2b3c",
    "key_arn": "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000009",
}


@functools.cache
def adopted() -> tuple[Template, Template]:
    # GIVEN a bucket that was kept, in an environment that keeps nothing of its own
    storage, consumer = stacks(removal="destroy", existing=KEPT)
    return Template.from_stack(storage), Template.from_stack(consumer)


def test_existing_bucket_is_no_resource_that_a_stack_could_empty_or_delete() -> None:
    template = adopted()[0]
    assert len(template.find_resources("AWS::S3::Bucket")) == 1
    assert len(template.find_resources("AWS::KMS::Key")) == 1
    assert KEPT["bucket"] not in str(template.find_resources("Custom::S3AutoDeleteObjects"))
    assert KEPT["bucket"] not in str(template.find_resources("AWS::S3::BucketPolicy"))
    template.has_output("DataBucketName", {"Value": KEPT["bucket"]})


def test_milvus_may_do_with_an_existing_bucket_and_its_key_what_it_may_with_its_own() -> None:
    [policy] = adopted()[1].find_resources("AWS::IAM::Policy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    listing, objects, restores, key = statements
    assert listing["Resource"] == f"arn:aws:s3:::{KEPT['bucket']}"
    assert [str(each["Resource"]).count(KEPT["bucket"]) for each in (objects, restores)] == [1, 1]
    assert (key["Action"], key["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEPT["key_arn"])
    assert "kms:ViaService" in str(key["Condition"])
