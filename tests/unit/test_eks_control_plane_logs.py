"""The log group of the control plane: taken over where it is, and gone after the cluster as far as can be."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from milvus_constructs.cluster.control_plane_logs_lambda import handler

GROUP = "/aws/eks/milvus-dev/cluster"


class Logs:
    """A logs client that answers as told, in order, and remembers how often the handler waited."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "logs", region_name="us-east-2", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.stubber = Stubber(self.client)
        self.stubber.activate()
        self.pauses: list[float] = []

    def creates(self) -> Logs:
        self.stubber.add_response("create_log_group", {}, {"logGroupName": GROUP})
        return self

    def ends(self, days: int) -> Logs:
        self.stubber.add_response("put_retention_policy", {}, {"logGroupName": GROUP, "retentionInDays": days})
        return self

    def deletes(self) -> Logs:
        self.stubber.add_response("delete_log_group", {}, {"logGroupName": GROUP})
        return self

    def fails(self, operation: str, code: str, times: int = 1) -> Logs:
        for _ in range(times):
            self.stubber.add_client_error(operation, code, "because")
        return self

    def keep(self) -> None:
        handler.keep(self.client, GROUP, 90, sleep=self.pauses.append)
        self.stubber.assert_no_pending_responses()

    def remove(self) -> None:
        handler.remove(self.client, GROUP, sleep=self.pauses.append)
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
    assert logs.pauses == [handler.PAUSE_SECONDS] * 2


def test_right_that_never_arrives_fails_with_what_aws_says() -> None:
    logs = Logs().fails("create_log_group", "AccessDeniedException", handler.ATTEMPTS)
    with pytest.raises(ClientError, match=r"AccessDeniedException.*because"):
        logs.keep()
    assert len(logs.pauses) == handler.ATTEMPTS - 1


def test_refusal_that_stays_is_not_tried_again() -> None:
    with pytest.raises(ClientError, match="LimitExceededException"):
        Logs().fails("create_log_group", "LimitExceededException").keep()


def test_group_that_eks_makes_again_after_the_cluster_is_deleted_again() -> None:
    # GIVEN a group that comes back once, a minute after it was deleted
    logs = Logs().deletes().fails("delete_log_group", "ResourceNotFoundException").deletes()
    logs.fails("delete_log_group", "ResourceNotFoundException", handler.LOOKS - 2)
    # WHEN removed THEN it is looked for until some minutes have passed
    logs.remove()
    assert logs.pauses == [handler.LOOK_SECONDS] * handler.LOOKS


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
