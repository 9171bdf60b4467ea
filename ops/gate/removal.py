"""Judges what prepares a loss: `removal_policy` from `retain` to `destroy` erases nothing, but the next delete does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ops.gate.changeset import Change

EMPTIER = "Custom::S3AutoDeleteObjects"
"""CDK's resource whose function empties a bucket when the resource is deleted."""

# CDK makes it as a child of its bucket: its logical id is the bucket's without the hash, and this.
_EMPTIER_ID = re.compile(r"(?P<bucket>\w+)AutoDeleteObjectsCustomResource[0-9A-F]{8}")

# What keeps more stands behind what keeps less; without the attribute CloudFormation deletes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
_KEEPS = ("Delete", "Snapshot", "RetainExceptOnCreate", "Retain")
_POLICIES = {
    "DeletionPolicy": "when it leaves the stack or the stack is deleted",
    "UpdateReplacePolicy": "when it is replaced",
}


def empties_what_holds_data(change: Change, changes: Iterable[Change]) -> tuple[str, str] | None:
    """Return what an added emptier does to a bucket that is there already, and what is lost; None for anything else."""
    if change.resource_type != EMPTIER or change.action != "Add":
        return None
    found = _EMPTIER_ID.fullmatch(change.logical_id)
    if found is not None:
        bucket = re.compile(found["bucket"] + "[0-9A-F]{8}")
        if any(
            each.action == "Add" and each.resource_type == "AWS::S3::Bucket" and bucket.fullmatch(each.logical_id)
            for each in changes
        ):
            return None  # a new bucket is empty
    return (
        "would be added to a bucket that may hold data",
        "nothing yet; from then on deleting the stack or the bucket erases every object in it",
    )


def loosened(change: Change) -> str | None:
    """Return what happens to a resource that its policies keep less than before; None where they do not."""
    before, after = _policies(change.before), _policies(change.after)
    when = []
    for attribute, event in _POLICIES.items():
        if attribute not in change.scope:
            continue
        was, becomes = before.get(attribute), after.get(attribute)
        if was is None or becomes is None or was == becomes:
            return f"may lose what keeps it (the change set does not say what its {attribute} was and becomes)"
        if _rank(becomes) < _rank(was):
            when.append(f"{event} ({attribute} {was} becomes {becomes})")
    return f"stays, but would be deleted {' and '.join(when)}" if when else None


LOOSENED = "nothing yet; from then on nothing keeps it"
"""What a looser policy loses."""


def _policies(context: str | None) -> dict[str, str]:
    """Return the policies in a resource's context; empty where the change set has no property values."""
    try:
        found = json.loads(context or "")
    except ValueError:
        return {}
    return {attribute: str(found.get(attribute, _KEEPS[0])) for attribute in _POLICIES} if found else {}


def _rank(policy: str) -> int:
    return _KEEPS.index(policy) if policy in _KEEPS else 0
