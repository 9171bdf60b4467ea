"""The log group of the control plane: taken over where it is, and gone after the cluster as far as can be."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from milvus_constructs import patience
from milvus_constructs.cluster.control_plane_logs_lambda import handler
from tests.unit.service_double import PAUSE_SECONDS, Service, pauses  # noqa: F401 - a fixture

GROUP = "/aws/eks/milvus-dev/cluster"


class Logs(Service):
    """A logs client that answers as told, in order, and remembers how often the handler waited."""

    name = "logs"

    def creates(self) -> Logs:
        self.stubber.add_response("create_log_group", {}, {"logGroupName": GROUP})
        return self

    def ends(self, days: int) -> Logs:
        self.stubber.add_response("put_retention_policy", {}, {"logGroupName": GROUP, "retentionInDays": days})
        return self

    def deletes(self) -> Logs:
        self.stubber.add_response("delete_log_group", {}, {"logGroupName": GROUP})
        return self

    def keep(self) -> None:
        handler.keep(self.client, GROUP, 90)
        self.stubber.assert_no_pending_responses()

    def remove(self) -> None:
        handler.remove(self.client, GROUP)
        self.stubber.assert_no_pending_responses()


def test_group_is_created_and_ends() -> None:
    logs = Logs().creates().ends(90)
    logs.keep()
    assert logs.pauses == []


def test_group_that_eks_made_again_is_taken_over_and_ends() -> None:
    # GIVEN a cluster of this name that was destroyed before
    Logs().fails("create_log_group", "ResourceAlreadyExistsException").ends(90).keep()


def test_right_that_has_not_arrived_yet_is_waited_for() -> None:
    logs = Logs().fails("create_log_group", "AccessDeniedException").creates()
    logs.fails("put_retention_policy", "OperationAbortedException").ends(90).keep()
    assert logs.pauses == [PAUSE_SECONDS] * 2


def test_right_that_never_arrives_fails_with_what_aws_says() -> None:
    logs = Logs().fails("create_log_group", "AccessDeniedException", patience.ATTEMPTS)
    with pytest.raises(handler.LogGroupError, match=rf"^the log group {GROUP}: .*AccessDeniedException.*because"):
        logs.keep()
    assert len(logs.pauses) == patience.ATTEMPTS - 1


def test_refusal_that_stays_is_not_tried_again() -> None:
    with pytest.raises(handler.LogGroupError, match="LimitExceededException"):
        Logs().fails("create_log_group", "LimitExceededException").keep()


def test_group_that_eks_makes_again_after_the_cluster_is_deleted_again() -> None:
    # GIVEN a group that comes back once, a minute after it was deleted
    logs = Logs().deletes().fails("delete_log_group", "ResourceNotFoundException").deletes()
    logs.fails("delete_log_group", "ResourceNotFoundException", handler.LOOKS - 2)
    # WHEN removed THEN it is looked for until some minutes have passed
    logs.remove()
    assert sum(logs.pauses) == PAUSE_SECONDS * handler.LOOKS == 210


def test_group_that_is_gone_already_counts_as_deleted() -> None:
    Logs().fails("delete_log_group", "ResourceNotFoundException", handler.LOOKS + 1).remove()


@pytest.mark.parametrize(
    ("request_type", "removal", "expected"),
    [
        ("Create", "destroy", ["keep"]),
        ("Update", "retain", ["keep"]),
        ("Delete", "destroy", ["remove"]),
        ("Delete", "retain", []),
    ],
)
def test_group_goes_only_with_a_stack_whose_logs_go(
    request_type: str, removal: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(boto3, "client", lambda *_args, **_options: None)
    monkeypatch.setattr(handler, "keep", lambda _client, _group, days: done.append("keep") if days == 90 else None)
    monkeypatch.setattr(handler, "remove", lambda _client, _group: done.append("remove"))
    properties: dict[str, Any] = {"LogGroup": GROUP, "RetentionInDays": "90", "Removal": removal}
    answer = handler.on_event({"RequestType": request_type, "ResourceProperties": properties})
    assert done == expected
    # AND the resource is the group: a group of the same name is no other resource
    assert answer == {"PhysicalResourceId": GROUP}
