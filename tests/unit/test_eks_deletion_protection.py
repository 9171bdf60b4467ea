"""The cluster's protection: on when all stands, off before anything goes, and never in the way of a rollback."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from milvus_constructs.cluster.deletion_protection_lambda import handler
from tests.unit.service_double import PAUSE_SECONDS, Service, pauses  # noqa: F401 - a fixture

NAME = "milvus-prod"


class Eks(Service):
    """An eks client that answers as told, in order, and remembers how often the handler waited."""

    name = "eks"

    def shows(self, status: str, *, protected: bool | None) -> Eks:
        cluster: dict[str, Any] = {"name": NAME, "status": status}
        if protected is not None:
            cluster["deletionProtection"] = protected
        self.stubber.add_response("describe_cluster", {"cluster": cluster}, {"name": NAME})
        return self

    def changes(self, *, to: bool) -> Eks:
        update = {"update": {"id": "u-1", "status": "InProgress"}}
        self.stubber.add_response("update_cluster_config", update, {"name": NAME, "deletionProtection": to})
        return self

    def protect(self, *, on: bool) -> None:
        handler.protect(self.client, NAME, on=on)
        self.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(("before", "on"), [(False, True), (None, True), (True, False)])
def test_protection_is_changed_and_waited_for(before: bool | None, on: bool) -> None:
    eks = Eks().shows("ACTIVE", protected=before).changes(to=on).shows("UPDATING", protected=before)
    eks.shows("ACTIVE", protected=on).protect(on=on)
    assert eks.pauses == [PAUSE_SECONDS] * 2


@pytest.mark.parametrize("on", [True, False])
def test_protection_that_is_as_it_should_be_is_left_alone(on: bool) -> None:
    Eks().shows("ACTIVE", protected=on).protect(on=on)


@pytest.mark.parametrize("status", ["CREATING", "DELETING", "FAILED"])
def test_cluster_that_eks_deletes_anyway_is_not_waited_for(status: str) -> None:
    Eks().shows(status, protected=True).protect(on=False)


def test_cluster_that_is_gone_needs_no_protection_taken_off() -> None:
    Eks().fails("describe_cluster", "ResourceNotFoundException").protect(on=False)


def test_cluster_that_is_gone_cannot_be_protected() -> None:
    with pytest.raises(handler.ProtectionError, match=r"milvus-prod is not on: .*ResourceNotFoundException"):
        Eks().fails("describe_cluster", "ResourceNotFoundException").protect(on=True)


def test_right_that_has_not_arrived_and_another_change_are_waited_for() -> None:
    eks = Eks().fails("describe_cluster", "AccessDeniedException").shows("ACTIVE", protected=False)
    eks.fails("update_cluster_config", "ResourceInUseException").shows("ACTIVE", protected=False)
    eks.changes(to=True).shows("ACTIVE", protected=True).protect(on=True)
    assert len(eks.pauses) == 3


def test_refusal_fails_with_what_eks_says_and_the_command_that_does_it_by_hand() -> None:
    eks = Eks().shows("ACTIVE", protected=True).fails("update_cluster_config", "InvalidRequestException")
    with pytest.raises(
        handler.ProtectionError,
        match=r"^the deletion protection of milvus-prod is not off: .*InvalidRequestException.*because. "
        r"Run `aws eks update-cluster-config --name milvus-prod --no-deletion-protection`, and repeat what failed.$",
    ):
        eks.protect(on=False)


def test_cluster_that_never_becomes_active_fails_after_ten_minutes() -> None:
    eks = Eks()
    for _ in range(handler.ATTEMPTS):
        eks.shows("UPDATING", protected=False)
    with pytest.raises(handler.ProtectionError, match="the cluster is UPDATING"):
        eks.protect(on=True)
    assert sum(eks.pauses) == pytest.approx(600, abs=PAUSE_SECONDS)


@pytest.mark.parametrize(("request_type", "on"), [("Create", True), ("Update", True), ("Delete", False)])
def test_protection_is_on_as_long_as_the_resource_is(
    request_type: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(boto3, "client", lambda *_args, **_options: None)
    monkeypatch.setattr(handler, "protect", lambda _client, _name, on: asked.append(on))
    answer = handler.on_event({"RequestType": request_type, "ResourceProperties": {"ClusterName": NAME}})
    assert asked == [on]
    # AND the resource is never another one, whose predecessor CloudFormation would delete after it
    assert answer == {"PhysicalResourceId": "milvus-prod-deletion-protection"}
