"""What the rehearsal reads out of the CDK's output, and what it prepares for it."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from rehearsal import cli as command
from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.cdk import PROJECT, Cdk, CdkError, StackEvent, parse_event
from rehearsal.display import Display
from rehearsal.driver import Rehearsal, RehearsalError, existing_network, require_no_changes
from rehearsal.leftovers import Leftover, by_type
from settings import load_environment


def test_a_progress_line_becomes_an_event() -> None:
    line = "milvus-dev-eks |  3/67 | 3:12:36 PM | CREATE_FAILED     | AWS::EKS::Addon   | Addons/Cni (Cni1) reason"
    event = parse_event(line)
    assert event is not None
    assert (event.stack, event.done, event.total, event.status) == ("milvus-dev-eks", 3, 67, "CREATE_FAILED")
    assert (event.resource_type, event.resource) == ("AWS::EKS::Addon", "Addons/Cni (Cni1) reason")


def test_a_line_of_a_destroy_has_no_total() -> None:
    event = parse_event(
        "milvus-dev-eks |  28 | 3:20:03 PM | DELETE_COMPLETE | AWS::CloudFormation::Stack | milvus-dev-eks"
    )
    assert event is not None
    assert event.total is None
    assert event.of_stack


@pytest.mark.parametrize("line", ["", "Successfully synthesized to cdk.out", "a | b | c"])
def test_any_other_line_is_no_event(line: str) -> None:
    assert parse_event(line) is None


def test_a_second_deployment_may_not_change_anything() -> None:
    lines = ["", " ✅  milvus-dev-network (no changes)", " ✅  milvus-dev-eks", "Outputs:"]
    require_no_changes(lines, ["milvus-dev-network"])
    with pytest.raises(RehearsalError, match="still changed: milvus-dev-eks"):
        require_no_changes(lines, ["milvus-dev-network", "milvus-dev-eks"])


def test_an_existing_vpc_is_there_before_the_deployment() -> None:
    # GIVEN an environment that builds on a VPC of somebody else
    settings = load_environment("existing-vpc")
    # WHEN its network is prepared
    network = existing_network(settings)
    # THEN its subnets lie in the zones of the settings, without overlap
    assert network is not None
    assert network.vpc_id == "vpc-0123456789abcdef0"
    assert [subnet.zone[-1] for subnet in network.subnets[:3]] == ["a", "b", "c"]
    assert len({subnet.cidr for subnet in network.subnets}) == len(network.subnets)
    assert existing_network(load_environment("dev")) is None


def test_a_kept_account_says_how_to_look_at_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # GIVEN a rehearsal in a narrow terminal whose account is kept, and a person who presses Ctrl-C
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupt)
    monkeypatch.chdir(tmp_path)
    console = Console(file=io.StringIO(), width=40)
    account = EmbeddedAccount(AccountOptions(run_dir=Path("run [1]"), region="us-east-2"))
    # WHEN it waits
    Rehearsal(env="prod", console=console, keep=True)._wait(account)
    # THEN what it printed can be pasted line by line
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert f"cd {PROJECT}" in lines
    assert f"export AWS_ENDPOINT_URL={account.endpoint}" in lines
    assert f"{sys.executable} -m ops status --env prod --records '{tmp_path}/run [1]/workloads'" in lines
    assert f"{sys.executable} -m ops endpoints --env prod" in lines


def test_make_keeps_the_account_on_request() -> None:
    recipe = (PROJECT / "Makefile").read_text(encoding="utf-8").partition("\nrehearse: ")[2].partition("\n\n")[0]
    assert "$(if $(KEEP),--keep)" in recipe


def test_retained_resources_are_grouped_by_type() -> None:
    kept = [Leftover(stack="s", resource_type="AWS::S3::Bucket", physical_id=name) for name in ("a", "b")]
    assert by_type(kept) == {"AWS::S3::Bucket": ["a", "b"]}
    assert str(kept[0]) == "AWS::S3::Bucket a (s)"


def test_a_failing_command_carries_its_output(tmp_path: Path) -> None:
    # GIVEN a CDK that fails
    program = tmp_path / "cdk"
    program.write_text('#!/bin/sh\necho "no app: $*"; exit 7\n')
    program.chmod(0o700)
    seen: list[StackEvent] = []
    cdk = Cdk(environment={"PATH": ""}, log=tmp_path / "cdk.log", on_event=seen.append, assembly=tmp_path / "out")
    cdk._environment["PATH"] = f"{tmp_path}:/usr/bin:/bin"
    # WHEN it is run, THEN the error has the exit code and what it said, and the log too
    with pytest.raises(CdkError, match="cdk diff ended with exit code 7") as caught:
        cdk.diff()
    assert caught.value.output == [f"no app: diff --app {tmp_path / 'out'} --fail"]
    assert "no app: diff" in (tmp_path / "cdk.log").read_text()


@pytest.mark.parametrize("module", ["rehearsal", "rehearsal.full"])
def test_a_missing_cdk_is_said_before_anything_starts(module: str, tmp_path: Path) -> None:
    # GIVEN the conventional set-up without `npm ci`
    program = f"""
import pathlib, rehearsal.cdk, runpy
rehearsal.cdk._CDK_FOLDER = pathlib.Path({str(tmp_path)!r})
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""
    # WHEN a rehearsal is asked for
    command, path = [sys.executable, "-c", program], {"PATH": str(Path(sys.executable).parent)}
    done = subprocess.run(command, cwd=PROJECT, env=path, capture_output=True, text=True, check=False)
    # THEN it ends with what to do, and has begun nothing
    assert done.returncode == 1
    assert f"there is no CDK command line: no cdk in {tmp_path} or PATH. Run `npm ci` or `make setup`" in done.stdout
    assert "logs in" not in done.stdout


def _event(status: str, *, kind: str = "AWS::CloudFormation::Stack") -> StackEvent:
    return StackEvent(stack="net", done=3, total=4, status=status, resource_type=kind, resource="Vpc [x]")


def test_a_log_shows_steps_finished_stacks_and_failures() -> None:
    # GIVEN a console that is no terminal
    console = Console(file=io.StringIO(), width=100)
    display = Display(console)
    # WHEN a step runs, and another one fails
    with display.step("deploy"):
        display.event(_event("CREATE_IN_PROGRESS", kind="AWS::EC2::VPC"))
        display.event(_event("CREATE_FAILED", kind="AWS::EC2::VPC"))
        display.event(_event("CREATE_COMPLETE"))
    with pytest.raises(ValueError, match="made-up"), display.step("diff"):
        raise ValueError("made-up")
    # THEN
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[:3] == ["… deploy", "    net Vpc [x]", "    net create_complete, 3 resources"]
    assert lines[3].startswith("✓ deploy")
    assert lines[5].startswith("✗ diff")
    assert list(display.seconds) == ["deploy", "diff"]


def test_the_python_of_the_project_runs_the_app(tmp_path: Path) -> None:
    cdk = Cdk(environment={}, log=tmp_path / "log", on_event=lambda _event: None, assembly=tmp_path)
    assert str(Path(sys.executable).parent) in cdk._environment["PATH"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (EndpointConnectionError(endpoint_url="http://localhost:1"), "Could not connect to the endpoint URL"),
        (ClientError({"Error": {"Code": "Denied", "Message": "not today"}}, "DescribeStacks"), "Denied.*not today"),
    ],
)
def test_an_error_of_the_account_is_one_message_and_exit_code_1(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a rehearsal that ends with an error of the AWS SDK
    def run(_self: object) -> None:
        raise error

    monkeypatch.setattr(Rehearsal, "run", run)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    # WHEN
    with pytest.raises(typer.Exit) as caught:
        command.main(env="dev")
    # THEN
    assert caught.value.exit_code == 1
    output = capsys.readouterr().out
    assert re.search(f"The rehearsal failed:.*{message}", output)
    assert output.count("\n") == 1
