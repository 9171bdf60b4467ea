"""The Storage stack: data bucket, backup bucket and their keys."""

from __future__ import annotations

from typing import Unpack

import aws_cdk as cdk
from constructs import Construct

from milvus_constructs.provider_logs import manage_provider_logs
from milvus_constructs.removal import RemovalSetting
from milvus_constructs.storage import MilvusStorage
from settings import output_keys
from settings.storage import Storage
from stacks.options import StackOptions

_PROVIDER_LOG_DAYS = 30


class StorageStack(cdk.Stack):
    """Holds the data. With ``removal="retain"`` the buckets and their keys stay when it goes."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Storage,
        removal: RemovalSetting,
        **options: Unpack[StackOptions],
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self.storage = MilvusStorage(self, "Storage", settings=settings, removal=removal)
        """Buckets and ``grant_milvus``."""
        manage_provider_logs(self, days=_PROVIDER_LOG_DAYS, removal=removal)
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
