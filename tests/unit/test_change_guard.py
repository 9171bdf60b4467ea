"""The guard of a stack refuses what cannot change, lets rollbacks pass, and always answers CloudFormation."""

from __future__ import annotations

import io
import json
import logging
import urllib.request
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from milvus_constructs.change_guard_lambda import handler
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import assembly_of

STACK = "arn:aws:cloudformation:us-east-2:111122223333:stack/milvus-dev-milvus/1"
RULES = {"never": {"milvus.namespace": "make a new environment"}}


def properties(namespace: str, *, accepted: Any = ()) -> dict[str, str]:
    given = {"Settings": {"milvus.namespace": namespace}, "Rules": RULES, "Accepted": accepted}
    return {key: json.dumps(value) for key, value in given.items()}


def event(kind: str = "Update", old: str = "milvus", new: str = "vectors", **changed: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "StackId": STACK,
        "RequestId": "r-1",
        "LogicalResourceId": "Guard",
        "PhysicalResourceId": "settings-r-0",
        "ResponseURL": "https://cloudformation.example.com/answer",
        "OldResourceProperties": properties(old),
        "ResourceProperties": properties(new),
        **changed,
    }


class Answers:
    """CloudFormation as the handler meets it: a stack with a status, and an address that takes answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
        client = boto3.client("cloudformation", "us-east-2", aws_access_key_id="a", aws_secret_access_key="b")
        self.stubber = Stubber(client)
        described = {"StackName": "s", "StackStatus": status, "CreationTime": "2026-01-01"}
        self.stubber.add_response("describe_stacks", {"Stacks": [described]}, {"StackName": STACK})
        self.stubber.activate()
        self.given: list[dict[str, Any]] = []

        def made(service: str, *, config: Config) -> Any:
            assert service == "cloudformation"
            # The first attempt, and five more.
            assert config.retries == {"mode": "standard", "max_attempts": 5}
            return client

        monkeypatch.setattr(boto3, "client", made)
        monkeypatch.setattr(urllib.request, "urlopen", self._take)

    @contextmanager
    def _take(self, request: urllib.request.Request, timeout: float) -> Any:
        assert (request.full_url, request.get_method()) == ("https://cloudformation.example.com/answer", "PUT")
        # CloudFormation signs the address for a request without a type.
        assert request.header_items() == [("Content-type", "")]
        assert timeout == 20
        assert isinstance(request.data, bytes)
        self.given.append(json.loads(request.data))
        yield io.BytesIO()


def answer(monkeypatch: pytest.MonkeyPatch, status: str, sent: dict[str, Any]) -> dict[str, Any]:
    cloudformation = Answers(monkeypatch, status)
    handler.on_event(sent)
    [given] = cloudformation.given
    assert (given["StackId"], given["RequestId"], given["LogicalResourceId"]) == (STACK, "r-1", "Guard")
    return given


def test_update_that_cannot_be_fails_with_setting_values_and_remedy(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        given = answer(monkeypatch, "UPDATE_IN_PROGRESS", event())
    assert caplog.messages[-4:] == [
        "1 settings, refused: ['milvus.namespace']",
        f"{STACK}: UPDATE_IN_PROGRESS",
        f"refused: {given['Reason']}",
        "answered FAILED",
    ]
    assert (given["Status"], given["PhysicalResourceId"]) == ("FAILED", "settings-r-0")
    assert given["Reason"] == (
        "milvus.namespace: milvus cannot become vectors: it cannot change once deployed; make a new environment. "
        "Nothing in this stack was changed. `milvus-ops plan` shows the whole change."
    )


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_rollback_is_the_same_update_the_other_way_round_and_passes(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    assert answer(monkeypatch, status, event(old="vectors", new="milvus"))["Status"] == "SUCCESS"


def test_change_that_the_file_accepts_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = [{"path": "milvus.namespace", "old": "milvus", "new": "vectors"}]
    sent = event(ResourceProperties=properties("vectors", accepted=accepted))
    assert answer(monkeypatch, "UPDATE_IN_PROGRESS", sent)["Status"] == "SUCCESS"


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_stack_that_comes_or_goes_is_not_judged(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert answer(monkeypatch, "CREATE_IN_PROGRESS", event(kind))["Status"] == "SUCCESS"


def test_first_answer_names_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = event("Create")
    del sent["PhysicalResourceId"]
    assert answer(monkeypatch, "CREATE_IN_PROGRESS", sent)["PhysicalResourceId"] == "settings-r-1"


def test_what_cannot_be_read_fails_the_update_and_does_not_keep_it_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    given = answer(monkeypatch, "UPDATE_IN_PROGRESS", event(ResourceProperties={"Settings": "{"}))
    assert (given["Status"], given["Reason"]) == ("FAILED", "'Rules'")


def test_reason_fits_what_cloudformation_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"never": {f"a{number}": "x" * 100 for number in range(90)}}
    old, new = ({"Settings": json.dumps(dict.fromkeys(rules["never"], value))} for value in (1, 2))
    both = {"Rules": json.dumps(rules), "Accepted": "[]"}
    sent = event(OldResourceProperties=old, ResourceProperties={**new, **both})
    given = answer(monkeypatch, "UPDATE_IN_PROGRESS", sent)
    assert len(json.dumps(given)) < 4096


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_everything_in_a_stack_waits_for_its_guard(name: str) -> None:
    # GIVEN every stack of an environment
    graph = assembly_of(assembly(name))
    waiting = [each for each in graph.resources if not each.split("/", 1)[1].startswith("Guard")]
    assert len(waiting) > 50
    # THEN all that is not the guard itself comes after it, so that a refused update has touched nothing
    assert [each for each in waiting if f"{each.split('/', 1)[0]}/Guard" not in graph.before(each)] == []
    # AND a stack that holds nothing else has one, too
    assert {each.partition("/")[0] for each in graph.resources if each.endswith("/Guard")} == set(graph.templates)


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_guard_carries_no_value_that_only_aws_knows(name: str) -> None:
    # Such a value would be another one in each stack, and could be a secret.
    graph = assembly_of(assembly(name))
    for guard in graph.of_type("Custom::ChangeGuard"):
        assert [path for path, _ in guard.references()] == ["ServiceToken"]
        assert guard.at("Version") == "0.1.0"
