"""A change of tags replaces nothing, although a change set calls what refers to the tagged Conditional."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.gate import judge, parse_change_sets

# The shapes are CloudFormation's own: tags are an attribute beside the properties, and what refers to a resource that
# changes in place is Dynamic, with the entity that causes it (`Topic1.DisplayName` in localstack/localstack,
# tests/aws/services/cloudformation/v2/test_change_set_fn_get_attr.snapshot.json, recorded against AWS). That Dynamic
# and Always make Conditional is the rule of API_ResourceChange.
TAGS = {
    "Target": {"Attribute": "Tags", "RequiresRecreation": "Never", "Path": "/Properties/Tags"},
    "Evaluation": "Static",
    "ChangeSource": "DirectModification",
}
DIRECTLY = {"Evaluation": "Static", "ChangeSource": "DirectModification"}


def target(name: str, recreation: str = "Always") -> dict[str, Any]:
    return {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}}


def because(name: str, cause: str, *, recreation: str = "Always", evaluation: str = "Dynamic") -> dict[str, Any]:
    """A property that is the Ref or Fn::GetAtt ``cause``."""
    source = "ResourceAttribute" if "." in cause else "ResourceReference"
    entity = {"CausingEntity": cause} if cause else {}
    return {**target(name, recreation), "Evaluation": evaluation, "ChangeSource": source, **entity}


def changed(logical_id: str, resource_type: str, replacement: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": f"{logical_id}-1",
            "ResourceType": resource_type,
            "Replacement": replacement,
            "Scope": sorted({detail["Target"]["Attribute"] for detail in details}),
            "Details": list(details),
        },
    }


def tagged(logical_id: str, resource_type: str) -> dict[str, Any]:
    return changed(logical_id, resource_type, "False", TAGS)


def refused(*changes: dict[str, Any], pages: int = 1) -> list[str]:
    described = [
        {
            "StackName": "milvus-prod-streaming",
            "ChangeSetId": "arn:one",
            "Status": "CREATE_COMPLETE",
            "Changes": changes[first::pages],
            **({"NextToken": "more"} if first < pages - 1 else {}),
        }
        for first in range(pages)
    ]
    return [loss.logical_id for loss in judge(parse_change_sets(json.dumps(described), source="test"))]


KEY = tagged("Key", "AWS::KMS::Key")
GROUP = tagged("Brokers", "AWS::EC2::SecurityGroup")


@pytest.mark.parametrize("pages", [1, 2])
def test_change_of_tags_replaces_nothing(pages: int) -> None:
    # GIVEN other tags on the key, the security groups, the role, MSK and EKS, which refer to them where a change
    # replaces the cluster, THEN nothing is refused, wherever the pages of the change set end
    msk = changed(
        "Kafka",
        "AWS::MSK::Cluster",
        "Conditional",
        TAGS,
        because("EncryptionInfo", "Key.Arn"),
        because("BrokerNodeGroupInfo", "Brokers.GroupId", recreation="Conditionally"),
        because("ConfigurationInfo", "Configuration.LatestRevision.Revision", recreation="Never"),
    )
    eks = changed(
        "Cluster",
        "AWS::EKS::Cluster",
        "Conditional",
        TAGS,
        because("RoleArn", "Role.Arn"),
        because("ResourcesVpcConfig", "Subnet", recreation="Conditionally"),
    )
    beside = [tagged("Role", "AWS::IAM::Role"), tagged("Subnet", "AWS::EC2::Subnet")]

    assert refused(msk, eks, KEY, GROUP, *beside, pages=pages) == []


def test_causes_are_followed_through_several_resources() -> None:
    # GIVEN a cluster that refers to a role, which refers to the tagged key
    def chain(key: dict[str, Any]) -> list[str]:
        role = changed("Role", "AWS::IAM::Role", "Conditional", because("RoleName", "Key.Arn"))
        return refused(
            changed("Cluster", "AWS::EKS::Cluster", "Conditional", because("RoleArn", "Role.Arn")), role, key
        )

    # THEN what happens to the key decides
    assert chain(KEY) == []
    assert chain(changed("Key", "AWS::KMS::Alias", "True", {**target("AliasName"), **DIRECTLY})) == ["Cluster"]


@pytest.mark.parametrize(
    "cause",
    [
        pytest.param(
            changed("Brokers", "AWS::EC2::SecurityGroup", "True", {**target("VpcId"), **DIRECTLY}), id="replaced"
        ),
        pytest.param(
            changed(
                "Brokers",
                "AWS::EC2::SecurityGroup",
                "Conditional",
                {**target("GroupName", "Conditionally"), **DIRECTLY},
            ),
            id="conditional by its own property",
        ),
        pytest.param(
            changed("Brokers", "AWS::EC2::SecurityGroup", "Conditional"), id="conditional for no known reason"
        ),
        pytest.param(changed("Brokers", "Custom::Group", "False"), id="custom resource, which may answer another id"),
        pytest.param(tagged("Other", "AWS::EC2::SecurityGroup"), id="not in the change set"),
        pytest.param(
            {"ResourceChange": {**tagged("Brokers", "AWS::EC2::SecurityGroup")["ResourceChange"], "Action": "Dynamic"}},
            id="perhaps deleted",
        ),
        pytest.param(
            changed("Brokers", "AWS::EC2::SecurityGroup", "Conditional", because("VpcId", "Kafka")), id="circle"
        ),
    ],
)
def test_cause_that_may_not_stay_is_refused(cause: dict[str, Any]) -> None:
    kafka = changed(
        "Kafka", "AWS::MSK::Cluster", "Conditional", TAGS, because("BrokerNodeGroupInfo", "Brokers.GroupId")
    )

    assert refused(kafka, cause) == ["Kafka"]


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param({**target("EncryptionInfo"), **DIRECTLY}, id="its own property"),
        pytest.param({**because("EncryptionInfo", ""), "ChangeSource": "ResourceAttribute"}, id="unknown entity"),
        pytest.param(because("EncryptionInfo", "Key.Description"), id="attribute that follows the properties"),
        pytest.param(because("EncryptionInfo", "Key.Arn", evaluation="Static"), id="certain to change"),
        pytest.param({**because("EncryptionInfo", "Key"), "ChangeSource": "ParameterReference"}, id="parameter"),
        pytest.param({**target("EncryptionInfo"), "Evaluation": "Dynamic"}, id="no source"),
        pytest.param({"Target": {"Name": "EncryptionInfo"}, "Evaluation": "Dynamic"}, id="no word of recreation"),
    ],
)
def test_other_causes_than_the_id_of_a_resource_are_refused(detail: dict[str, Any]) -> None:
    # GIVEN one property that only refers to the tagged key, and another
    detail["Target"].setdefault("Attribute", "Properties")
    kafka = changed("Kafka", "AWS::MSK::Cluster", "Conditional", because("BrokerNodeGroupInfo", "Key.Arn"), detail)

    assert refused(kafka, KEY) == ["Kafka"]


def test_replacement_for_certain_is_no_matter_of_causes() -> None:
    assert refused(changed("Kafka", "AWS::MSK::Cluster", "True", because("EncryptionInfo", "Key.Arn")), KEY) == [
        "Kafka"
    ]
