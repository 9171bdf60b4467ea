from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.removal import RemovalSetting


def stack(region: str | None = None) -> cdk.Stack:
    return cdk.Stack(cdk.App(), "stack", env=cdk.Environment(region=region))


@pytest.mark.parametrize(
    ("removal", "days", "deletion", "update"),
    [("destroy", 7, "Delete", "Delete"), ("retain", 30, "RetainExceptOnCreate", "Retain")],
)
def test_key_rotates_and_goes_as_the_setting_says(
    removal: RemovalSetting, days: int, deletion: str, update: str
) -> None:
    # GIVEN a key without an alias
    around = stack()
    EncryptionKey(around, "Key", description="Of a test", removal=removal)
    template = Template.from_stack(around)
    [found] = template.find_resources("AWS::KMS::Key").values()
    # THEN it is whole
    account: dict[str, Any] = {"AWS": {"Fn::Join": ["", [*("arn:", {"Ref": "AWS::Partition"}, ":iam::")]]}}
    account["AWS"]["Fn::Join"][1] += [{"Ref": "AWS::AccountId"}, ":root"]
    assert found == {
        "Type": "AWS::KMS::Key",
        "Properties": {
            "Description": "Of a test",
            "EnableKeyRotation": True,
            "KeyPolicy": {
                "Statement": [{"Action": "kms:*", "Effect": "Allow", "Principal": account, "Resource": "*"}],
                "Version": "2012-10-17",
            },
            "PendingWindowInDays": days,
        },
        "DeletionPolicy": deletion,
        "UpdateReplacePolicy": update,
    }
    template.resource_count_is("AWS::KMS::Alias", 0)


def test_key_has_the_alias_that_it_is_given() -> None:
    around = stack()
    EncryptionKey(around, "Key", description="Of a test", removal="destroy", alias="alias/mine")
    Template.from_stack(around).has_resource_properties("AWS::KMS::Alias", {"AliasName": "alias/mine"})


@pytest.mark.parametrize(
    ("region", "service"),
    [
        ("us-east-2", {"Fn::Join": ["", ["s3.us-east-2.", {"Ref": "AWS::URLSuffix"}]]}),
        # AWS's examples for China have both spellings.
        (
            "cn-north-1",
            [{"Fn::Join": ["", ["s3.cn-north-1.", {"Ref": "AWS::URLSuffix"}]]}, "s3.cn-north-1.amazonaws.com"],
        ),
        (None, {"Fn::Join": ["", ["s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]]}),
    ],
)
def test_grantee_uses_the_key_through_the_service_only_and_the_key_does_not_say_so(
    region: str | None, service: Any
) -> None:
    # GIVEN a key and a role
    around = stack(region)
    key = EncryptionKey(around, "Key", description="Of a test", removal="destroy")
    role = iam.Role(around, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    # WHEN it is granted two actions
    key.grant_through(role, "s3", "kms:Decrypt", "kms:GenerateDataKey")
    template = Template.from_stack(around)
    # THEN the role's policy has them, with the service in front
    [policy] = template.find_resources("AWS::IAM::Policy").values()
    [key_id] = template.find_resources("AWS::KMS::Key")
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Condition": {"StringEquals": {"kms:ViaService": service}},
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [key_id, "Arn"]},
        }
    ]
    # AND the key's policy is the account's alone
    [found] = template.find_resources("AWS::KMS::Key").values()
    assert len(found["Properties"]["KeyPolicy"]["Statement"]) == 1
