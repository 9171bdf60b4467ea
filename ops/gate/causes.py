"""Follows a replacement that a change set calls Conditional to its cause, which often stays what it is.

CloudFormation says Conditional when a property that recreates a resource is `Dynamic`: it is a Ref or Fn::GetAtt of
another resource in the change set (`CausingEntity`), known only while the change runs. When that other one only gets
other tags, its id stays, and so does whatever refers to it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Mapping

from ops.gate.changeset import Change, Detail

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
IN_PLACE_ACTIONS = frozenset({"Modify", "SyncWithActual"})

# What names a resource for as long as it lives, among what stateful resources refer to. Other attributes follow the
# properties: a topic whose display name changed in place changed all that read it
# (localstack/localstack, tests/aws/services/cloudformation/v2/test_change_set_fn_get_attr.snapshot.json, against AWS).
_NAMES_OF_A_RESOURCE = frozenset({"Arn", "GroupId"})

# The function behind a custom resource may answer any update with another id.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
_CUSTOM = "AWS::CloudFormation::CustomResource"


def keeps_its_id(change: Change, beside: Mapping[str, Change]) -> bool:
    """Whether a changed resource certainly stays, and with it what refers to its id.

    Args:
        change: The change.
        beside: All changes of the same change set, by logical id.
    """
    if change.replacement == "Conditional":
        recreating = [detail for detail in change.details if detail.target.recreation != "Never"]
        # A template has no circle of references, so that each step leaves one resource behind.
        others = {logical_id: other for logical_id, other in beside.items() if other is not change}
        return bool(recreating) and all(comes_to_nothing(detail, others) for detail in recreating)
    changes = change.action in IN_PLACE_ACTIONS and change.replacement == "False"
    return changes and not (change.policy_action or "").startswith("Replace")


def comes_to_nothing(detail: Detail, beside: Mapping[str, Change]) -> bool:
    """Whether a property only refers to a resource that certainly stays, so that its value does, too."""
    if detail.evaluation != "Dynamic":
        return False
    logical_id, _, attribute = detail.cause.partition(".")
    refers = detail.source == "ResourceReference" and not attribute
    reads_its_name = detail.source == "ResourceAttribute" and attribute in _NAMES_OF_A_RESOURCE
    cause = beside.get(logical_id)
    if cause is None or not (refers or reads_its_name):
        return False
    by_aws = cause.resource_type.startswith("AWS::") and cause.resource_type != _CUSTOM
    return by_aws and keeps_its_id(cause, beside)
