"""Rules of the queue: brokers, message sizes, partitions, and which queue a release line can use."""

from __future__ import annotations

from collections.abc import Iterator

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.instances import BROKER_TYPES
from settings.queue import KRAFT_VERSIONS, Msk, Woodpecker, copies
from settings.releases import RELEASE_LINES
from settings.rules.words import LIST_RANGES, for_everybody, listed, nearest

# https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-storage.html
_SMALLEST_GROWTH_GIB = 10
# Partition replicas that Kafka keeps for itself (__consumer_offsets with 50 partitions on 3 replicas).
_INTERNAL_PARTITION_REPLICAS = 150


def _brokers(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    if wide := for_everybody(env.queue.private_cidrs):
        yield Problem("queue.private_cidrs", f"got {wide}: do not open the brokers to everybody; {LIST_RANGES}")
    zones, brokers = len(env.network.zones), env.queue.brokers
    if brokers % zones:
        below = brokers - brokers % zones
        remedy = f"use {below} or {below + zones}" if below else f"use {zones}"
        yield Problem("queue.brokers", f"must be a multiple of the {zones} zones, got {brokers}; {remedy}")
    if env.queue.broker_type == "kafka.t3.small":
        yield Problem("queue.broker_type", "MSK runs no KRaft cluster on kafka.t3.small; use kafka.m7g.large or larger")
    elif env.queue.broker_type not in BROKER_TYPES:
        meant = nearest(env.queue.broker_type, BROKER_TYPES)
        yield Problem("queue.broker_type", f"{env.queue.broker_type} is not in the broker table{meant}")
    if env.queue.storage.max_gib < env.queue.storage.volume_gib:
        yield Problem(
            "queue.storage.max_gib",
            f"must be at least volume_gib {env.queue.storage.volume_gib}, got {env.queue.storage.max_gib}",
        )
    elif 0 < env.queue.storage.max_gib - env.queue.storage.volume_gib < _SMALLEST_GROWTH_GIB:
        yield Problem(
            "queue.storage.max_gib",
            f"volumes grow by at least {_SMALLEST_GROWTH_GIB} GiB, so {env.queue.storage.max_gib} is never reached "
            f"from volume_gib {env.queue.storage.volume_gib}; use the same for no growth, or at least "
            f"{env.queue.storage.volume_gib + _SMALLEST_GROWTH_GIB}",
        )


def _kafka_version(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    version = env.queue.kafka_version
    majors = env.release.kafka_scram_majors
    if int(version.split(".")[0]) not in majors:
        yield Problem(
            "queue.kafka_version",
            f"got {version}, but the Kafka client inside Milvus {env.milvus.line} logs in by SCRAM only to Kafka "
            f"{' and '.join(f'{major}.x' for major in majors)} (milvus#52601); use 3.9.x.kraft",
        )
    elif not version.endswith(".kraft"):
        yield Problem(
            "queue.kafka_version",
            f"got {version}, which means ZooKeeper: that cannot be changed to KRaft later; use 3.9.x.kraft",
        )
    elif version not in KRAFT_VERSIONS:
        known = listed(each for each in KRAFT_VERSIONS if int(each.split(".")[0]) in majors)
        yield Problem("queue.kafka_version", f"MSK has no {version}; use one of {known}")


def _message_sizes(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk):
        return
    queue = env.queue
    if queue.milvus_message_max_bytes > queue.message_max_bytes:
        yield Problem(
            "queue.milvus_message_max_bytes",
            f"Milvus would send up to {queue.milvus_message_max_bytes} bytes, the brokers refuse more than "
            f"message_max_bytes {queue.message_max_bytes}; raise the latter or lower the former",
        )
    if queue.message_max_bytes > queue.replica_fetch_max_bytes:
        yield Problem(
            "queue.replica_fetch_max_bytes",
            f"must be at least message_max_bytes {queue.message_max_bytes}, got {queue.replica_fetch_max_bytes}, or "
            "large messages are never replicated",
        )


def partition_replicas(env: Environment) -> int:
    """Return the partition replicas that Milvus's channels and Kafka itself put on all brokers together."""
    if not isinstance(env.queue, Msk):
        return 0
    replication = copies(len(env.network.zones))
    # One partition for each channel's topic: num.partitions is 1, because Milvus writes partition 0 only.
    return env.queue.channels * replication + _INTERNAL_PARTITION_REPLICAS


def _partition_budget(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Msk) or env.queue.broker_type not in BROKER_TYPES:
        return
    budget = BROKER_TYPES[env.queue.broker_type].partitions
    per_broker = -(-partition_replicas(env) // env.queue.brokers)
    if per_broker > budget:
        yield Problem(
            "queue.channels",
            f"{env.queue.channels} channels put about {per_broker} partitions on each broker, {env.queue.broker_type} "
            f"takes {budget}; beyond it MSK refuses changes; use fewer channels, more brokers or a larger broker_type",
        )


def _woodpecker(env: Environment) -> Iterator[Problem]:
    if not isinstance(env.queue, Woodpecker):
        return
    support = env.release.woodpecker
    allowed = listed(line for line, release in RELEASE_LINES.items() if release.woodpecker == "yes")
    if support == "no":
        yield Problem(
            "queue.kind",
            f"woodpecker is in Milvus from {allowed} on (2.6 as preview), got line {env.milvus.line}; use kind: msk",
        )
    elif support == "preview" and not env.queue.preview:
        yield Problem(
            "queue.preview",
            f"woodpecker is a preview in Milvus {env.milvus.line}; accept it with preview: true, use kind: msk, or "
            f"milvus.line: '{allowed}'",
        )
    elif support == "yes" and env.queue.preview:
        yield Problem("queue.preview", f"woodpecker is no preview in Milvus {env.milvus.line}; remove preview")


RULES: tuple[Rule, ...] = (_brokers, _kafka_version, _message_sizes, _partition_budget, _woodpecker)
