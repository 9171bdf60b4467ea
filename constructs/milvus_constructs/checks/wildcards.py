"""Accepts wildcards in a policy whose resources belong to another stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IValidation

from milvus_constructs.checks.acknowledgements import acknowledge, resolved_wildcard, spelling


def accept_wildcard(policy: iam.Policy, *, ending: str, reason: str) -> None:
    """Accept cdk-nag's finding on the resources of a policy that end in a known way, and on no others.

    cdk-nag 3 wants the finding by its full name, in which a value of another stack is spelt as CDK links it. That is
    known only when the tree is complete, so the finding is named by a validation, which CDK runs at that time.

    Args:
        policy: The policy; what it allows must end where ``ending`` says.
        ending: End of the accepted resources, such as ``/milvus/*``.
        reason: Why the wildcard is needed.
    """
    policy.node.add_validation(_NameFindings(policy, ending, reason))


@jsii.implements(IValidation)
class _NameFindings:
    def __init__(self, policy: iam.Policy, ending: str, reason: str) -> None:
        self._policy = policy
        self._ending = ending
        self._reason = reason

    def validate(self) -> list[str]:
        document = cdk.Stack.of(self._policy).resolve(self._policy.document)
        for resource in _resources(document):
            if spelling(resource).endswith(self._ending):
                acknowledge(self._policy, {resolved_wildcard(resource): self._reason})
        return []


def _resources(document: dict[str, Any]) -> Iterator[object]:
    for statement in document["Statement"]:
        resource = statement["Resource"]
        yield from resource if isinstance(resource, list) else [resource]
