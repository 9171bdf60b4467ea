"""The Storage stack: data bucket, backup bucket and their keys."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from milvus_constructs.storage import MilvusStorage
from settings import Environment, output_keys
from settings.parts import Part
from stacks.base import EnvironmentStack


class StorageStack(EnvironmentStack):
    """Holds the data. With ``removal_policy: retain`` the buckets and their keys stay when it goes."""

    def __init__(self, scope: Construct, *, env: Environment) -> None:
        super().__init__(scope, Part.STORAGE, env=env, description="buckets and their keys")
        self.storage = MilvusStorage(self, "Storage", settings=env.storage, removal=env.removal_policy)
        """Buckets and ``grant_milvus``."""
        cdk.CfnOutput(
            self,
            output_keys.DATA_BUCKET_NAME,
            value=self.storage.data_bucket.bucket_name,
            description="Bucket in which Milvus keeps its data.",
        )
        cdk.CfnOutput(
            self,
            output_keys.BACKUP_BUCKET_NAME,
            value=self.storage.backup_bucket.bucket_name,
            description="Bucket for backups.",
        )
