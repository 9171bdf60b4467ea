"""``guide.yaml`` deploys what the published guide deploys, figure by figure."""

from __future__ import annotations

from typing import Any

import pytest

from settings import load_environment
from tests.unit.chart_objects import objects_of, values_of

GUIDE = load_environment("guide")
VALUES = values_of(GUIDE)
OBJECTS = objects_of(GUIDE)


@pytest.mark.parametrize(
    ("component", "replicas", "cpu", "memory"),
    [
        ("rootCoordinator", 2, "1", "2Gi"),
        ("queryCoordinator", 2, "500m", "512Mi"),
        ("dataCoordinator", 2, "500m", "512Mi"),
        ("indexCoordinator", 2, "500m", "512Mi"),
        ("proxy", 2, "1", "4Gi"),
        ("queryNode", 1, "2", "8Gi"),
        ("dataNode", 1, "1", "4Gi"),
        ("indexNode", 1, "4", "8Gi"),
    ],
)
def test_replicas_and_limits_are_the_guides(component: str, replicas: int, cpu: str, memory: str) -> None:
    values: dict[str, Any] = VALUES[component]
    assert values["replicas"] == replicas
    limits = values["resources"]["limits"]
    # The guide limits no disk.
    assert {name: limits[name] for name in ("cpu", "memory")} == {"cpu": cpu, "memory": memory}


@pytest.mark.parametrize("coordinator", ["rootCoordinator", "queryCoordinator", "dataCoordinator", "indexCoordinator"])
def test_coordinators_wait_for_one_another(coordinator: str) -> None:
    assert VALUES[coordinator]["activeStandby"] == {"enabled": True}


def test_release_is_milvus_2_3_13_on_the_chart_that_has_it() -> None:
    assert VALUES["image"]["all"]["tag"] == "v2.3.13"
    assert OBJECTS["HelmChart/milvus"]["spec"]["version"] == "4.1.28"


def test_load_balancer_is_the_guides() -> None:
    annotations = OBJECTS["Service/milvus-service"]["metadata"]["annotations"]
    prefix = "service.beta.kubernetes.io/aws-load-balancer-"
    assert annotations[f"{prefix}scheme"] == "internal"
    assert annotations[f"{prefix}nlb-target-type"] == "ip"


def test_attu_is_the_guides() -> None:
    annotations = OBJECTS["Ingress/milvus-attu"]["metadata"]["annotations"]
    prefix = "alb.ingress.kubernetes.io/"
    assert annotations[f"{prefix}scheme"] == "internet-facing"
    assert annotations[f"{prefix}target-type"] == "ip"
    assert annotations[f"{prefix}group.name"] == "attu"
    # AND, unlike the guide's, it is not for everybody
    assert annotations[f"{prefix}inbound-cidrs"] == ",".join(GUIDE.milvus.attu.inbound_cidrs)


def test_kafka_and_s3_are_the_guides() -> None:
    assert VALUES["externalKafka"]["securityProtocol"] == "SASL_SSL"
    assert VALUES["externalKafka"]["sasl"] == {"mechanisms": "SCRAM-SHA-512"}
    assert VALUES["externalS3"]["useIAM"] is True
    assert OBJECTS["ServiceAccount/milvus-s3-access-sa"]["metadata"]["labels"] == {"aws-usage": "milvus"}
