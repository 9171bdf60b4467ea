"""The boundary of every role that CloudFormation makes, and what holds CloudFormation to it.

A boundary allows nothing: a role may do what its policies and the boundary allow. So this one names what the roles of
the templates do at most, those of AWS's managed policies included. A test compares them.
"""

from __future__ import annotations

from typing import Any

from tools.iam.scopes import PREFIX, TOOLKIT

NAME = "milvus-boundary"
_ARN = f"arn:aws:iam::*:policy/{NAME}"
_VIA = ("ec2.*.amazonaws.com", "s3.*.amazonaws.com", "secretsmanager.*.amazonaws.com")

# What a role may do on anything: AWS makes up the names, or knows none for the action.
ANYWHERE = (
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "autoscaling:DescribeAutoScalingGroups",
    "cognito-idp:DescribeUserPoolClient",
    "ec2:AssignPrivateIpAddresses",
    "ec2:AttachNetworkInterface",
    "ec2:AttachVolume",
    "ec2:AuthorizeSecurityGroup*",
    "ec2:CreateNetworkInterface*",
    "ec2:CreateRoute",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteRoute",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSnapshot",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:Describe*",
    "ec2:DetachNetworkInterface",
    "ec2:DetachVolume",
    "ec2:EnableFastSnapshotRestores",
    "ec2:Get*",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:ModifyVolume",
    "ec2:RevokeSecurityGroup*",
    "ec2:UnassignPrivateIpAddresses",
    "ecr-public:BatchCheckLayerAvailability",
    "ecr-public:Describe*",
    "ecr-public:Get*",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:Describe*",
    "ecr:Get*",
    "ecr:List*",
    "eks-auth:AssumeRoleForPodIdentity",
    "eks:Describe*",
    "eks:List*",
    "elasticloadbalancing:*",
    "iam:GetServerCertificate",
    "iam:ListServerCertificates",
    "kms:DescribeKey",
    "logs:*",
    "shield:*Protection",
    "shield:GetSubscriptionState",
    "sts:GetServiceBearerToken",
    "waf-regional:*WebACL*",
    "wafv2:*WebACL*",
)

# What a role may do on what this project has: services' actions -> resources.
NAMED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("cloudformation:DescribeStacks",), ("*",)),
    (
        ("codebuild:Batch*", "codebuild:CreateReport*", "codebuild:*Build", "codebuild:UpdateReport"),
        (f"arn:aws:codebuild:*:*:*/{PREFIX}*", "arn:aws:codebuild:*:*:*/Pipeline*"),
    ),
    (
        ("codecommit:CancelUploadArchive", "codecommit:Get*", "codecommit:GitPull", "codecommit:UploadArchive"),
        ("*",),
    ),
    (("codeconnections:UseConnection", "codestar-connections:UseConnection"), ("*",)),
    (("codepipeline:*",), (f"arn:aws:codepipeline:*:*:{PREFIX}*",)),
    (("eks:UpdateClusterConfig",), (f"arn:aws:eks:*:*:cluster/{PREFIX}*",)),
    (
        ("kafka:BatchAssociateScramSecret", "kafka:BatchDisassociateScramSecret", "kafka:Describe*", "kafka:Get*"),
        (f"arn:aws:kafka:*:*:cluster/{PREFIX}*",),
    ),
    (("kafka:ListScramSecrets",), (f"arn:aws:kafka:*:*:cluster/{PREFIX}*",)),
    (("lambda:GetFunction", "lambda:InvokeFunction"), (f"arn:aws:lambda:*:*:function:{PREFIX}*",)),
    (("s3:*",), (f"arn:aws:s3:::{PREFIX}*", f"arn:aws:s3:::{TOOLKIT}assets-*")),
    (
        ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
        (
            f"arn:aws:secretsmanager:*:*:secret:AmazonMSK_{PREFIX}*",
            "arn:aws:secretsmanager:*:*:secret:*RootPassword*",
        ),
    ),
    (("states:StartExecution",), ("arn:aws:states:*:*:stateMachine:*Tasks*",)),
    (("sts:AssumeRole",), (f"arn:aws:iam::*:role/{PREFIX}*", f"arn:aws:iam::*:role/{TOOLKIT}*")),
)


def boundary_policy() -> dict[str, Any]:
    """Return the boundary."""
    return _document(
        _allow(ANYWHERE),
        *(_allow(actions, resources) for actions, resources in NAMED),
        # AmazonEKSClusterPolicy allows them on all; those of other people run with other roles.
        _allow(
            ("autoscaling:UpdateAutoScalingGroup", "ec2:ModifyInstanceAttribute"),
            Condition={"StringLike": {"aws:ResourceTag/eks:cluster-name": f"{PREFIX}*"}},
        ),
        _allow(
            ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
            Condition={"StringLike": {"kms:ViaService": list(_VIA)}},
        ),
        _allow(
            ("kms:CreateGrant", "kms:RetireGrant"), Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}
        ),
        _allow(
            ("iam:CreateServiceLinkedRole",),
            Condition={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        ),
    )


def bounded_policy() -> dict[str, Any]:
    """Return what takes the right from CloudFormation to make, widen or free a role without the boundary.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
    """
    return _document(
        {
            "Effect": "Deny",
            "Action": ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            # A service completes its linked role, which can have no boundary, and which nobody can widen.
            "NotResource": ["arn:aws:iam::*:role/aws-service-role/*"],
            "Condition": {"StringNotLike": {"iam:PermissionsBoundary": _ARN}},
        },
        {"Effect": "Deny", "Action": ["iam:DeleteRolePermissionsBoundary"], "Resource": ["*"]},
        {
            "Effect": "Deny",
            "Action": [
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:SetDefaultPolicyVersion",
            ],
            "Resource": [_ARN, "arn:aws:iam::*:policy/milvus-execution-*"],
        },
    )


def _allow(actions: tuple[str, ...], resources: tuple[str, ...] = ("*",), **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources), **more}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
