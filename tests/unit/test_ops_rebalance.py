"""What moves onto new brokers: as little as possible, within its zone, and nothing twice."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from kafka import errors
from typer.testing import CliRunner

from ops import rebalance as room
from ops.cli import app
from ops.errors import OpsError
from ops.rebalance import Move, Partition, login, moves
from ops.rebalance.kafka import Brokers

ZONES = {1: "use2-az1", 2: "use2-az2", 3: "use2-az3"}
SIX = {**ZONES, 4: "use2-az1", 5: "use2-az2", 6: "use2-az3"}


def partitions(number: int, *, brokers: tuple[int, ...] = (1, 2, 3)) -> list[Partition]:
    """Return topics of one partition, their leaders in turn, as Kafka creates them."""
    turned = [brokers[first:] + brokers[:first] for first in range(len(brokers))]
    return [Partition(topic=f"dml_{each:02}", number=0, brokers=turned[each % 3]) for each in range(number)]


def after(before: Iterable[Partition], planned: Iterable[Move]) -> list[Partition]:
    changed = {(move.before.topic, move.before.number): move.brokers for move in planned}
    return [
        Partition(topic=each.topic, number=each.number, brokers=changed.get((each.topic, each.number), each.brokers))
        for each in before
    ]


def spread(counts: Mapping[int, int], brokers: Iterable[int]) -> int:
    values = [counts[broker] for broker in brokers]
    return max(values) - min(values)


@pytest.mark.parametrize("number", [1, 2, 16, 17, 66])
def test_three_new_brokers_get_half_of_everything_and_no_copy_leaves_its_zone(number: int) -> None:
    # GIVEN topics on three brokers, and three more, one in each zone
    before = partitions(number)
    planned = moves(before, SIX)
    then = after(before, planned)
    # THEN each zone has its copies on both of its brokers
    held = Counter(broker for each in then for broker in each.brokers)
    assert all(spread(held, pair) <= 1 for pair in ((1, 4), (2, 5), (3, 6)))
    # AND each partition has a copy in each zone, as before
    assert all(sorted(SIX[broker] for broker in each.brokers) == sorted(ZONES.values()) for each in then)
    # AND no more was copied than that takes
    assert sum(move.copies for move in planned) == 3 * (number // 2)
    # AND all lead alike
    assert spread(Counter(each.brokers[0] for each in then), SIX) <= (2 if number > 3 else 1)


def test_what_is_balanced_stays_where_it_is() -> None:
    before = partitions(66)
    assert moves(before, ZONES) == ()
    done = after(before, moves(before, SIX))
    assert moves(done, SIX) == ()


def test_brokers_without_zones_balance_all_together_and_hold_no_partition_twice() -> None:
    before = partitions(12)
    then = after(before, moves(before, dict.fromkeys(range(1, 5), "")))
    assert spread(Counter(broker for each in then for broker in each.brokers), range(1, 5)) <= 1
    assert all(len(set(each.brokers)) == 3 for each in then)


def test_another_leader_alone_copies_nothing() -> None:
    # GIVEN one broker that leads everything
    before = [Partition(topic=f"dml_{each}", number=0, brokers=(1, 2, 3)) for each in range(6)]
    planned = moves(before, ZONES)
    assert sum(move.copies for move in planned) == 0
    assert Counter(each.brokers[0] for each in after(before, planned)) == {1: 2, 2: 2, 3: 2}


class Cluster:
    """Brokers that finish what they were asked two looks later."""

    def __init__(self, before: list[Partition]) -> None:
        self.before = before
        self.log: list[Any] = []
        self._looks = 0

    def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{"broker_id": broker, "rack": zone} for broker, zone in SIX.items()]}

    def describe_topics(self) -> list[dict[str, Any]]:
        return [
            {"name": each.topic, "partitions": [{"partition_index": each.number, "replica_nodes": list(each.brokers)}]}
            for each in self.before
        ]

    def list_partition_reassignments(self) -> dict[Any, Any]:
        self._looks = max(0, self._looks - 1)
        return {} if not self._looks else {partition: {} for partition in self._asked}

    def alter_partition_reassignments(self, asked: dict[Any, list[int]]) -> dict[Any, Any]:
        self.log.append(("move", len(asked)))
        self._asked, self._looks = asked, 3
        return dict.fromkeys(asked)

    def elect_leaders(self, kind: int) -> None:
        self.log.append(("elect", kind))

    def alter_configs(self, resources: list[Any], *, raise_on_unknown: bool) -> None:
        assert not raise_on_unknown
        self.log.append({each.name: {key: value for key, (_, value) in each.configs.items()} for each in resources})


def test_partitions_move_some_at_a_time_under_a_throttle_that_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a cluster with five partitions to move
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    cluster, told = Cluster(partitions(10)), list[tuple[int, int]]()
    planned = moves(Brokers(cluster).partitions(), Brokers(cluster).zones())
    # WHEN moved
    room.rebalance(Brokers(cluster), planned, mib_per_second=20, at_once=4, progress=lambda *done: told.append(done))
    # THEN brokers and topics are throttled before, in bytes, and no longer after
    first, *batches, last, elected = cluster.log
    assert first["1"] == {
        "leader.replication.throttled.rate": "20971520",
        "follower.replication.throttled.rate": "20971520",
    }
    assert first["dml_00"] == {
        "leader.replication.throttled.replicas": "*",
        "follower.replication.throttled.replicas": "*",
    }
    assert {value for configs in last.values() for value in configs.values()} == {None}
    assert set(first) == set(last) == {*map(str, SIX), *(each.topic for each in cluster.before)}
    # AND no more than four are on their way
    sizes = [size for _, size in batches]
    assert max(sizes) <= 4
    assert sum(sizes) == len(planned)
    assert told[-1] == (len(planned), len(planned))
    assert elected == ("elect", 0)


def test_throttle_goes_also_when_kafka_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusal:
        __name__ = "InvalidReplicaAssignmentError"

    cluster = Cluster(partitions(10))
    monkeypatch.setattr(cluster, "alter_partition_reassignments", lambda asked: dict.fromkeys(asked, Refusal()))
    planned = moves(Brokers(cluster).partitions(), SIX)
    with pytest.raises(
        OpsError,
        match=r"^Kafka does not move partition 0 of dml_00: InvalidReplicaAssignmentError. Look at the cluster",
    ):
        room.rebalance(Brokers(cluster), planned, mib_per_second=1, at_once=1, progress=lambda *_: None)
    assert {value for configs in cluster.log[-1].values() for value in configs.values()} == {None}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = Cluster(partitions(2))
    found = login.Login(bootstrap="b-1:9096", username="milvus", password="secret")
    monkeypatch.setattr(room, "read_login", lambda _env: found)
    monkeypatch.setattr(room, "connect", lambda *_args, **_options: contextlib.nullcontext(Brokers(cluster)))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return cluster


def test_command_shows_what_would_move_and_moves_nothing(deployed: Cluster) -> None:
    shown = CliRunner().invoke(app, ["rebalance", "--env", "prod"])
    assert shown.exit_code == 0, shown.output
    assert "1, 2, 3" in shown.output
    assert "nothing was moved: add --yes" in shown.output
    assert deployed.log == []


def test_command_moves_when_told_to(deployed: Cluster) -> None:
    shown = CliRunner().invoke(app, ["rebalance", "--env", "prod", "--yes"])
    assert shown.exit_code == 0, shown.output
    assert ("elect", 0) in deployed.log
    assert "1 partitions moved" in shown.output or "2 partitions moved" in shown.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--throttle", "0"], "--throttle: got 0, allowed is 1 to 10000"),
        (["--at-once", "101"], "--at-once: got 101, allowed is 1 to 100"),
        (["--env", "existing-vpc"], "queue.kind: got woodpecker, allowed is msk"),
    ],
)
def test_wrong_input_is_named(options: list[str], message: str) -> None:
    shown = CliRunner().invoke(app, ["rebalance", *options])
    assert shown.exit_code == 2
    assert message in shown.output


def test_nobody_at_the_address_is_an_error_with_the_remedy() -> None:
    with (
        pytest.raises(OpsError, match=r"^no broker of 127\.0\.0\.1:1 answers: .*queue\.private_cidrs names"),
        room.connect("127.0.0.1:1", username="milvus", password="x", seconds=1),
    ):
        pytest.fail("connected to nobody")


def test_first_partitions_move_to_the_emptier_broker_of_the_zone_and_then_lead_alike() -> None:
    # GIVEN broker 1, which leads four partitions, and a new one beside it, in no order
    before = [Partition(topic="dml", number=number, brokers=(1, 2, 3)) for number in (3, 1, 0, 2)]
    planned = moves(before, {1: "a", 2: "b", 3: "c", 4: "a"})
    assert [(move.before.number, move.brokers, move.copies) for move in planned] == [
        (0, (2, 4, 3), 1),
        (1, (4, 2, 3), 1),
        (2, (3, 1, 2), 0),
    ]


def test_throttle_is_set_on_brokers_and_topics_and_deleted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN brokers in no order, one of them without a zone, and topics named twice
    asked: list[list[Any]] = []

    def alter(resources: list[Any], *, raise_on_unknown: bool) -> None:
        assert not raise_on_unknown
        asked.append(
            [
                (each.resource_type.name, each.name, {name: (how.name, to) for name, (how, to) in each.configs.items()})
                for each in resources
            ]
        )

    cluster = Cluster([])
    described = {"brokers": [{"broker_id": "2", "rack": "use2-az2"}, {"broker_id": 1, "rack": None}]}
    monkeypatch.setattr(cluster, "describe_cluster", lambda: described)
    monkeypatch.setattr(cluster, "alter_configs", alter)
    brokers = Brokers(cluster)
    assert brokers.zones() == {1: "", 2: "use2-az2"}
    # WHEN something moves
    with brokers.throttled(3, ["t", "s", "t"]):
        assert len(asked) == 1
    # THEN both ends of it are throttled, in bytes, until it ends
    both = ("leader", "follower")
    for step, rate, replicas in zip(
        asked, [("SET", "3145728"), ("DELETE", None)], [("SET", "*"), ("DELETE", None)], strict=True
    ):
        rates = {f"{end}.replication.throttled.rate": rate for end in both}
        copies = {f"{end}.replication.throttled.replicas": replicas for end in both}
        assert step == [
            ("BROKER", "1", rates),
            ("BROKER", "2", rates),
            ("TOPIC", "s", copies),
            ("TOPIC", "t", copies),
        ]


def test_what_moves_is_named_to_kafka_with_its_brokers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster([])
    asked: list[Any] = []

    def alter(targets: dict[Any, list[int]]) -> dict[Any, None]:
        asked.append({(each.topic, each.partition): brokers for each, brokers in targets.items()})
        return dict.fromkeys(targets)

    monkeypatch.setattr(cluster, "alter_partition_reassignments", alter)
    Brokers(cluster).move({("dml", 7): (3, 1), ("dml", 2): (2, 3)})
    assert asked == [{("dml", 7): [3, 1], ("dml", 2): [2, 3]}]


class Admin:
    """A client that keeps how it was made, and whether it was closed."""

    made: list[Admin]

    def __init__(self, **options: Any) -> None:
        self.options, self.closed = options, False
        self.made.append(self)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Admin]:
    monkeypatch.setattr(Admin, "made", [], raising=False)
    monkeypatch.setattr("kafka.admin.KafkaAdminClient", Admin)
    return Admin.made


@pytest.mark.parametrize(("authority", "file"), [(None, None), (Path("/ca.pem"), "/ca.pem")])
def test_brokers_are_signed_in_to_by_scram_over_tls(
    clients: list[Admin], authority: Path | None, file: str | None
) -> None:
    with room.connect("b-1:9096,b-2:9096", username="milvus", password="x", authority=authority, seconds=7) as brokers:
        assert brokers.client is clients[0]
        assert not clients[0].closed
    assert [client.options for client in clients] == [
        {
            "bootstrap_servers": ["b-1:9096", "b-2:9096"],
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "milvus",
            "sasl_plain_password": "x",
            "ssl_cafile": file,
            "request_timeout_ms": 7000,
            "bootstrap_timeout_ms": 7000,
        }
    ]
    assert clients[0].closed


@pytest.mark.parametrize("error", [errors.KafkaConnectionError, errors.KafkaTimeoutError])
@pytest.mark.parametrize(
    ("listening", "message", "remedy"),
    [
        (
            {("b-2", 9096)},
            "the brokers of b-1:9096,b-2:9096 answer, but do not let milvus in: ",
            "Deploy the environment again: its Streaming stack associates the secret with the cluster",
        ),
        (
            set(),
            "no broker of b-1:9096,b-2:9096 answers: ",
            "Run this in the VPC, or from a network that queue.private_cidrs names",
        ),
    ],
)
def test_refused_login_is_told_from_brokers_that_are_away(
    clients: list[Admin],
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: type[Exception],
    listening: set[tuple[str, int]],
    message: str,
    remedy: str,
) -> None:
    # GIVEN the same error of the client, whether or not the second broker takes connections
    def dial(address: tuple[str, int], timeout: float) -> contextlib.nullcontext[None]:
        assert timeout == 3
        if address not in listening:
            raise ConnectionRefusedError
        return contextlib.nullcontext()

    monkeypatch.setattr("socket.create_connection", dial)
    # WHEN it ends the work
    raised = error("over")
    with pytest.raises(OpsError) as caught, room.connect("b-1:9096,b-2:9096", username="milvus", password="x"):
        raise raised
    # THEN
    assert str(caught.value) == f"{message}{raised}. {remedy}"
    assert clients[0].closed
    assert clients[0].options["request_timeout_ms"] == 30_000


def test_what_kafka_refuses_is_said_with_what_to_do(clients: list[Admin]) -> None:
    raised = errors.InvalidReplicationFactorError("two brokers")
    with pytest.raises(OpsError) as caught, room.connect("b-1:9096", username="milvus", password="x"):
        raise raised
    assert str(caught.value) == f"Kafka refuses: {raised}. Run the command again: it goes on"
    assert clients[0].closed
