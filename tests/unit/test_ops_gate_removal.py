"""`removal_policy` from `retain` to `destroy` erases nothing yet; the gate stops it, because the next delete does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.gate import Loss, judge, parse_change_sets

BUCKET = {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "StorageData6BB23F4E"}
EMPTIER = {
    "Action": "Add",
    "ResourceType": "Custom::S3AutoDeleteObjects",
    "LogicalResourceId": "StorageDataAutoDeleteObjectsCustomResourceA016D5C8",
}


def losses(*changes: dict[str, Any]) -> tuple[Loss, ...]:
    document = {"StackName": "milvus-prod-storage", "Changes": [{"ResourceChange": change} for change in changes]}
    return judge(parse_change_sets(json.dumps(document), source="test"))


def policy_change(before: dict[str, str] | None, after: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    """What a change set says of changed policies; with property values, also the resource as it was and is."""
    contexts = {
        key: json.dumps({"Properties": {}, **policies})
        for key, policies in (("BeforeContext", before), ("AfterContext", after))
        if policies is not None
    }
    scope = {"Scope": ["DeletionPolicy", "UpdateReplacePolicy"]}
    return {**BUCKET, "Action": "Modify", "Replacement": "False", **scope, **contexts, **more}


def both(policy: str) -> dict[str, str]:
    return {"DeletionPolicy": policy, "UpdateReplacePolicy": policy}


def test_data_that_is_no_longer_kept_is_refused() -> None:
    (loss,) = losses(policy_change(both("Retain"), both("Delete")))

    assert loss.line() == (
        "milvus-prod-storage/StorageData6BB23F4E (AWS::S3::Bucket) stays, but would be deleted when it leaves the "
        "stack or the stack is deleted (DeletionPolicy Retain becomes Delete) and when it is replaced "
        "(UpdateReplacePolicy Retain becomes Delete): nothing yet; from then on nothing keeps it"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(both("Retain"), {}, id="the attribute goes, and CloudFormation deletes by default"),
        pytest.param(both("Snapshot"), both("Delete"), id="no snapshot any more"),
        pytest.param(both("Retain"), both("Snapshot"), id="a snapshot only"),
        pytest.param(both("Retain"), {**both("Retain"), "UpdateReplacePolicy": "Delete"}, id="one of the two"),
    ],
)
def test_every_step_towards_deletion_is_refused(before: dict[str, str], after: dict[str, str]) -> None:
    scope = [name for name in both("") if before.get(name) != after.get(name)]

    (loss,) = losses(policy_change(before, after, Scope=scope))

    assert loss.what_happens.startswith("stays, but would be deleted")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(policy_change(both("Delete"), both("Retain")), id="keeps more"),
        pytest.param(policy_change({}, both("Retain")), id="keeps, where nothing was said"),
        pytest.param(policy_change(both("Retain"), both("Delete"), ResourceType="AWS::Logs::LogGroup"), id="stateless"),
        pytest.param(policy_change(both("Delete"), both("Delete"), Scope=["Tags"]), id="another attribute"),
    ],
)
def test_policy_that_keeps_as_much_or_more_passes(changed: dict[str, Any]) -> None:
    assert losses(changed) == ()


@pytest.mark.parametrize(
    ("before", "after"), [(None, None), (both("Retain"), None), (None, both("Delete")), ({}, {})], ids=str
)
def test_policy_that_the_change_set_does_not_tell_is_refused(
    before: dict[str, str] | None, after: dict[str, str] | None
) -> None:
    (loss,) = losses(policy_change(before, after))

    assert loss.what_happens == (
        "may lose what keeps it (the change set does not say what its DeletionPolicy was and becomes)"
    )


def test_namespace_that_is_no_longer_kept_is_refused() -> None:
    namespace = {
        "ResourceType": "Custom::AWSCDK-EKS-KubernetesResource",
        "LogicalResourceId": "ChartmilvusNamespacemilvus86C53311",
    }

    assert len(losses(policy_change(both("Retain"), both("Delete"), **namespace))) == 1


def test_function_that_empties_a_bucket_in_use_is_refused() -> None:
    changed = {**BUCKET, "Action": "Modify", "Replacement": "False", "Scope": ["Tags"]}

    (loss,) = losses(changed, EMPTIER)

    assert loss.line() == (
        "milvus-prod-storage/StorageDataAutoDeleteObjectsCustomResourceA016D5C8 (Custom::S3AutoDeleteObjects) would be "
        "added to a bucket that may hold data: nothing yet; from then on deleting the stack or the bucket erases every "
        "object in it"
    )


@pytest.mark.parametrize(
    "emptier",
    [
        pytest.param({**EMPTIER, "LogicalResourceId": "Cleaner"}, id="of a bucket that nobody can tell"),
        pytest.param(
            {**EMPTIER, "LogicalResourceId": "StorageBackupAutoDeleteObjectsCustomResource3B42EC9C"}, id="of another"
        ),
    ],
)
def test_new_bucket_excuses_only_its_own_emptier(emptier: dict[str, Any]) -> None:
    assert [loss.logical_id for loss in losses({**BUCKET, "Action": "Add"}, emptier)] == [emptier["LogicalResourceId"]]


def test_imported_bucket_is_not_new() -> None:
    assert len(losses({**BUCKET, "Action": "Import"}, EMPTIER)) == 1


@pytest.mark.parametrize("action", ["Modify", "Remove"])
def test_emptier_that_was_there_may_change_and_go(action: str) -> None:
    assert losses({**EMPTIER, "Action": action}) == ()


def test_first_deployment_passes_with_its_emptiers() -> None:
    assert losses({**BUCKET, "Action": "Add"}, EMPTIER) == ()
