"""The proof after each environment: it waits for the end, and says what to do when it failed."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from ops import aws, verification
from ops.cli import app
from ops.errors import OpsError
from ops.verification import roll_back_text, run_verification
from tests.unit.recorded import Recorded, client_error


def no_pause(_seconds: float) -> None:
    return None


def builds(*states: str) -> list[dict[str, Any]]:
    place = {"groupName": "/milvus-dev/verification", "streamName": "1"}
    return [{"builds": [{"id": "p:1", "buildStatus": state, "logs": place}]} for state in states]


@pytest.mark.parametrize(("state", "passed"), [("SUCCEEDED", True), ("FAILED", False), ("TIMED_OUT", False)])
def test_verification_waits_for_the_end_and_shows_the_log(state: str, passed: bool) -> None:
    client = Recorded(
        start_build=[{"build": {"id": "p:1"}}],
        batch_get_builds=builds("IN_PROGRESS", "IN_PROGRESS", state),
        get_log_events=[{"events": [{"message": "=== search ===\n"}]}],
    )
    said: list[str] = []
    assert run_verification(lambda _service: client, project="p", say=said.append, pause=no_pause) is passed
    assert said == ["started p:1", "| === search ===", f"p:1: {state}"]


def test_verification_that_never_ends_has_failed() -> None:
    client = Recorded(start_build=[{"build": {"id": "p:1"}}], batch_get_builds=builds(*["IN_PROGRESS"] * 400))
    client._answers["get_log_events"] = [{"events": []}]
    said: list[str] = []
    assert run_verification(lambda _service: client, project="p", say=said.append, pause=no_pause) is False


def test_verification_without_a_log_says_how_it_ended() -> None:
    client = Recorded(
        start_build=[{"build": {"id": "p:1"}}],
        batch_get_builds=[{"builds": [{"id": "p:1", "buildStatus": "FAULT", "logs": {}}]}],
    )
    said: list[str] = []
    run_verification(lambda _service: client, project="p", say=said.append, pause=no_pause)
    assert said[-1] == "p:1: FAULT"


def test_verification_whose_log_cannot_be_read_says_how_it_ended() -> None:
    client = Recorded(
        start_build=[{"build": {"id": "p:1"}}],
        batch_get_builds=builds("FAILED"),
        get_log_events=[client_error("ResourceNotFoundException", "no such group")],
    )
    said: list[str] = []
    assert run_verification(lambda _service: client, project="p", say=said.append, pause=no_pause) is False
    assert said[1] == "| its log does not exist (no such group)"
    assert said[2] == "p:1: FAILED"


def test_project_that_may_not_be_started_is_an_error() -> None:
    client = Recorded(start_build=[client_error("AccessDenied", "not you")])
    with pytest.raises(OpsError, match=r"cannot read the project p: not you"):
        run_verification(lambda _service: client, project="p", say=print, pause=no_pause)


OPTIONS = ["verify", "--project", "milvus-dev-verification", "--region", "us-east-2", "--role", "starter"]
OPTIONS += ["--pipeline", "delivery", "--stage", "dev"]


def test_failed_verification_says_how_to_roll_back(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a step in the pipeline's region, deploying a commit
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("CODEBUILD_RESOLVED_SOURCE_VERSION", "4f2a9c1")
    monkeypatch.setattr(verification, "run_verification", lambda *_args, **_options: False)
    result = CliRunner().invoke(app, OPTIONS)
    assert result.exit_code == 1
    out = result.stdout
    assert "milvus-dev-verification failed: the wave dev stops here, and nothing behind it is deployed." in out
    assert "git revert 4f2a9c1 && git push" in out
    assert "rollback-stage --region eu-west-1 --pipeline-name delivery --stage-name dev" in out


def test_passed_verification_is_done_with_the_role_and_says_nothing_of_rolling_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roles: list[Any] = []
    client = Recorded(start_build=[{"build": {"id": "p:1"}}], batch_get_builds=builds("SUCCEEDED"))
    client._answers["get_log_events"] = [{"events": []}]
    monkeypatch.setattr(aws, "session", lambda **options: roles.append(options["role"]))
    monkeypatch.setattr(aws, "client", lambda *_args, **_options: client)
    result = CliRunner().invoke(app, OPTIONS)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["started p:1", "p:1: SUCCEEDED"]
    # THEN each call has credentials of its own: those of a chained role end after an hour
    assert roles == ["starter"] * 3


def test_source_without_commits_is_put_back() -> None:
    text = roll_back_text(project="p", pipeline="d", stage="s", region="us-east-2", commit=None)
    assert "put the previous source back" in text
