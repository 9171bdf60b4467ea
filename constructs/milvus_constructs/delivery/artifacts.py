"""Where the delivery pipeline keeps what its steps hand on, and what they download again and again."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_s3 as s3
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.encryption_key import EncryptionKey

ARTIFACT_DAYS = 90
"""Days that sources, assemblies and published differences are kept: a stage can be rolled back that long."""

NO_ACCESS_LOGS = {
    "AwsSolutions-S1": "Only the pipeline's roles can read or write here, and CodePipeline records every execution; "
    "server access logs would need a bucket that outlives this one."
}
"""Why the pipeline's buckets have no access logs, for cdk-nag."""


class PipelineArtifacts(Construct):
    """A bucket for artifacts under a customer-managed key, which roles of other accounts may use, and one for caches.

    Both refuse requests without TLS and anything public, and expire what is old. The cache holds nothing but packages
    that are checked against their hashes when they are installed. Costs the key by the month, and storage.
    Both buckets go with the stack, and with them the history that a stage could be rolled back to.

    Example:
        >>> store = PipelineArtifacts(self, "Artifacts", cache_days=30)
    """

    def __init__(self, scope: Construct, construct_id: str, *, cache_days: int) -> None:
        super().__init__(scope, construct_id)
        self.key = EncryptionKey(
            self,
            "Key",
            description="Artifacts of the delivery pipeline",
            alias=f"alias/{cdk.Stack.of(self).stack_name}-artifacts",
            removal="destroy",
        )
        self.bucket = self._bucket("Bucket", days=ARTIFACT_DAYS)
        """Artifacts; its name is fixed as soon as another account has to name it."""
        self.caches = self._bucket("Caches", days=cache_days)
        """Packages that steps download again and again."""

    def cache(self, prefix: str) -> codebuild.Cache:
        """Return the cache of a build project, kept apart from those of others."""
        return codebuild.Cache.bucket(self.caches, prefix=prefix)

    def _bucket(self, construct_id: str, *, days: int) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            bucket_name=cdk.PhysicalName.GENERATE_IF_NEEDED,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire",
                    expiration=cdk.Duration.days(days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        acknowledge(bucket, NO_ACCESS_LOGS)
        return bucket
