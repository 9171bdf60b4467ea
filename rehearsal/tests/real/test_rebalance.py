"""Partitions move onto new brokers of a real Kafka, without a message lost, and under a throttle that goes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from ops.errors import OpsError
from ops.rebalance import connect, moves, rebalance
from rehearsal.run import Run
from rehearsal.servers.kafka import Kafka

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
# With characters that YAML, shells and Java properties break.
USER, PASSWORD = "milvus", """p"a\\s,s]w=o r#d!'{}"""
OLD, ALL = (1, 2, 3), (1, 2, 3, 4)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with (
        Run(root=tmp_path_factory.mktemp("rehearsal")) as run,
        Kafka(
            run=run,
            properties={"default.replication.factor": "3", "min.insync.replicas": "2"},
            users={USER: PASSWORD},
            brokers=len(ALL),
        ) as started,
    ):
        yield started


def test_topics_of_three_brokers_move_onto_a_fourth_and_keep_their_messages(kafka: Kafka) -> None:
    from kafka import KafkaProducer
    from kafka.admin import NewTopic

    with connect(kafka.bootstrap, authority=kafka.authority, username=USER, password=PASSWORD) as brokers:
        # GIVEN topics with messages that stand on three of four brokers, as before the fourth was added
        names = [f"dml_{number:02}" for number in range(8)]
        turned = [list(OLD[first % 3 :] + OLD[: first % 3]) for first in range(8)]
        brokers.client.create_topics(
            [NewTopic(name, replica_assignments={0: copies}) for name, copies in zip(names, turned, strict=True)]
        )
        producer = KafkaProducer(
            bootstrap_servers=kafka.bootstrap.split(","),
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=USER,
            sasl_plain_password=PASSWORD,
            ssl_cafile=str(kafka.authority),
        )
        for name in names:
            for number in range(50):
                producer.send(name, bytes(1000) + str(number).encode())
        producer.flush()
        producer.close()
        written = kafka.offsets()
        before = [each for each in brokers.partitions() if each.topic in names]
        assert {broker for each in before for broker in each.brokers} == set(OLD)
        # WHEN balanced, three at a time
        planned = moves(brokers.partitions(), brokers.zones())
        done: list[tuple[int, int]] = []
        rebalance(brokers, planned, mib_per_second=50, at_once=3, progress=lambda *told: done.append(told))
        # THEN every broker has its share, and there is nothing left to do
        held = Counter(broker for each in brokers.partitions() for broker in each.brokers)
        assert max(held.values()) - min(held[broker] for broker in ALL) <= 1
        assert moves(brokers.partitions(), brokers.zones()) == ()
        assert done[-1] == (len(planned), len(planned))
        # AND the first broker of each partition leads it
        topics = brokers.client.describe_topics(names)
        assert all(each["leader_id"] == each["replica_nodes"][0] for topic in topics for each in topic["partitions"])
    # AND every message is there, all copies are in sync, and no throttle is left
    assert kafka.offsets() == written
    assert not kafka.under_replicated()
    assert not [name for name in names if "throttled" in kafka.describe(name)]


def test_wrong_password_is_named_and_not_shown(kafka: Kafka) -> None:
    with (
        pytest.raises(OpsError, match=r"^the brokers of \S+ answer, but do not let milvus in: ") as refused,
        connect(kafka.bootstrap, username=USER, password="wrong-secret", authority=kafka.authority, seconds=10),
    ):
        pytest.fail("logged in")
    assert "wrong-secret" not in str(refused.value)
