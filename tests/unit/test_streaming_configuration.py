from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_logs as logs

from milvus_constructs.kafka.configuration import server_properties
from milvus_constructs.logs import retention
from milvus_constructs.removal import removal_policy
from settings.queue import Msk


def properties(*, zones: int = 3, **settings: Any) -> dict[str, str]:
    text = server_properties(Msk.model_validate({"kind": "msk", **settings}), zones=zones)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_properties_are_what_milvus_needs() -> None:
    # GIVEN the defaults, which are those of the published guide WHEN rendered THEN
    assert properties() == {
        "auto.create.topics.enable": "true",
        "default.replication.factor": "3",
        "log.retention.hours": "168",
        "message.max.bytes": "10485880",
        "min.insync.replicas": "2",
        "num.partitions": "1",
        "offsets.topic.replication.factor": "3",
        "replica.fetch.max.bytes": "20971760",
        "unclean.leader.election.enable": "false",
    }


def test_properties_are_sorted_so_that_no_revision_comes_of_nothing() -> None:
    lines = server_properties(Msk(kind="msk"), zones=3).splitlines()
    assert lines == sorted(lines)


@pytest.mark.parametrize(("zones", "copies", "acknowledging"), [(2, "2", "1"), (3, "3", "2")])
def test_one_broker_can_be_away_without_stopping_writes(zones: int, copies: str, acknowledging: str) -> None:
    found = properties(zones=zones)
    assert found["default.replication.factor"] == found["offsets.topic.replication.factor"] == copies
    assert found["min.insync.replicas"] == acknowledging


def test_more_brokers_change_no_property_because_msk_takes_one_change_at_a_time() -> None:
    assert properties(zones=2, brokers=2) == properties(zones=2, brokers=4)


def test_retain_keeps_nothing_of_a_first_deployment_that_failed() -> None:
    assert removal_policy("retain") is cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    assert removal_policy("destroy") is cdk.RemovalPolicy.DESTROY


def test_log_retention_takes_what_cloudwatch_takes() -> None:
    assert retention(90) is logs.RetentionDays.THREE_MONTHS
    with pytest.raises(ValueError, match="log retention of 8 days: CloudWatch Logs takes 1, 3, 5"):
        retention(8)
