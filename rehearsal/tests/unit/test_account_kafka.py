"""MSK's rules: brokers per zone, versions, keys, SCRAM secrets, server properties."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.account.base import Request
from rehearsal.account.kafka import BatchScramSecret
from rehearsal.account.kafka_api import scram_problem
from rehearsal.account.kafka_rules import check_cluster, check_server_properties, check_update
from rehearsal.account.refusals import ResourceError

_CLUSTER_ARN = "arn:aws:kafka:eu-central-1:111122223333:cluster/milvus/1"
_SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:AmazonMSK_milvus-abcdef"


def _aws(service: str, *, zones: str = "abc", key_state: str = "Enabled") -> Any:
    def subnets(SubnetIds: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
        pairs = zip(SubnetIds, zones, strict=True)
        return {"Subnets": [{"SubnetId": name, "AvailabilityZone": zone, "VpcId": "vpc-1"} for name, zone in pairs]}

    def groups(GroupIds: list[str]) -> dict[str, Any]:  # noqa: N803 - the same
        return {"SecurityGroups": [{"GroupId": name} for name in GroupIds if name != "sg-gone"]}

    def revision(**_: object) -> None:
        raise ClientError({"Error": {"Code": "NotFoundException", "Message": "no such configuration"}}, "Describe")

    return {
        "ec2": SimpleNamespace(describe_subnets=subnets, describe_security_groups=groups),
        "kms": SimpleNamespace(describe_key=lambda KeyId: {"KeyMetadata": {"KeyState": key_state, "Arn": KeyId}}),  # noqa: N803 - boto3's name
        "logs": SimpleNamespace(describe_log_groups=lambda **_: {"logGroups": [{"logGroupName": "/msk"}]}),
        "kafka": SimpleNamespace(describe_configuration_revision=revision),
    }[service]


def _request(*, zones: str = "abc", key_state: str = "Enabled", **change: Any) -> Request:
    properties = {
        "ClusterName": "milvus",
        "KafkaVersion": "3.9.x.kraft",
        "NumberOfBrokerNodes": 3,
        "BrokerNodeGroupInfo": {
            "ClientSubnets": [f"subnet-{number}" for number in range(len(zones))],
            "InstanceType": "kafka.m7g.large",
            "SecurityGroups": ["sg-1"],
        },
        "ClientAuthentication": {"Sasl": {"Scram": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}},
        "EncryptionInfo": {"EncryptionAtRest": {"DataVolumeKMSKeyId": "key-1"}},
    }
    return Request(
        type_name="AWS::MSK::Cluster",
        logical_id="Kafka",
        stack="milvus-dev-streaming",
        properties=properties | change,
        aws=lambda service: _aws(service, zones=zones, key_state=key_state),
    )


def test_a_sound_cluster_is_accepted() -> None:
    check_cluster(_request())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (_request(zones="aab"), "each in a different Availability Zone"),
        (_request(zones="a", NumberOfBrokerNodes=1), "Specify either two or three client subnets"),
        (
            _request(
                BrokerNodeGroupInfo={
                    "ClientSubnets": ["s1", "s2", "s3"],
                    "InstanceType": "kafka.m7g.large",
                    "SecurityGroups": ["sg-gone"],
                }
            ),
            "The security group 'sg-gone' does not exist",
        ),
        (_request(key_state="PendingDeletion"), "key-1 is pendingdeletion"),
        (
            _request(LoggingInfo={"BrokerLogs": {"CloudWatchLogs": {"Enabled": True, "LogGroup": "/other"}}}),
            r"The log group \[/other\] does not exist",
        ),
        (_request(ConfigurationInfo={"Arn": "arn:x", "Revision": 1}), "no such configuration"),
    ],
)
def test_a_cluster_that_msk_refuses_is_refused(request_: Request, message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        check_cluster(request_)


def test_a_cluster_changes_in_one_way_at_a_time() -> None:
    before = _request().properties
    check_update(before, before | {"NumberOfBrokerNodes": 6})
    check_update(before, before | {"EnhancedMonitoring": "PER_BROKER", "LoggingInfo": {"BrokerLogs": {}}})
    with pytest.raises(ResourceError, match="You can't update multiple attributes of the cluster in same request"):
        check_update(before, before | {"NumberOfBrokerNodes": 6, "EnhancedMonitoring": "PER_BROKER"})


def _secret(**change: Any) -> dict[str, Any]:
    value = json.dumps({"username": "milvus", "password": "made-up"})
    version = {"SecretString": value, "Stages": ["AWSCURRENT"]}
    return {"KmsKeyId": "arn:aws:kms:key/1", "Versions": {"1": version}} | change


def test_a_sound_scram_secret_is_taken() -> None:
    assert scram_problem(_SECRET_ARN, _secret(), _CLUSTER_ARN) is None


@pytest.mark.parametrize(
    ("arn", "secret", "message"),
    [
        ("nonsense", _secret(), "not valid"),
        (_SECRET_ARN.replace("AmazonMSK_", ""), _secret(), "prefix AmazonMSK_"),
        (_SECRET_ARN.replace("eu-central-1", "us-east-1"), _secret(), "Region of the cluster"),
        (_SECRET_ARN, None, "does not exist"),
        (_SECRET_ARN, _secret(KmsKeyId=None), "customer managed key"),
        (_SECRET_ARN, _secret(KmsKeyId="alias/aws/secretsmanager"), "customer managed key"),
        (_SECRET_ARN, _secret(Versions={"1": {"SecretString": "plain", "Stages": ["AWSCURRENT"]}}), "must be JSON"),
        (
            _SECRET_ARN,
            _secret(Versions={"1": {"SecretString": '{"username": "x"}', "Stages": ["AWSCURRENT"]}}),
            "password",
        ),
    ],
)
def test_a_scram_secret_that_msk_refuses_is_refused(arn: str, secret: dict[str, Any] | None, message: str) -> None:
    problem = scram_problem(arn, secret, _CLUSTER_ARN)
    assert problem is not None
    assert message in problem[1]


def test_an_unprocessed_scram_secret_fails_the_resource() -> None:
    # GIVEN a service that answers with success and an unprocessed secret (aws-cdk#34794)
    unprocessed = {"SecretArn": _SECRET_ARN, "ErrorCode": "InvalidSecretArn", "ErrorMessage": "wrong prefix"}
    kafka = SimpleNamespace(batch_associate_scram_secret=lambda **_: {"UnprocessedScramSecrets": [unprocessed]})
    request = Request(
        type_name="AWS::MSK::BatchScramSecret",
        logical_id="Users",
        stack="s",
        properties={"ClusterArn": _CLUSTER_ARN, "SecretArnList": [_SECRET_ARN]},
        aws=lambda _service: kafka,
    )
    # WHEN it is associated, THEN the resource fails
    with pytest.raises(ResourceError, match="wrong prefix"):
        BatchScramSecret().create(request)


def test_server_properties_that_msk_knows_pass() -> None:
    check_server_properties("auto.create.topics.enable=true\n\nmessage.max.bytes = 10485880\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inter.broker.protocol.version=3.9", r"Unsupported server property \[inter.broker.protocol.version\]"),
        ("message.max.bytes", "not of the form name=value"),
    ],
)
def test_server_properties_that_msk_refuses_are_refused(text: str, message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        check_server_properties(text)
