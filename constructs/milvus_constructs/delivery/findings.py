"""Accepts what cdk-nag says about the roles that CDK Pipelines makes: finding by finding, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.checks.wildcards import accept_wildcard
from milvus_constructs.delivery.artifacts import NO_ACCESS_LOGS

# Families of one action that the grants of aws-cdk-lib name by their beginning.
_GRANTED = (
    "s3:Abort*",
    "s3:DeleteObject*",
    "s3:GetBucket*",
    "s3:GetObject*",
    "s3:List*",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
)
_FAMILY = "A grant of aws-cdk-lib on the pipeline's own buckets and key: versions and parts of one action, no others."
_OBJECTS = "Keys of artifacts and caches are chosen by CodePipeline and CodeBuild while they run."
_ENDINGS = {
    ">-*": "Report groups of this very project; CodeBuild adds a name to the project's.",
    ">:*": "Log streams of this very project, or versions of this very function.",
}

# What CDK Pipelines gives its own projects, by the end of the policy's path.
_BY_PATH = {
    "UpdatePipeline/SelfMutation/Role/DefaultPolicy": {
        "Resource::*": "Reads stacks and lists the bootstrap bucket, whose names are found while it runs.",
        "Resource::arn:*:iam::<account>:role/*": "Only roles that the bootstrap tagged as its own.",
    },
    "Assets/FileRole/DefaultPolicy": {
        "Resource::*": "Starts the one project that publishes assets; CodePipeline assumes the project's own role.",
        "Resource::arn:<partition>:codebuild:<region>:<account>:report-group/*": "The role is made before its project.",
        "Resource::arn:<partition>:logs:<region>:<account>:log-group:/aws/codebuild/*": "The role is made before its "
        "project.",
    },
    "PipelinesSecurityCheck/CDKPipelinesAutoApprove/ServiceRole/DefaultPolicy": {
        "Resource::*": "Only pipelines with the tag SECURITY_CHECK=ALLOW_APPROVE, which this one has.",
    },
    "PipelinesSecurityCheck/CDKSecurityCheck/Role/DefaultPolicy": {
        "Resource::*": "Only deployment roles that the bootstrap tagged as its own, in accounts that trust this one.",
    },
}


def accept_pipeline_findings(scope: IConstruct, *, buckets: list[s3.IBucket]) -> None:
    """Accept the findings on roles that CDK Pipelines generates.

    Args:
        scope: The pipeline, after it was built.
        buckets: Artifacts and caches, whose objects the roles may use.
    """
    stack = cdk.Stack.of(scope)
    place = {"account": _spelt(stack, stack.account), "region": _spelt(stack, stack.region), "partition": "aws"}
    arns = [stack.resolve(bucket.bucket_arn)["Fn::GetAtt"] for bucket in buckets]
    for policy in _policies(scope):
        acknowledge(policy, {f"AwsSolutions-IAM5[Action::{action}]": _FAMILY for action in _GRANTED})
        for logical_id, attribute in arns:
            accept_wildcard(policy, ending=f"<{logical_id}.{attribute}>/*", reason=_OBJECTS)
        for ending, reason in _ENDINGS.items():
            accept_wildcard(policy, ending=ending, reason=reason)
        for path, findings in _BY_PATH.items():
            if policy.node.path.endswith(path):
                acknowledge(policy, {f"AwsSolutions-IAM5[{_fill(key, place)}]": why for key, why in findings.items()})
    for construct in scope.node.find_all():
        if isinstance(construct, iam.Role) and construct.node.path.endswith("CDKPipelinesAutoApprove/ServiceRole"):
            policy_arn = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
            reason = "CDK's own function; the policy allows nothing but its log."
            acknowledge(construct, {f"AwsSolutions-IAM4[Policy::{policy_arn}]": reason})


def accept_replication_findings(scope: IConstruct, *, role: iam.IRole) -> None:
    """Accept the findings on what CodePipeline needs where a stage is in another region than the pipeline.

    Args:
        scope: The app; CDK puts a stack with a bucket and a key for each such region beside the pipeline's.
        role: The pipeline's role.
    """
    ending = "/CrossRegionCodePipelineReplicationBucket"
    buckets = [
        construct
        for construct in scope.node.find_all()
        if isinstance(construct, s3.Bucket) and construct.node.path.endswith(ending)
    ]
    for bucket in buckets:
        acknowledge(bucket, NO_ACCESS_LOGS)
    for policy in _policies(role) if buckets else ():
        # Statements of other actions on "*" would be accepted here as well; a test holds that there are none.
        key = "A key of another region has no ARN yet when this template is made; its policy admits this pipeline only."
        acknowledge(policy, {"AwsSolutions-IAM5[Resource::*]": key})
        for bucket in buckets:
            name = cdk.Stack.of(role).resolve(bucket.bucket_arn)
            acknowledge(policy, {f"AwsSolutions-IAM5[Resource::{name}/*]": _OBJECTS})


def _policies(scope: IConstruct) -> Iterator[iam.Policy]:
    for construct in scope.node.find_all():
        if isinstance(construct, iam.Policy):
            yield construct


def _fill(finding: str, place: dict[str, str]) -> str:
    for name, value in place.items():
        finding = finding.replace(f"<{name}>", value)
    return finding


def _spelt(stack: cdk.Stack, value: str) -> str:
    resolved = stack.resolve(value)
    return f"<{resolved['Ref']}>" if isinstance(resolved, dict) else str(resolved)
