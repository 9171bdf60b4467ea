"""Accepts findings of cdk-nag on single resources, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on a construct and on nothing outside it.

    Args:
        scope: The construct whose resources are meant; the narrowest that the rule can be named on.
        findings: Rule, or one finding of a rule (``AwsSolutions-IAM5[Resource::*]``), and why it is accepted.
    """
    Validations.of(scope).acknowledge(*(Acknowledgment(id=rule, reason=reason) for rule, reason in findings.items()))


def managed_policy(name: str) -> str:
    """Return how cdk-nag names a role's use of an AWS managed policy, such as ``AmazonEKSClusterPolicy``."""
    return f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]"


def wildcard(scope: IConstruct, resource: str) -> str:
    """Return how cdk-nag names a wildcard in a resource of a policy; ``resource`` may hold tokens of its own stack."""
    return resolved_wildcard(Stack.of(scope).resolve(resource))


def resolved_wildcard(resource: object) -> str:
    """Return how cdk-nag names a wildcard in a resource as it stands in a template."""
    return f"AwsSolutions-IAM5[Resource::{spelling(resource)}]"


def spelling(value: object) -> str:
    """Return a value of a template as cdk-nag writes it into a finding's name (its ``flattenCfnReference``)."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(spelling, parts))
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return spelling(name)
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
