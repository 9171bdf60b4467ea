"""A real Milvus, configured as the chart renders it, on Kafka and S3 as our stacks make them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.run import Run
from rehearsal.servers import data_path_faults as faults
from rehearsal.servers.durability import durability
from rehearsal.servers.milvus import server
from rehearsal.servers.milvus_configuration import server_defaults
from rehearsal.servers.smoke import smoke
from rehearsal.servers.stand import Stand
from settings import SettingsError, parse_environment
from settings.queue import Msk, packed_bytes

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-milvus"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
# The chart of the line that the server at hand belongs to (2.3), as it renders our guide environment.
RECORD = Path(__file__).parents[3] / "tests" / "chart_records" / "4.1.28" / "guide.json"
PROPERTIES = {
    "auto.create.topics.enable": "true",
    "num.partitions": "1",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "message.max.bytes": "10485880",
    "replica.fetch.max.bytes": "20971760",
    "log.retention.hours": "168",
}


_ASKS = re.compile(r"(?i)(port|ip|address|endpoints?|url|path|pem|dir|cert|key|enableActiveStandby|tlsMode)$")


def _layers() -> list[dict[str, Any]]:
    configuration = json.loads(RECORD.read_text())["configuration"]
    return [configuration["default.yaml"], configuration["user.yaml"]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(root=tmp_path_factory.mktemp("rehearsal")) as started:
        yield started


@pytest.fixture(scope="module")
def stand(run: Run) -> Iterator[Stand]:
    # A password with characters that YAML, shells and Java properties break.
    login = ("milvus", """p"a\\s,s]w=o r#d!'{}""")
    with Stand(run=run, properties=PROPERTIES, layers=_layers(), login=login) as started:
        yield started


def test_hello_milvus_passes_and_its_rows_travel_through_kafka_to_s3(stand: Stand) -> None:
    # GIVEN
    with stand.milvus() as milvus:
        # WHEN
        seen = smoke(milvus.uri, token=stand.token)

        # THEN
        assert seen.ok, str(seen)
        written = {topic: count for topic, count in stand.kafka.offsets().items() if count}
        assert any(topic.startswith("milvus-guide-rootcoord-dml_") for topic in written)
        objects = stand.s3.objects()
        assert any(key.startswith("milvus/insert_log/") for key in objects)
        assert sum(objects.values()) > 3000 * 8 * 4
        assert stand.password not in milvus.log_text()


@pytest.mark.parametrize("largest", [1048576, 2097152, 3145728, 10485760, 104857600])
def test_insert_of_4_mb_passes_whatever_the_largest_message(stand: Stand, largest: int) -> None:
    # GIVEN what the settings make of a largest message that they accept
    queue = Msk(kind="msk", milvus_message_max_bytes=largest)
    configuration = {"pulsar.maxMessageSize": packed_bytes(queue), "kafka.producer.message.max.bytes": largest}
    # WHEN THEN a FaultError says what was not stored
    print(faults.large_message_passes(stand, name=f"large-{largest}", configuration=configuration))  # noqa: T201 - shown by pytest -rP


def test_settings_refuse_what_asks_for_a_port_a_file_or_an_address() -> None:
    # GIVEN every key of the server's own milvus.yaml that names one
    known = list(_leaves(server_defaults(server().defaults)))
    asking = [key for key in known if _ASKS.search(key)]
    assert len(asking) > 40
    # THEN the settings refuse it, but for what only names a file that Milvus writes
    accepted = [key for key in asking if not _refuses(key)]
    assert accepted == ["log.file.rootPath"]


def _leaves(values: Mapping[str, Any], parents: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}"


def _refuses(key: str) -> bool:
    try:
        parse_environment(
            {
                "name": "milvus-test",
                "region": "eu-west-1",
                "cluster": {
                    "node_groups": {"any": {"instance_types": ["m7g.4xlarge"], "desired_size": 3, "max_size": 3}}
                },
                "queue": {"kind": "msk"},
                "milvus": {"configuration": {key: "host.example.com:1"}},
            },
            source="test",
        )
    except SettingsError as error:
        return [problem.path for problem in error.problems] == [f"milvus.configuration.{key}"]
    return False


def test_every_acknowledged_row_survives_five_kills(stand: Stand) -> None:
    # GIVEN
    with stand.milvus(name="durable", prefix="durable") as milvus:
        # WHEN
        result = durability(milvus, token=stand.token, rounds=5)

    # THEN
    assert result.ok, str(result)
    assert len(result.rounds) == 5
    print(result)  # noqa: T201 - shown by pytest -rP


@pytest.mark.parametrize(
    "fault",
    [
        faults.wrong_kafka_password,
        faults.untrusted_broker_certificate,
        faults.s3_access_denied,
        faults.one_broker_down,
        faults.large_message_passes,
    ],
)
def test_fault_has_its_expected_outcome(stand: Stand, fault: Any) -> None:
    # WHEN THEN a FaultError says what differs
    result = fault(stand)
    print(result)  # noqa: T201 - shown by pytest -rP


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (faults.topic_creation_off, {"auto_create_topics_enable": "false"}),
        (faults.message_too_large, {"message_max_bytes": "1048588"}),
    ],
)
def test_wrong_broker_setting_has_its_expected_outcome(run: Run, fault: Any, change: dict[str, str]) -> None:
    # GIVEN
    properties = faults.with_property(PROPERTIES, **change)
    with Stand(run=run, properties=properties, layers=_layers(), brokers=1, name=fault.__name__) as wrong:
        # WHEN THEN a FaultError says what differs
        result = fault(wrong)
        print(result)  # noqa: T201 - shown by pytest -rP
