from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.streaming_templates import only, streaming


def cluster() -> dict[str, Any]:
    return dict(only("AWS::MSK::Cluster")["Properties"])


def test_clients_sign_in_by_scram_and_by_nothing_else() -> None:
    assert cluster()["ClientAuthentication"] == {
        "Sasl": {"Scram": {"Enabled": True}, "Iam": {"Enabled": False}},
        "Unauthenticated": {"Enabled": False},
    }


def test_data_is_encrypted_in_transit_and_at_rest_with_a_customer_key() -> None:
    encryption = cluster()["EncryptionInfo"]
    assert encryption["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert encryption["EncryptionAtRest"]["DataVolumeKMSKeyId"]["Fn::GetAtt"][1] == "Arn"
    assert only("AWS::KMS::Key")["Properties"]["EnableKeyRotation"] is True


def test_cluster_is_what_the_settings_say() -> None:
    properties = cluster()
    assert (properties["ClusterName"], properties["KafkaVersion"]) == ("milvus-test", "3.9.x.kraft")
    assert (properties["NumberOfBrokerNodes"], properties["EnhancedMonitoring"]) == (3, "PER_BROKER")
    assert properties["BrokerNodeGroupInfo"]["InstanceType"] == "kafka.m7g.large"
    assert properties["BrokerNodeGroupInfo"]["StorageInfo"] == {"EBSStorageInfo": {"VolumeSize": 100}}
    assert len(properties["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3
    assert "OpenMonitoring" not in properties


def test_cluster_uses_the_newest_revision_of_its_configuration() -> None:
    info = cluster()["ConfigurationInfo"]
    assert info["Arn"]["Fn::GetAtt"][0] == info["Revision"]["Fn::GetAtt"][0]
    assert info["Revision"]["Fn::GetAtt"][1] == "LatestRevision.Revision"


def test_configuration_names_no_kafka_version_so_that_an_upgrade_replaces_nothing() -> None:
    assert "KafkaVersionsList" not in only("AWS::MSK::Configuration")["Properties"]


@pytest.mark.parametrize("kind", ["AWS::MSK::Configuration", "AWS::SecretsManager::Secret"])
def test_names_that_aws_gives_free_late_end_in_a_part_of_the_stack_id(kind: str) -> None:
    assert '{"Ref": "AWS::StackId"}' in json.dumps(only(kind)["Properties"]["Name"])


def test_broker_logs_go_to_cloudwatch_and_end() -> None:
    logs = cluster()["LoggingInfo"]["BrokerLogs"]["CloudWatchLogs"]
    assert logs["Enabled"] is True
    group = streaming()[0].find_resources("AWS::Logs::LogGroup")[logs["LogGroup"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == 30
    assert group["Properties"]["LogGroupName"]["Fn::Join"][1][0] == "/aws/vendedlogs/msk/milvus-test-"


def test_volumes_grow_up_to_the_ceiling_and_never_shrink() -> None:
    template = streaming()[0]
    template.has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {
            "ServiceNamespace": "kafka",
            "ScalableDimension": "kafka:broker-storage:VolumeSize",
            "MinCapacity": 1,
            "MaxCapacity": 500,
        },
    )
    policy = only("AWS::ApplicationAutoScaling::ScalingPolicy")["Properties"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracking["TargetValue"], tracking["DisableScaleIn"]) == (60, True)


def test_a_ceiling_equal_to_the_volume_switches_growth_off() -> None:
    template, _ = streaming(removal="retain", max_gib=100)
    template.resource_count_is("AWS::ApplicationAutoScaling::ScalableTarget", 0)
