"""The gate reads the change set itself: all of it, when it is made, and never another one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.errors import OpsError
from ops.gate.reading import read_change_set
from tests.unit.recorded import Recorded, client_error

OPTIONS = ["gate", "--stack", "s", "--change-set-name", "c", "--region", "us-east-2"]


def change(replacement: str = "False", logical_id: str = "Data1") -> dict[str, Any]:
    return {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Modify",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": "milvus-dev-data",
            "ResourceType": "AWS::S3::Bucket",
            "Replacement": replacement,
        },
    }


def page(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Status": "CREATE_COMPLETE", "StackName": "s", "Changes": list(changes), "ResponseMetadata": {}, **more}


def no_pause(_seconds: float) -> None:
    return None


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """CloudFormation behind the command."""
    client = Recorded()
    monkeypatch.setattr(aws, "client", lambda *_args, **_options: client)
    return client


def test_every_page_is_read_with_property_values() -> None:
    client = Recorded(describe_change_set=[page(change(), NextToken="more"), page(change(logical_id="Data2"))])
    pages = read_change_set(client, stack="s", name="c", pause=no_pause)
    assert [each.changes[0].logical_id for each in pages] == ["Data1", "Data2"]
    expected = {"StackName": "s", "ChangeSetName": "c", "IncludePropertyValues": True}
    assert [arguments for _, arguments in client.calls] == [expected, {**expected, "NextToken": "more"}]


def test_gate_waits_until_the_change_set_is_made() -> None:
    client = Recorded(describe_change_set=[{"Status": "CREATE_IN_PROGRESS"}, {"Status": "CREATE_PENDING"}, page()])
    assert [each.status for each in read_change_set(client, stack="s", name="c", pause=no_pause)] == ["CREATE_COMPLETE"]


def test_gate_stays_shut_when_the_change_set_is_never_made() -> None:
    client = Recorded(describe_change_set=[{"Status": "CREATE_IN_PROGRESS"}] * 200)
    with pytest.raises(OpsError, match=r"the change set c of s was not made within 300 s\. Retry the stage"):
        read_change_set(client, stack="s", name="c", pause=no_pause)


def test_gate_passes_where_there_is_nothing_to_execute(cloudformation: Recorded) -> None:
    # GIVEN a change set that CodePipeline dropped because it changes nothing
    cloudformation._answers.update(
        describe_change_set=[client_error("ChangeSetNotFound", "no")], describe_stacks=[{"Stacks": [{}]}]
    )
    result = CliRunner().invoke(app, [*OPTIONS, "--approve", "Data1=moved"])
    assert result.exit_code == 0
    assert result.stdout.strip() == "passed there is no such change set: nothing will be executed"


def test_gate_stays_shut_for_a_stack_that_is_not_there(cloudformation: Recorded) -> None:
    # GIVEN a wrong name, account or region: nothing is found, which must not look like nothing to do
    cloudformation._answers.update(
        describe_change_set=[client_error("ChangeSetNotFound", "no")],
        describe_stacks=[client_error("ValidationError", "Stack with id s does not exist")],
    )
    result = CliRunner().invoke(app, OPTIONS)
    assert result.exit_code == 1
    assert "error there is no stack s here, so its change set cannot be judged" in result.stderr


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (
            {"describe_change_set": [client_error("AccessDenied", "not you")]},
            "cannot read the change set c of s: not you",
        ),
        (
            {
                "describe_change_set": [client_error("ChangeSetNotFound", "no")],
                "describe_stacks": [client_error("AccessDenied", "nor you")],
            },
            "cannot read the stack s: nor you",
        ),
        (
            {"describe_change_set": [{"Status": "FAILED", "StackName": "s", "StatusReason": "Template error: x"}]},
            "could not create the change set of stack s: Template error: x",
        ),
    ],
)
def test_gate_stays_shut_when_it_cannot_read(
    cloudformation: Recorded, answers: dict[str, list[Any]], says: str
) -> None:
    cloudformation._answers.update(answers)
    result = CliRunner().invoke(app, OPTIONS)
    assert result.exit_code == 1
    assert says in result.stderr


@pytest.mark.parametrize(
    ("replacement", "code"), [("False", 0), ("True", 3), ("Conditional", 3)], ids=["in place", "replaced", "perhaps"]
)
def test_exit_code_is_the_verdict(cloudformation: Recorded, replacement: str, code: int) -> None:
    cloudformation._answers.update(describe_change_set=[page(change(replacement))])
    result = CliRunner().invoke(app, [*OPTIONS, "--json"])
    assert result.exit_code == code
    assert json.loads(result.stdout)["passes"] is (code == 0)


def test_approval_lets_a_loss_pass(cloudformation: Recorded) -> None:
    cloudformation._answers.update(describe_change_set=[page(change("True"))])
    result = CliRunner().invoke(app, [*OPTIONS, "--approve", "Data1@milvus-dev-data=moved to the new bucket"])
    assert result.exit_code == 0
    assert "[approved: moved to the new bucket]" in result.stdout


def test_approval_is_left_out_where_nothing_changes(cloudformation: Recorded) -> None:
    # A pipeline that runs again after an approved loss was deployed must not fail on the approval.
    cloudformation._answers.update(describe_change_set=[page(), page(change())])
    assert CliRunner().invoke(app, [*OPTIONS, "--approve", "Data1=moved"]).exit_code == 0
    # AND with any change it must match: one left over would let a later loss pass unread
    assert CliRunner().invoke(app, [*OPTIONS, "--approve", "Data1=moved"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], "nothing"),
        (["--stack", "s"], "--stack"),
        (["--change-set", "-", "--stack", "s", "--change-set-name", "c"], "--change-set and --stack and"),
    ],
)
def test_change_set_is_given_in_one_way(arguments: list[str], given: str) -> None:
    result = CliRunner().invoke(app, ["gate", *arguments])
    assert result.exit_code == 2
    assert f"the change set: got {given}" in result.stderr
    assert "allowed is --change-set FILE, or --stack NAME with --change-set-name NAME" in result.stderr


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
    tokens = Recorded(
        get_caller_identity=[{"Account": "999999999999", "Arn": "arn:aws-cn:sts::999999999999:assumed-role/x/y"}],
        assume_role=[{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}],
    )
    monkeypatch.setattr(aws, "client", lambda *_args, **_options: tokens)
    session = aws.session(role="lookup-ACCOUNT-x", account=account, region="cn-north-1")
    # THEN it has the role's credentials in the environment's region
    assert tokens.calls[1][1]["RoleArn"] == arn
    assert session.region_name == "cn-north-1"
    assert session.get_credentials().token == "c"


def test_role_that_may_not_be_assumed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Recorded(
        get_caller_identity=[{"Account": "1", "Arn": "arn:aws:sts::1:user/x"}],
        assume_role=[client_error("AccessDenied", "User x may not assume y.")],
    )
    monkeypatch.setattr(aws, "client", lambda *_args, **_options: tokens)
    with pytest.raises(OpsError, match=r"cannot read AWS with the role y: User x may not assume y"):
        aws.session(role="y", account=None, region="us-east-2")
