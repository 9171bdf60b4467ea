"""The object storage of Milvus: its data bucket and the bucket for backups."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.checks.wildcards import accept_wildcard
from milvus_constructs.encryption_key import EncryptionKey, grant_through
from milvus_constructs.removal import RemovalSetting, removal_policy
from settings.storage import Storage

_NO_ACCESS_LOGS = (
    "Milvus reads and writes segments by the thousand: server access logs would be a third bucket that grows faster "
    "than the data. CloudTrail data events can be switched on for this bucket where an audit demands them."
)

# Milvus lists this prefix when a node starts, and panics where it may not: 2.3, 2.4, 2.5 before 2.5.26 and 2.6 before
# 2.6.10. Nothing lies there. https://github.com/milvus-io/milvus/issues/40270
_START_CHECK = "justforconnectioncheck"
# Milvus Backup copies what it restores to `restore-temp-<id>-<database>-<collection>/` at the bucket's root, whatever
# the root path is, and Milvus imports it from there. https://github.com/zilliztech/milvus-backup/issues/1006
_RESTORES = "restore-temp-*"


class MilvusStorage(Construct):
    """Two private, encrypted buckets, each under a key of its own, so that losing one key never loses both.

    Everybody is refused without TLS, nothing can be made public, objects belong to the bucket's owner, and uploads that
    were never completed are removed. The data bucket keeps old versions only if the settings say so; the backup bucket
    always does, and expires what is older than the settings say. S3 bucket keys keep the bill of KMS small: one request
    for many objects instead of one per object. With ``removal="destroy"`` the objects are deleted with the stack, by a
    function of CDK that empties the bucket first; with ``retain`` buckets and keys stay. A data bucket that exists
    (`settings.existing`) is used as it is, with its key, and belongs to no stack.

    Costs: storage and requests, and each key by the month. Backups are written by somebody else.

    Example:
        >>> storage = MilvusStorage(self, "Storage", settings=env.storage, removal=env.removal_policy)
        >>> storage.grant_milvus(role)
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Storage, removal: RemovalSetting) -> None:
        super().__init__(scope, construct_id)
        self._removal: RemovalSetting = removal
        self.root_path = settings.root_path
        """Folder of the data bucket that is Milvus's."""
        unfinished = cdk.Duration.days(settings.abort_incomplete_uploads_days)
        old_versions = cdk.Duration.days(settings.noncurrent_days)
        self.data_key: kms.IKey
        """The key of the data bucket."""
        self.data_bucket: s3.IBucket
        """Where Milvus keeps segments, indexes and, with Woodpecker, its log."""
        if settings.existing:
            self.data_key = kms.Key.from_key_arn(self, "DataKey", settings.existing.key_arn)
            self.data_bucket = s3.Bucket.from_bucket_name(self, "Data", settings.existing.bucket)
        else:
            key = EncryptionKey(self, "DataKey", description="Data bucket of Milvus", removal=removal)
            self.data_key = key
            self.data_bucket = self._bucket(
                "Data",
                key=key,
                versioned=settings.versioning,
                rules=[
                    s3.LifecycleRule(
                        id="data",
                        abort_incomplete_multipart_upload_after=unfinished,
                        # Without versioning too: whoever switches it off is left with old versions.
                        noncurrent_version_expiration=old_versions,
                        expired_object_delete_marker=True,
                    )
                ],
            )
        self.backup_key = EncryptionKey(self, "BackupKey", description="Backup bucket of Milvus", removal=removal)
        self.backup_bucket = self._bucket(
            "Backup",
            key=self.backup_key,
            versioned=True,
            rules=[
                s3.LifecycleRule(
                    id="backup",
                    abort_incomplete_multipart_upload_after=unfinished,
                    expiration=cdk.Duration.days(settings.backup_retention_days),
                    noncurrent_version_expiration=old_versions,
                ),
                # A rule with an age cannot remove the markers that it leaves behind.
                s3.LifecycleRule(id="delete-markers", expired_object_delete_marker=True),
            ],
        )
        """Where backups go."""
        if removal == "destroy" and not settings.existing:
            # One after the other: each has a function that empties it, and a new account runs ten functions at once.
            self.backup_bucket.node.add_dependency(self.data_bucket)

    def grant_milvus(self, role: iam.Role) -> iam.Grant:
        """Allow what Milvus does to its objects: list, read, write and delete under the root path.

        Beside it two names at the bucket's root, and nothing else: one that Milvus lists at its start, and the folders
        of restores (`_START_CHECK`, `_RESTORES`). A list without any prefix is allowed too, since S3 judges Milvus's
        HeadBucket as one.

        The statements stand in a policy of their own next to the role, so that the role's stack depends on this one and
        never the other way round, and so that the accepted wildcards cover nothing else that the role may do.
        """
        path = self.root_path
        policy = iam.Policy(role, "MilvusObjects", roles=[role])
        listing = iam.Grant.add_to_principal(
            grantee=policy,
            actions=["s3:ListBucket"],
            resource_arns=[self.data_bucket.bucket_arn],
            # IfExists, because Milvus starts with HeadBucket, which S3 judges as a ListBucket without a prefix.
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
            conditions={"StringLikeIfExists": {"s3:prefix": [path, f"{path}/*", _START_CHECK, _RESTORES]}},
        )
        objects = iam.Grant.add_to_principal(
            grantee=policy,
            actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resource_arns=[self.data_bucket.arn_for_objects(f"{path}/*")],
        )
        restores = iam.Grant.add_to_principal(
            grantee=policy,
            actions=["s3:DeleteObject", "s3:GetObject"],
            resource_arns=[self.data_bucket.arn_for_objects(_RESTORES)],
        )
        for ending, reason in {
            f"/{path}/*": "Milvus names its objects itself; the wildcard ends at its root path.",
            f"/{_RESTORES}": "A restore's folder ends in an id of its own; Milvus reads and deletes what is in it.",
        }.items():
            accept_wildcard(policy, ending=ending, reason=reason)
        key = grant_through(self.data_key, policy, "s3", "kms:Decrypt", "kms:GenerateDataKey")
        return listing.combine(objects).combine(restores).combine(key)

    def _bucket(
        self, construct_id: str, *, key: EncryptionKey, versioned: bool, rules: list[s3.LifecycleRule]
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=versioned,
            lifecycle_rules=rules,
            removal_policy=removal_policy(self._removal),
            auto_delete_objects=self._removal == "destroy",
        )
        acknowledge(bucket, {"AwsSolutions-S1": _NO_ACCESS_LOGS})
        return bucket
