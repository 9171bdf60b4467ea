from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from milvus_constructs.tree import child


def queue() -> sqs.Queue:
    return sqs.Queue(Construct(cdk.Stack(cdk.App(), "stack"), "Group"), "Queue")


def test_child_is_found_by_the_ids_below_a_construct() -> None:
    around = queue().node.scope
    assert around is not None
    assert isinstance(child(around, "Queue/Resource", sqs.CfnQueue), sqs.CfnQueue)


@pytest.mark.parametrize(
    ("path", "found"), [("Elsewhere", "nothing"), ("Elsewhere/Resource", "nothing"), ("Resource", "CfnQueue")]
)
def test_a_changed_tree_of_the_library_is_named_with_the_place_to_look_at(path: str, found: str) -> None:
    # WHEN aws-cdk-lib makes no such construct, or one of another kind THEN the error says where and what
    with pytest.raises(TypeError) as error:
        child(queue(), path, sqs.CfnQueuePolicy)
    assert str(error.value) == (
        f"aws-cdk-lib changed its construct tree at stack/Group/Queue/{path}: expected CfnQueuePolicy, found {found}; "
        "look there, and adapt the code that asked for it"
    )
