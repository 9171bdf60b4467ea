"""Settings of the write-ahead log: Amazon MSK, or Milvus's own Woodpecker on S3."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, LogRetentionDays, Settings
from settings.changes import IN_PLACE, NONE, RESTARTS_MILVUS, ROLLS_BROKERS, Effect, change, never

_MORE_BROKERS = change(
    Effect.IN_PLACE,
    "new brokers, which do nothing until `milvus-ops rebalance` moves partitions onto them",
    only_grows=True,
    remedy="a smaller cluster is a new environment",
)

KRAFT_VERSIONS = ("3.7.x.kraft", "3.8.x.kraft", "3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft")
"""Kafka versions that MSK creates with KRaft; there is none before 3.7.

Source: https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html
"""


class BrokerStorage(Settings):
    """EBS volume of each broker, and how far it may grow by itself. It never shrinks."""

    volume_gib: int = Field(
        default=100,
        ge=1,
        le=16384,
        description="Volume of each broker in GiB at the start.",
        json_schema_extra=change(Effect.IN_PLACE, "the brokers' volumes", only_grows=True),
    )
    max_gib: int = Field(
        default=1000,
        ge=1,
        le=16384,
        description="Ceiling in GiB for storage autoscaling; equal means no autoscaling.",
        json_schema_extra=IN_PLACE,
    )
    target_percent: int = Field(
        default=60,
        ge=10,
        le=80,
        description="Used share in percent at which a volume grows, by 10 % or 10 GiB and not again for 6 to over "
        "24 hours.",
        json_schema_extra=IN_PLACE,
    )


class Msk(Settings):
    """Amazon MSK with SASL/SCRAM over TLS and nothing else."""

    kind: Literal["msk"] = Field(description="The queue: Amazon MSK (Apache Kafka).", json_schema_extra=never())
    kafka_version: str = Field(
        default="3.9.x.kraft",
        pattern=r"^\d+\.\d+\.(\d+|x)(\.kraft)?$",
        description="Kafka version in MSK's spelling. KRaft is chosen at creation and cannot be changed.",
        json_schema_extra=change(Effect.BROKER_BY_BROKER, "the brokers", only_grows=True),
    )
    broker_type: str = Field(
        default="kafka.m7g.large",
        pattern=r"^kafka\.[a-z0-9]+\.[a-z0-9]+$",
        description="Instance type of the brokers.",
        json_schema_extra=ROLLS_BROKERS,
    )
    brokers: int = Field(
        default=3,
        ge=2,
        le=60,
        description="Number of brokers; a multiple of the zones.",
        json_schema_extra=_MORE_BROKERS,
    )
    storage: BrokerStorage = Field(default_factory=BrokerStorage, description="Volumes of the brokers.")
    retention_hours: int = Field(
        default=168,
        ge=24,
        le=8760,
        description="Hours that messages are kept. Shorter than Milvus needs to checkpoint, and streaming nodes "
        "crash in a loop (milvus#47802).",
        json_schema_extra=ROLLS_BROKERS,
    )
    message_max_bytes: int = Field(
        default=10485880,
        ge=1048576,
        le=104857600,
        description="Largest message that the brokers accept, in bytes.",
        json_schema_extra=ROLLS_BROKERS,
    )
    replica_fetch_max_bytes: int = Field(
        default=20971760,
        ge=1048576,
        le=209715200,
        description="Largest fetch between brokers, in bytes.",
        json_schema_extra=ROLLS_BROKERS,
    )
    milvus_message_max_bytes: int = Field(
        default=10485760,
        ge=1048576,
        le=104857600,
        description="Largest message that Milvus produces, in bytes. A larger insert is split into messages of at most "
        "half of it, and of 2 MiB.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    channels: int = Field(
        default=16,
        ge=1,
        le=1024,
        description="Topics that Milvus shares among all collections (rootCoord.dmlChannelNum).",
        json_schema_extra=RESTARTS_MILVUS,
    )
    monitoring: Literal["DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION"] = Field(
        default="PER_BROKER",
        description="Detail of the CloudWatch metrics; more than DEFAULT costs money.",
        json_schema_extra=IN_PLACE,
    )
    log_retention_days: LogRetentionDays = Field(
        default=30, description="Days that the broker logs are kept.", json_schema_extra=IN_PLACE
    )
    private_cidrs: tuple[Cidr, ...] = Field(
        default=(),
        description="Who beside Milvus may reach the brokers, such as a VPN: for `milvus-ops rebalance` and for "
        "Kafka's own tools.",
        json_schema_extra=IN_PLACE,
    )
    username: str = Field(
        default="milvus",
        pattern=r"^[a-z][a-z0-9-]{2,31}$",
        description="SCRAM user of Milvus; the password is generated. Cannot change once deployed.",
        json_schema_extra=never(),
    )


class Woodpecker(Settings):
    """Milvus's own log on the data bucket: no brokers, no MSK."""

    kind: Literal["woodpecker"] = Field(
        description="The queue: Woodpecker, a log on S3 inside Milvus.", json_schema_extra=never()
    )
    preview: bool = Field(
        default=False,
        description="Accept that Woodpecker is a preview in Milvus 2.6; needed there, refused elsewhere.",
        json_schema_extra=NONE,
    )


def copies(zones: int) -> int:
    """Return the copies that Kafka keeps of each message: one in each zone.

    Of the zones and not of the brokers: these may be added later, and MSK takes no change of its configuration in the
    same update.
    """
    return min(3, zones)


# What Milvus packs into a message by itself, from 2.4 on; what surrounds the rows of a message is far smaller.
_PACKED_BYTES = 2097152


def packed_bytes(queue: Msk) -> int:
    """Return the bytes of rows that Milvus puts into one message: pulsar.maxMessageSize, whatever the queue.

    Half of what the Kafka client sends leaves room for what surrounds the rows (milvus#36029, milvus#51095).
    """
    return min(_PACKED_BYTES, queue.milvus_message_max_bytes // 2)


Queue = Annotated[Msk | Woodpecker, Field(discriminator="kind")]
