"""What roles under the boundary of policies/ can do at most, by the engine: none leads to an administrator."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from rehearsal.account.authority.policies import RolePolicies
from tests.assemblies import assembly
from tests.pipelines import pipeline_assembly
from tools.iam.policies import POLICIES, read_assemblies

_ACCOUNT, _REGION = "111122223333", "us-west-2"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/milvus-dev-any"
_BOUNDARY = f"arn:aws:iam::{_ACCOUNT}:policy/milvus-boundary"
_OF_AWS = re.compile(r":iam::aws:policy/(?:[\w-]+/)?([\w+=,.@-]+)")
_ADMINISTRATOR = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# What AWS's managed policies allow that the engine has no copy of:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
_MANAGED = {
    "AmazonEBSCSIDriverPolicyV2": (
        *("ec2:AttachVolume", "ec2:CreateSnapshot", "ec2:CreateTags", "ec2:CreateVolume", "ec2:DeleteSnapshot"),
        *("ec2:DeleteTags", "ec2:DeleteVolume", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances"),
        *("ec2:DescribeVolumes", "ec2:DetachVolume", "ec2:EnableFastSnapshotRestores", "ec2:ModifyVolume"),
    ),
    "AmazonEC2ContainerRegistryPullOnly": (
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage"),
        *("ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"),
    ),
    "AmazonEC2ContainerRegistryReadOnly": (
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImageScanFindings"),
        *("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"),
        *("ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListImages", "ecr:ListTagsForResource"),
    ),
    "AmazonElasticContainerRegistryPublicReadOnly": (
        *("ecr-public:BatchCheckLayerAvailability", "ecr-public:DescribeImages", "ecr-public:DescribeRegistries"),
        *("ecr-public:GetAuthorizationToken", "ecr-public:GetRegistryCatalogData", "sts:GetServiceBearerToken"),
    ),
}


def _policy(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((POLICIES / name).read_text(encoding="utf-8"))
    return found


def _bounded(*policies: dict[str, Any]) -> RolePolicies:
    return RolePolicies(_ROLE, policies or [_ADMINISTRATOR], region=_REGION, boundary=_policy("boundary.json"))


def _deployer(*, bounded: bool = True) -> RolePolicies:
    names = [f"execution-{each}.json" for each in ("network", "data", "cluster", *(["bounded"] if bounded else []))]
    return RolePolicies(_ROLE, [_policy(name) for name in names], region=_REGION)


def test_an_administrator_under_the_boundary_can_do_next_to_nothing_in_iam() -> None:
    # GIVEN a role with AdministratorAccess and the boundary, and every operation of IAM
    operations = boto3.client("iam", region_name=_REGION).meta.service_model.operation_names
    role = _bounded()

    # WHEN each is asked for, on the role itself, on another, on a policy and on anything
    resources = (_ROLE, f"arn:aws:iam::{_ACCOUNT}:role/other", _BOUNDARY, "*")
    allowed = {name for name in operations for each in resources if not role.refuses(f"iam:{name}", each)}

    # THEN certificates may be looked at, and a load balancer gets its linked role
    assert allowed == {"GetServerCertificate", "ListServerCertificates"}
    linked = f"arn:aws:iam::{_ACCOUNT}:role/aws-service-role/elasticloadbalancing.amazonaws.com/A"
    for service, may in (("elasticloadbalancing.amazonaws.com", True), ("ecs.amazonaws.com", False)):
        refused = role.refuses("iam:CreateServiceLinkedRole", linked, {"iam:AWSServiceName": service})
        assert bool(refused) != may
    assert len(operations) > 150


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", f"arn:aws:iam::{_ACCOUNT}:role/administrator"),
        ("ec2:RunInstances", "*"),
        ("ec2:ModifyInstanceAttribute", f"arn:aws:ec2:{_REGION}:{_ACCOUNT}:instance/i-1"),
        ("ec2:CreateLaunchTemplateVersion", "*"),
        ("autoscaling:UpdateAutoScalingGroup", f"arn:aws:autoscaling:{_REGION}:{_ACCOUNT}:autoScalingGroup:1:x/other"),
        ("ssm:SendCommand", "*"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:milvus-dev"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:other"),
        ("cloudformation:CreateStack", "*"),
        ("codebuild:UpdateProject", f"arn:aws:codebuild:{_REGION}:{_ACCOUNT}:project/milvus-dev"),
        ("eks:CreateAccessEntry", f"arn:aws:eks:{_REGION}:{_ACCOUNT}:cluster/milvus-dev"),
        ("kms:PutKeyPolicy", f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/1"),
        ("kms:Decrypt", f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/1"),
        ("s3:GetObject", "arn:aws:s3:::other/key"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:other-1a2b3c"),
        ("organizations:LeaveOrganization", "*"),
    ],
)
def test_the_ways_to_another_role_or_to_foreign_data_are_closed(action: str, resource: str) -> None:
    refused = _bounded().refuses(action, resource)

    assert refused.endswith(f"on resource: {resource} because no permissions boundary allows the {action} action")


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
)
def test_cloudformation_makes_and_widens_roles_under_the_boundary_only(action: str) -> None:
    with_it, another = {"iam:PermissionsBoundary": _BOUNDARY}, {"iam:PermissionsBoundary": f"{_BOUNDARY}-2"}
    denied = "with an explicit deny in an identity-based policy"

    # WHEN a role has the boundary, THEN it is made; without it, or with another one, it is not
    assert _deployer().refuses(action, _ROLE, with_it) == ""
    for keys in ({}, another):
        assert _deployer().refuses(action, _ROLE, keys).endswith(denied)
        # AND without the fourth policy nothing asks for it: who does not use it is unharmed
        assert _deployer(bounded=False).refuses(action, _ROLE, keys) == ""


def test_cloudformation_cannot_free_a_role_or_change_the_boundary() -> None:
    deployer = _deployer()
    assert deployer.refuses("iam:DeleteRolePermissionsBoundary", _ROLE, {"iam:PermissionsBoundary": _BOUNDARY})
    for action in ("CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
        assert deployer.refuses(f"iam:{action}", _BOUNDARY)
        assert deployer.refuses(f"iam:{action}", f"arn:aws:iam::{_ACCOUNT}:policy/milvus-execution-cluster")


def test_a_service_completes_its_linked_role_all_the_same() -> None:
    linked = f"arn:aws:iam::{_ACCOUNT}:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka"
    assert _deployer().refuses("iam:AttachRolePolicy", linked) == ""


@cache
def _templates() -> list[dict[str, Any]]:
    pipelines = [pipeline_assembly(kind) for kind in ("shipped", "codecommit")]
    folders: list[Path] = [assembly("guide"), assembly("existing-vpc"), *pipelines]
    return read_assemblies(folders)[0]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _documents(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        yield from (each["PolicyDocument"] for each in properties.get("Policies", []))
    elif resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
        yield properties["PolicyDocument"]


def _asked_by_templates() -> set[str]:
    """Return the actions of all roles' own policies."""
    statements = [
        statement
        for template in _templates()
        for resource in template["Resources"].values()
        for document in _documents(resource)
        for statement in _list(document["Statement"])
    ]
    return {action for each in statements if each["Effect"] == "Allow" for action in _list(each["Action"])}


def _asked_by_managed_policies() -> set[str]:
    """Return the actions of AWS's policies that the templates attach."""
    from ministack.services import iam

    attached = {
        name
        for template in _templates()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for name in _OF_AWS.findall(json.dumps(resource["Properties"].get("ManagedPolicyArns", [])))
    }
    found = set().union(*(_MANAGED[name] for name in attached if name in _MANAGED))
    for name in attached - _MANAGED.keys():
        known = {arn.rpartition("/")[2]: each for arn, each in iam._aws_managed_policies.items()}
        assert name in known, f"{name}: add what it allows to _MANAGED"
        record = known[name]
        document = record["Versions"][record["DefaultVersionId"]]["Document"]
        parsed = json.loads(document) if isinstance(document, str) else document
        found |= {action for each in _list(parsed["Statement"]) for action in _list(each["Action"])}
    return found


def test_the_boundary_takes_nothing_that_the_roles_of_the_templates_use() -> None:
    patterns = [action for each in _policy("boundary.json")["Statement"] for action in each["Action"]]

    asked = _asked_by_templates() | _asked_by_managed_policies()

    assert len(asked) > 150
    assert sorted(a for a in asked if not any(fnmatch.fnmatchcase(a, pattern) for pattern in patterns)) == []
