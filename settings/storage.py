"""Settings of the object storage."""

from __future__ import annotations

from pydantic import Field

from settings.base import Settings
from settings.changes import IN_PLACE, never


class Storage(Settings):
    """The data bucket of Milvus, and the bucket for its backups."""

    root_path: str = Field(
        default="milvus",
        pattern=r"^[a-z0-9]([a-z0-9/_-]{0,62}[a-z0-9])?$",
        description="Folder in the bucket under which Milvus writes, and the only one its role may touch. "
        "Cannot change once there is data.",
        json_schema_extra=never(),
    )
    versioning: bool = Field(
        default=False,
        description="Keep overwritten and deleted objects; every Milvus compaction then costs storage.",
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
