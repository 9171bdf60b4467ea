"""Application Auto Scaling's rules for MSK storage; types that are only recorded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.account import delivery, scaling
from rehearsal.account.base import Request
from rehearsal.account.refusals import ResourceError

_TARGET = {
    "ResourceId": "arn:aws:kafka:eu-central-1:111122223333:cluster/milvus/1",
    "ServiceNamespace": "kafka",
    "ScalableDimension": "kafka:broker-storage:VolumeSize",
    "MinCapacity": 1,
    "MaxCapacity": 100,
}
_TARGET_ID = f"{_TARGET['ResourceId']}|kafka:broker-storage:VolumeSize|kafka"
_TRACKING = {
    "DisableScaleIn": True,
    "TargetValue": 60,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "KafkaBrokerStorageUtilization"},
}


def _request(properties: dict[str, Any]) -> Request:
    sts = SimpleNamespace(
        meta=SimpleNamespace(region_name="eu-central-1"), get_caller_identity=lambda: {"Account": "111122223333"}
    )
    return Request(type_name="T", logical_id="L", stack="s", properties=properties, aws=lambda _service: sts)


def _policy(**change: Any) -> dict[str, Any]:
    tracking = _TRACKING | change
    return {
        "PolicyName": "grow",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": _TARGET_ID,
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }


def test_ref_of_a_target_is_resource_dimension_and_service() -> None:
    handlers = scaling.handlers()
    assert handlers["AWS::ApplicationAutoScaling::ScalableTarget"].create(_request(_TARGET)).physical_id == _TARGET_ID


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ScalableDimension": "kafka:broker:Count"}, "Unsupported service namespace"),
        ({"MinCapacity": 200}, "Maximum capacity cannot be less than minimum"),
        ({"ResourceId": "cluster/milvus"}, "is its ARN"),
    ],
)
def test_a_target_that_aws_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        scaling.handlers()["AWS::ApplicationAutoScaling::ScalableTarget"].create(_request(_TARGET | change))


def test_a_policy_needs_a_registered_target() -> None:
    with pytest.raises(ResourceError, match="No scalable target registered"):
        scaling.handlers()["AWS::ApplicationAutoScaling::ScalingPolicy"].create(_request(_policy()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DisableScaleIn": False}, "DisableScaleIn must be true"),
        ({"PredefinedMetricSpecification": {"PredefinedMetricType": "CPU"}}, "Unsupported metric CPU"),
    ],
)
def test_a_storage_policy_that_msk_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    # GIVEN a registered target
    handlers = scaling.handlers()
    handlers["AWS::ApplicationAutoScaling::ScalableTarget"].create(_request(_TARGET))
    # WHEN, THEN
    with pytest.raises(ResourceError, match=message):
        handlers["AWS::ApplicationAutoScaling::ScalingPolicy"].create(_request(_policy(**change)))


def test_a_sound_storage_policy_gets_an_arn() -> None:
    handlers = scaling.handlers()
    handlers["AWS::ApplicationAutoScaling::ScalableTarget"].create(_request(_TARGET))
    created = handlers["AWS::ApplicationAutoScaling::ScalingPolicy"].create(_request(_policy()))
    assert created.physical_id.startswith("arn:aws:autoscaling:eu-central-1:111122223333:scalingPolicy:")


def test_a_new_connection_is_pending_as_in_aws() -> None:
    created = delivery.handlers()["AWS::CodeConnections::Connection"].create(_request({"ConnectionName": "x"}))
    assert created.attributes["ConnectionStatus"] == "PENDING"
    assert created.attributes["OwnerAccountId"] == "111122223333"
