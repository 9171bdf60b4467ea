"""Settings of the object storage."""

from __future__ import annotations

from pydantic import Field

from settings.base import KeyArn, Settings
from settings.changes import IN_PLACE, RESTARTS_MILVUS, never


class ExistingBucket(Settings):
    """A bucket with data of Milvus that somebody kept. It is used as it is: never emptied, deleted or changed."""

    bucket: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="Its name; in the environment's region and account.",
        json_schema_extra=never(),
    )
    key_arn: KeyArn = Field(
        description="The KMS key under which it encrypts, and the one that Milvus may use; its policy has to admit "
        "the account's roles.",
        json_schema_extra=IN_PLACE,
    )
    garbage_collection: bool = Field(
        default=False,
        description="Let Milvus delete what its metadata does not know, as it does elsewhere. Only once etcd holds "
        "the metadata of this very bucket: else everything under `root_path` is deleted within a day or so.",
        json_schema_extra=RESTARTS_MILVUS,
    )


class Storage(Settings):
    """The data bucket of Milvus, and the bucket for its backups."""

    root_path: str = Field(
        default="milvus",
        pattern=r"^[a-z0-9]([a-z0-9/_-]{0,62}[a-z0-9])?$",
        description="Folder in the bucket under which Milvus writes, and the only one its role may touch. "
        "Cannot change once there is data.",
        json_schema_extra=never(),
    )
    existing: ExistingBucket | None = Field(
        default=None,
        description="A data bucket that was kept, in place of a new one. Whatever `removal_policy` says, it stays when "
        "the stack goes. Without etcd's metadata Milvus sees nothing of what is in it (docs/destroy.md).",
        json_schema_extra=never(),
    )
    versioning: bool = Field(
        default=False,
        description="Keep overwritten and deleted objects; every Milvus compaction then costs storage. "
        "An existing bucket keeps its own.",
        json_schema_extra=IN_PLACE,
    )
    noncurrent_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="Days that overwritten or deleted objects are kept when versioning is on.",
        json_schema_extra=IN_PLACE,
    )
    abort_incomplete_uploads_days: int = Field(
        default=3,
        ge=1,
        le=30,
        description="Days after which an upload that was never completed is removed.",
        json_schema_extra=IN_PLACE,
    )
    backup_retention_days: int = Field(
        default=35,
        ge=1,
        le=3650,
        description="Days that objects in the backup bucket are kept.",
        json_schema_extra=IN_PLACE,
    )
