"""How far policies/*.json reach, beside a second copy: regenerated, they agree with any fault of their generator."""

from __future__ import annotations

import json
from typing import Any

from tools.iam.policies import POLICIES
from tools.iam.scopes import FILES, PREFIX

# What the role that deploys may touch although no settings file named it.
BESIDE_THE_PREFIX = {
    "*": "see ANY_RESOURCE in test_policies.py, which names each service and its reason",
    "arn:aws:codebuild:*:*:project/Pipeline*": "CDK Pipelines names its projects after their logical id",
    "arn:aws:iam::*:instance-profile/eks-*": "EKS makes the profile of a node group, and names it",
    "arn:aws:iam::*:oidc-provider/oidc.eks.*": "a provider is named after the issuer of its cluster",
    "arn:aws:iam::*:role/aws-service-role/*": "CreateServiceLinkedRole, for the services of LINKED only",
    "arn:aws:iam::*:role/aws-service-role/eks-nodegroup.amazonaws.com/*": "EKS looks whether its role is there",
    "arn:aws:iam::*:role/aws-service-role/eks.amazonaws.com/*": "the same",
    "arn:aws:iam::*:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka*": "MSK completes its role",
    "arn:aws:lambda:*:*:layer:*": "layers are named after their logical id",
    "arn:aws:route53:::hostedzone/*": "private names of an endpoint are in a zone of AWS's",
    "arn:aws:s3:::cdk-hnb659fds-assets-*/*": "the assets of the stacks lie in the bootstrap's bucket",
    "arn:aws:secretsmanager:*:*:secret:RootPassword*": "named after its logical id",
    "arn:aws:ssm:*:*:parameter/CFN-Cluster*": "named after its logical id",
    "arn:aws:ssm:*:*:parameter/cdk-bootstrap/hnb659fds/version": "every stack of the CDK reads it",
    "arn:aws:states:*:*:stateMachine:Tasks*": "named after its logical id",
}

# The services that make themselves a role in an account, the first time that one of their resources is made there.
LINKED = {
    # https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles-eks.html
    "eks.amazonaws.com",
    # https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles-eks-nodegroups.html
    "eks-nodegroup.amazonaws.com",
    # https://docs.aws.amazon.com/msk/latest/developerguide/using-service-linked-roles.html
    "kafka.amazonaws.com",
    # https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
    "kafka.application-autoscaling.amazonaws.com",
}

# What undoes an action that creates, where it is not called like it; None where nothing has to.
UNDONE_BY: dict[str, str | None] = {
    "ec2:CreateVpcEndpoint": "ec2:DeleteVpcEndpoints",
    "kms:CreateKey": "kms:ScheduleKeyDeletion",
    "ec2:CreateLaunchTemplateVersion": None,  # goes with its template
    "ec2:CreateTags": "ec2:DeleteTags",
    "iam:CreateServiceLinkedRole": None,  # stays, for the next time
    "kms:CreateGrant": None,  # goes with its key, and is retired by who has it
    "logs:CreateLogDelivery": "logs:DeleteLogDelivery",
    "ec2:CreateVpcEncryptionControl": None,  # no template has one
}


def statements() -> list[dict[str, Any]]:
    """Return the statements of the role that deploys."""
    return [
        statement
        for name in FILES
        for statement in json.loads((POLICIES / name).read_text(encoding="utf-8"))["Statement"]
    ]


def test_every_resource_is_within_the_prefix_or_has_its_reason() -> None:
    resources = {resource for statement in statements() for resource in statement["Resource"]}
    assert {
        each for each in resources if f"/{PREFIX}" not in each and f":{PREFIX}" not in each and f"_{PREFIX}" not in each
    } == (BESIDE_THE_PREFIX.keys())


def test_prefix_is_that_of_the_shipped_files_and_no_wildcard() -> None:
    assert PREFIX == "milvus-"


def test_services_make_their_own_roles_where_they_are_first_used() -> None:
    [statement] = [each for each in statements() if "iam:CreateServiceLinkedRole" in each["Action"]]
    assert statement["Action"] == ["iam:CreateServiceLinkedRole"]
    assert set(statement["Condition"]["StringEquals"]["iam:AWSServiceName"]) == LINKED


def test_whatever_can_be_created_can_be_deleted() -> None:
    # GIVEN everything that CloudFormation may create
    allowed = {action for statement in statements() for action in statement["Action"]}
    creates = {action for action in allowed if ":Create" in action}
    assert len(creates) > 30
    # THEN a stack that is destroyed, or rolled back, leaves nothing that nobody may delete
    undone = {action: UNDONE_BY.get(action, action.replace(":Create", ":Delete")) for action in creates}
    assert {create: delete for create, delete in undone.items() if delete is not None and delete not in allowed} == {}


def test_whatever_is_attached_can_be_detached() -> None:
    allowed = {action for statement in statements() for action in statement["Action"]}
    for attach, detach in (
        ("ec2:AttachInternetGateway", "ec2:DetachInternetGateway"),
        ("ec2:AllocateAddress", "ec2:ReleaseAddress"),
        ("ec2:AssociateRouteTable", "ec2:DisassociateRouteTable"),
        ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
        ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        ("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        ("application-autoscaling:RegisterScalableTarget", "application-autoscaling:DeregisterScalableTarget"),
        ("application-autoscaling:PutScalingPolicy", "application-autoscaling:DeleteScalingPolicy"),
        ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
        ("logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
    ):
        assert {attach, detach} <= allowed, attach
