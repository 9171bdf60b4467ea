"""Properties are checked against CloudFormation's provider schemas, in CloudFormation's words."""

from __future__ import annotations

import pytest

from rehearsal.account import schemas
from rehearsal.account.refusals import ResourceError

_CLUSTER = {
    "ClusterName": "milvus",
    "KafkaVersion": "3.9.x.kraft",
    "NumberOfBrokerNodes": 3,
    "BrokerNodeGroupInfo": {"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
}


def test_valid_properties_pass() -> None:
    assert schemas.problems("AWS::MSK::Cluster", _CLUSTER) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"Foo": 1}, "#: extraneous key [Foo] is not permitted"),
        ({"Arn": "arn:x"}, "#: extraneous key [Arn] is not permitted"),
        ({"EnhancedMonitoring": "PER_BROKEN"}, "#/EnhancedMonitoring: PER_BROKEN is not a valid enum value"),
        ({"NumberOfBrokerNodes": "three"}, "#/NumberOfBrokerNodes: expected type: Integer, found: str"),
        (
            {"BrokerNodeGroupInfo": {"InstanceType": "kafka.m7g.large"}},
            "#/BrokerNodeGroupInfo: required key [ClientSubnets] not found",
        ),
        ({"ClusterName": ""}, "#/ClusterName: expected minLength: 1, actual: 0"),
    ],
)
def test_each_broken_rule_is_named_with_its_place(change: dict[str, object], problem: str) -> None:
    assert problem in schemas.problems("AWS::MSK::Cluster", _CLUSTER | change)


def test_pattern_and_bounds_are_checked() -> None:
    # GIVEN a flow log and a volume with values outside their schema
    broker = _CLUSTER["BrokerNodeGroupInfo"] | {"StorageInfo": {"EBSStorageInfo": {"VolumeSize": 20000}}}  # type: ignore[operator]  # a mapping
    # THEN the bound and the pattern are named
    assert any("20000 is not less or equal to 16384" in text for text in _problems(BrokerNodeGroupInfo=broker))
    found = schemas.problems("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": ["nonsense"]})
    assert any("string [nonsense] does not match pattern" in text for text in found)


def _problems(**change: object) -> list[str]:
    return schemas.problems("AWS::MSK::Cluster", _CLUSTER | change)


def test_scalars_are_converted_as_cloudformation_does() -> None:
    assert schemas.problems("AWS::MSK::Cluster", _CLUSTER | {"NumberOfBrokerNodes": "3"}) == []
    assert schemas.problems("AWS::KMS::Key", {"EnableKeyRotation": "true", "KeyPolicy": {}}) == []


def test_every_schema_can_be_read() -> None:
    # Patterns in Java's syntax must not stop the check of any type that the application uses.
    for name in ("AWS::SSM::Parameter", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::EKS::Nodegroup"):
        assert schemas.problems(name, {"NoSuchProperty": 1})


def test_a_type_that_aws_does_not_have_has_no_schema() -> None:
    assert schemas.schema("AWS::No::Such") is None
    assert schemas.problems("Custom::Mine", {"Anything": 1}) == []


def test_all_problems_are_raised_at_once() -> None:
    with pytest.raises(ResourceError, match=r"(?s)Properties validation failed for resource Kafka.*ClusterName.*Foo"):
        schemas.check("AWS::MSK::Cluster", "Kafka", {"Foo": 1})


def test_create_only_properties_replace_the_resource() -> None:
    assert schemas.replacing("AWS::MSK::Cluster") == ("ClusterName",)
    assert "SubnetId" in schemas.replacing("AWS::EC2::NatGateway")


def test_attributes_are_the_read_only_properties() -> None:
    assert "OpenIdConnectIssuerUrl" in schemas.attributes("AWS::EKS::Cluster")
