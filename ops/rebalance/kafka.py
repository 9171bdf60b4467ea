"""The brokers, by Kafka's own requests: what is where, what moves, and how fast it may."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import OpsError, one_line
from ops.rebalance.plan import Partition

# https://kafka.apache.org/documentation/#rep-throttle
_RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
_REPLICAS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")
_PREFERRED = 0


@dataclass(frozen=True)
class Brokers:
    """A connection to a cluster."""

    client: Any
    """kafka-python's ``KafkaAdminClient``, which has no type information."""

    def zones(self) -> dict[int, str]:
        """Return the zone of each broker by its id."""
        return {int(each["broker_id"]): each["rack"] or "" for each in self.client.describe_cluster()["brokers"]}

    def partitions(self) -> list[Partition]:
        """Return every partition of the cluster, Kafka's own too."""
        return [
            Partition(topic=topic["name"], number=each["partition_index"], brokers=tuple(each["replica_nodes"]))
            for topic in self.client.describe_topics()
            for each in topic["partitions"]
        ]

    def moving(self) -> list[tuple[str, int]]:
        """Return topic and number of the partitions whose copies are being made."""
        return [(each.topic, each.partition) for each in self.client.list_partition_reassignments()]

    def move(self, targets: Mapping[tuple[str, int], Iterable[int]]) -> None:
        """Start to give partitions other brokers.

        Raises:
            OpsError: Kafka refuses one of them.
        """
        from kafka import TopicPartition  # noqa: PLC0415 - costs time that --help must not

        asked = {TopicPartition(*partition): list(brokers) for partition, brokers in targets.items()}
        for partition, error in self.client.alter_partition_reassignments(asked).items():
            if error is not None:
                raise OpsError(
                    f"Kafka does not move partition {partition.partition} of {partition.topic}: {error.__name__}",
                    remedy="Look at the cluster with `milvus-ops status`, then run the command again",
                )

    def elect(self) -> None:
        """Let the first broker of each partition lead it."""
        self.client.elect_leaders(_PREFERRED)

    @contextmanager
    def throttled(self, mib_per_second: int, topics: Iterable[str]) -> Iterator[None]:
        """Let no broker send or fetch more than so many MiB in a second for moving, until the end of the block."""
        rate = str(mib_per_second * 1024 * 1024)
        brokers, names = sorted(self.zones()), sorted(set(topics))
        try:
            self._configure(brokers, dict.fromkeys(_RATES, rate), names, dict.fromkeys(_REPLICAS, "*"))
            yield
        finally:
            self._configure(brokers, dict.fromkeys(_RATES), names, dict.fromkeys(_REPLICAS))

    def _configure(
        self,
        brokers: Iterable[int],
        rates: Mapping[str, str | None],
        topics: Iterable[str],
        replicas: Mapping[str, str | None],
    ) -> None:
        from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType  # noqa: PLC0415 - as above

        def entries(values: Mapping[str, str | None]) -> dict[str, tuple[Any, str | None]]:
            return {
                name: (AlterConfigOp.DELETE if value is None else AlterConfigOp.SET, value)
                for name, value in values.items()
            }

        resources = [
            *(ConfigResource(ConfigResourceType.BROKER, str(broker), entries(rates)) for broker in brokers),
            *(ConfigResource(ConfigResourceType.TOPIC, topic, entries(replicas)) for topic in topics),
        ]
        # Kafka lists a throttle only where one is set, so that the client would call the names unknown.
        self.client.alter_configs(resources, raise_on_unknown=False)


@contextmanager
def connect(
    bootstrap: str, *, username: str, password: str, authority: Path | None = None, seconds: int = 30
) -> Iterator[Brokers]:
    """Sign in by SASL/SCRAM over TLS.

    Args:
        bootstrap: Comma-separated ``host:9096``.
        username: Of the SCRAM user.
        password: Of the SCRAM user; no message contains it.
        authority: PEM file of who signed the brokers' certificates; the system's authorities where none is given.
        seconds: How long a broker may take to answer.

    Raises:
        OpsError: Nobody answers, or the login is refused, or Kafka refuses a request.
    """
    from kafka import errors  # noqa: PLC0415 - costs time that --help must not
    from kafka.admin import KafkaAdminClient  # noqa: PLC0415 - the same

    # It writes every failed attempt; the last comes as an error.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    client = None
    try:
        client = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","),
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=username,
            sasl_plain_password=password,
            ssl_cafile=None if authority is None else str(authority),
            request_timeout_ms=seconds * 1000,
            bootstrap_timeout_ms=seconds * 1000,
        )
        yield Brokers(client)
    except (errors.KafkaConnectionError, errors.KafkaTimeoutError, errors.SaslAuthenticationFailedError) as error:
        if _answers(bootstrap):
            raise OpsError(
                f"the brokers of {bootstrap} answer, but do not let {username} in: {one_line(str(error))}",
                remedy="Deploy the environment again: its Streaming stack associates the secret with the cluster",
            ) from error
        raise OpsError(
            f"no broker of {bootstrap} answers: {one_line(str(error))}",
            remedy="Run this in the VPC, or from a network that queue.private_cidrs names",
        ) from error
    except errors.KafkaError as error:
        raise OpsError(f"Kafka refuses: {one_line(str(error))}", remedy="Run the command again: it goes on") from error
    finally:
        if client is not None:
            client.close()


def _answers(bootstrap: str) -> bool:
    """Whether a broker takes connections: kafka-python says the same of one that is away and of a login refused."""
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=3):
            return True
    return False
