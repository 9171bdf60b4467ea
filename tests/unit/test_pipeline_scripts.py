"""The steps of the pipeline: what they read, what they hand on, and what they say when something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts import pipeline_gate, pipeline_session, pipeline_verify
from scripts.pipeline_gate import GateError, gate_command, read_change_set
from scripts.pipeline_verify import roll_back_text, run_verification


class Recorded:
    """Answers each call of a client with the next of the recorded answers of that method."""

    def __init__(self, **answers: list[Any]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            answer = self._answers[name].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        return call


def client_error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeChangeSet")


def no_pause(_seconds: float) -> None:
    return None


def test_gate_reads_every_page_of_a_change_set() -> None:
    first = {"Status": "CREATE_COMPLETE", "Changes": [1], "NextToken": "more", "ResponseMetadata": {}}
    client = Recorded(describe_change_set=[first, {"Status": "CREATE_COMPLETE", "Changes": [2]}])
    pages = read_change_set(client, stack="s", change_set="c", pause=no_pause)
    assert [page["Changes"] for page in pages] == [[1], [2]]
    expected = {"StackName": "s", "ChangeSetName": "c", "IncludePropertyValues": True}
    assert [arguments for _, arguments in client.calls] == [expected, {**expected, "NextToken": "more"}]


def test_gate_waits_until_the_change_set_is_made() -> None:
    pages = [{"Status": "CREATE_IN_PROGRESS"}, {"Status": "CREATE_PENDING"}, {"Status": "CREATE_COMPLETE"}]
    assert read_change_set(Recorded(describe_change_set=pages), stack="s", change_set="c", pause=no_pause) == [
        {"Status": "CREATE_COMPLETE"}
    ]


def test_gate_stays_shut_when_the_change_set_is_never_made() -> None:
    client = Recorded(describe_change_set=[{"Status": "CREATE_IN_PROGRESS"}] * 200)
    with pytest.raises(GateError, match=r"the change set c of s was not made within 300 s; retry the stage"):
        read_change_set(client, stack="s", change_set="c", pause=no_pause)


def test_gate_passes_where_there_is_nothing_to_execute() -> None:
    client = Recorded(describe_change_set=[client_error("ChangeSetNotFound", "no")], describe_stacks=[{"Stacks": [{}]}])
    assert read_change_set(client, stack="s", change_set="c", pause=no_pause) == []


def test_gate_stays_shut_for_a_stack_that_is_not_there() -> None:
    # GIVEN a wrong name, account or region: nothing is found, which must not look like nothing to do
    client = Recorded(
        describe_change_set=[client_error("ChangeSetNotFound", "no")],
        describe_stacks=[client_error("ValidationError", "Stack with id s does not exist")],
    )
    with pytest.raises(GateError, match=r"there is no stack s here, so its change set cannot be judged: .*not exist"):
        read_change_set(client, stack="s", change_set="c", pause=no_pause)


def test_gate_stays_shut_when_it_may_not_read() -> None:
    client = Recorded(describe_change_set=[client_error("AccessDenied", "not you")])
    with pytest.raises(GateError, match=r"the change set c of s cannot be read: .*not you"):
        read_change_set(client, stack="s", change_set="c", pause=no_pause)


def test_approvals_reach_the_gate_where_something_changes() -> None:
    command = gate_command([{"Changes": []}, {"Changes": [{}]}], ["Data1=moved to the new bucket"])
    assert command[1:] == ["-m", "ops", "gate", "--change-set", "-", "--approve", "Data1=moved to the new bucket"]


def test_approvals_are_left_out_where_nothing_changes() -> None:
    # A pipeline that runs again after an approved loss was deployed must not fail on the approval.
    assert gate_command([{"Changes": []}], ["Data1=moved to the new bucket"])[-1] == "-"


def gate_options(*more: str) -> list[str]:
    return ["--stack", "s", "--change-set", "c", "--region", "us-east-2", "--role", "reader", *more]


@pytest.mark.parametrize(
    ("replacement", "code"), [("False", 0), ("True", 3), ("Conditional", 3)], ids=["in place", "replaced", "perhaps"]
)
def test_exit_code_of_the_step_is_that_of_the_gate(
    monkeypatch: pytest.MonkeyPatch, replacement: str, code: int
) -> None:
    change = {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": "Data1",
            "PhysicalResourceId": "milvus-dev-data",
            "ResourceType": "AWS::S3::Bucket",
            "Replacement": replacement,
        },
    }
    client = Recorded(describe_change_set=[{"Status": "CREATE_COMPLETE", "StackName": "s", "Changes": [change]}])
    monkeypatch.setattr(pipeline_gate, "assumed_client", lambda *_args, **_options: client)
    assert pipeline_gate.main(gate_options()) == code


def test_step_fails_when_the_change_set_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Recorded(describe_change_set=[client_error("AccessDenied", "not you")])
    monkeypatch.setattr(pipeline_gate, "assumed_client", lambda *_args, **_options: client)
    assert pipeline_gate.main(gate_options()) == 1
    assert "The gate stays shut: the change set c of s cannot be read" in capsys.readouterr().err


def test_step_passes_when_there_is_no_change_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Recorded(describe_change_set=[client_error("ChangeSetNotFound", "no")], describe_stacks=[{}])
    monkeypatch.setattr(pipeline_gate, "assumed_client", lambda *_args, **_options: client)
    assert pipeline_gate.main(gate_options()) == 0
    assert "passed: s has no change set, so nothing will be executed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("account", "arn"),
    [
        (None, "arn:aws-cn:iam::999999999999:role/lookup-999999999999-x"),
        ("222222222222", "arn:aws-cn:iam::222222222222:role/lookup-222222222222-x"),
    ],
)
def test_role_is_assumed_in_the_account_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, account: str | None, arn: str
) -> None:
    # GIVEN a step whose own account is another, in another partition
    made: list[dict[str, Any]] = []
    credentials = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    tokens = Recorded(
        get_caller_identity=[{"Account": "999999999999", "Arn": "arn:aws-cn:sts::999999999999:assumed-role/x/y"}],
        assume_role=[{"Credentials": credentials}],
    )

    def client(service: str, **options: Any) -> Any:
        made.append({"service": service, **options})
        return tokens

    monkeypatch.setattr("boto3.client", client)
    pipeline_session.assumed_client("codebuild", role="lookup-ACCOUNT-x", account=account, region="cn-north-1")
    # THEN it has the role's credentials in the environment's region
    assert tokens.calls[1][1]["RoleArn"] == arn
    assert made[1]["service"] == "codebuild"
    assert made[1]["region_name"] == "cn-north-1"
    assert made[1]["aws_session_token"] == "c"


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
    assert "its log cannot be read" in said[1]
    assert said[2] == "p:1: FAILED"


def verify_options() -> list[str]:
    options = {"project": "milvus-dev-verification", "region": "us-east-2", "role": "starter", "pipeline": "delivery"}
    return [part for name, value in (options | {"stage": "dev"}).items() for part in (f"--{name}", value)]


def test_failed_verification_says_how_to_roll_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a step in the pipeline's region, deploying a commit
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("CODEBUILD_RESOLVED_SOURCE_VERSION", "4f2a9c1")
    monkeypatch.setattr(pipeline_verify, "run_verification", lambda *_args, **_options: False)
    assert pipeline_verify.main(verify_options()) == 1
    out = capsys.readouterr().out
    assert "milvus-dev-verification failed: the wave dev stops here, and nothing behind it is deployed." in out
    assert "git revert 4f2a9c1 && git push" in out
    assert "rollback-stage --region eu-west-1 --pipeline-name delivery --stage-name dev" in out


def test_passed_verification_says_nothing_of_rolling_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipeline_verify, "run_verification", lambda *_args, **_options: True)
    assert pipeline_verify.main(verify_options()) == 0
    assert capsys.readouterr().out == ""


def test_source_without_commits_is_put_back() -> None:
    text = roll_back_text(project="p", pipeline="d", stage="s", region="us-east-2", commit=None)
    assert "put the previous source back" in text


def test_steps_run_as_programs_from_the_root_of_the_project() -> None:
    assert gate_command([], [])[0] == sys.executable
