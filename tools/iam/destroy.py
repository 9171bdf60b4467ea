"""The policy of whoever destroys an environment: its stacks, what is left of it, and nothing of anybody else."""

from __future__ import annotations

from typing import Any

from tools.iam.scopes import PREFIX, SCOPES

_LOG_GROUPS = tuple(f"arn:aws:logs:*:*:log-group:{name}{PREFIX}*" for name in ("", "/aws/eks/", "/aws/lambda/"))
_SECRETS = (*SCOPES["secretsmanager"], f"arn:aws:secretsmanager:*:*:secret:{PREFIX}*")
_OF_CONTROLLER = {"StringLike": {"aws:ResourceTag/elbv2.k8s.aws/cluster": f"{PREFIX}*"}}

# Actions, resources, condition. What was made by others than CloudFormation has no name of ours, but a tag.
_STATEMENTS: tuple[tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]], ...] = (
    (
        (
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListStackResources",
        ),
        (f"arn:aws:cloudformation:*:*:stack/{PREFIX}*",),
        {},
    ),
    (
        (
            "cloudformation:ListStacks",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVolumes",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroups",
            "logs:DescribeLogGroups",
            "secretsmanager:ListSecrets",
        ),
        ("*",),
        {},
    ),
    (
        ("elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup"),
        (
            "arn:aws:elasticloadbalancing:*:*:loadbalancer/*",
            "arn:aws:elasticloadbalancing:*:*:targetgroup/*",
        ),
        _OF_CONTROLLER,
    ),
    (("ec2:DeleteSecurityGroup",), ("arn:aws:ec2:*:*:security-group/*",), _OF_CONTROLLER),
    (
        ("ec2:DeleteSecurityGroup",),
        ("arn:aws:ec2:*:*:security-group/*",),
        {"StringLike": {"aws:ResourceTag/aws:eks:cluster-name": f"{PREFIX}*"}},
    ),
    (
        ("ec2:DeleteNetworkInterface",),
        ("arn:aws:ec2:*:*:network-interface/*",),
        {"StringLike": {"aws:ResourceTag/cluster.k8s.amazonaws.com/name": f"{PREFIX}*"}},
    ),
    (
        ("ec2:DeleteVolume",),
        ("arn:aws:ec2:*:*:volume/*",),
        {"StringLike": {"aws:ResourceTag/kubernetes.io/created-for/pvc/name": "*"}},
    ),
    (("logs:DeleteLogGroup",), _LOG_GROUPS, {}),
    (("kms:DescribeKey", "kms:ScheduleKeyDeletion"), ("arn:aws:kms:*:*:key/*",), {}),
    (("secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"), _SECRETS, {}),
    (("s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions"), (f"arn:aws:s3:::{PREFIX}*",), {}),
    (("s3:DeleteObject", "s3:DeleteObjectVersion"), (f"arn:aws:s3:::{PREFIX}*/*",), {}),
)


def destroy_policy() -> dict[str, Any]:
    """Return what `ops destroy` needs; CloudFormation deletes with the role that deployed the stack."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
            | ({"Condition": condition} if condition else {})
            for actions, resources, condition in _STATEMENTS
        ],
    }
