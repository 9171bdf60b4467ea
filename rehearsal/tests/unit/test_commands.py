"""What the rehearsal reads out of the CDK's output, and what it prepares for it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from rehearsal import cdk as cdk_commands
from rehearsal import cli as command
from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.cdk import Cdk, CdkError, CdkMissingError, StackEvent, parse_event, require_cdk
from rehearsal.display import Display
from rehearsal.driver import Rehearsal, require_no_changes
from rehearsal.failure import RehearsalError
from rehearsal.leftovers import Leftover, by_type
from rehearsal.run import PROJECT
from rehearsal.targets import existing_network
from rehearsal.tests.printed.pages import blocks
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
    assert f"{sys.executable} -m ops status --env prod" in lines
    assert f"{sys.executable} -m ops endpoints --env prod" in lines


def test_make_hands_on_what_a_rehearsal_is_asked_for() -> None:
    # GIVEN a shell, and not the make that runs the tests, which hands on its own ENV
    outside = {name: value for name, value in os.environ.items() if name not in {"ENV", "MAKEFLAGS", "MAKELEVEL"}}
    command = [
        "make",
        "-n",
        "--no-print-directory",
        "--old-file=.venv/.ready",
        "--old-file=node_modules/.ready",
        "rehearse",
    ]
    for given, options in (("THEN=larger", "--env dev --then larger"), ("KEEP=1", "--env dev --keep")):
        said = subprocess.run(
            [*command, given], cwd=PROJECT, env=outside, capture_output=True, text=True, check=True
        ).stdout
        assert said.split() == ["python", "-m", "rehearsal", *options.split()]


def test_retained_resources_are_grouped_by_type() -> None:
    kept = [Leftover(stack="s", resource_type="AWS::S3::Bucket", physical_id=name) for name in ("a", "b")]
    assert by_type(kept) == {"AWS::S3::Bucket": ["a", "b"]}
    assert str(kept[0]) == "AWS::S3::Bucket a (s)"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's Makefile in a folder where nothing is installed, and a CDK that writes down how it was called."""
    (tmp_path / "Makefile").write_bytes((PROJECT / "Makefile").read_bytes())
    program = tmp_path / "bin" / "cdk"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/bash\necho "cdk $*" >> calls.txt; env > environment.txt\n'
        '[ -z "$ASKS" ] || { read -p "Delete everything? (y/n)" answer; echo "answered: $answer"; }\n'
        'echo "Number of stacks with differences: ${DIFFERENCES:-0}"; exit ${CODE:-0}\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(cdk_commands, "PROJECT", tmp_path)
    monkeypatch.setattr(cdk_commands, "_CDK_FOLDER", tmp_path / "bin")
    return tmp_path


def _cdk(checkout: Path, on_event: Callable[[StackEvent], None] = lambda _event: None, **variables: str) -> Cdk:
    environment = {"PATH": "/usr/bin:/bin", **variables}
    log, assembly = checkout / "cdk.log", checkout / "out"
    return Cdk(env="dev", environment=environment, log=log, on_event=on_event, assembly=assembly)


def test_a_failing_command_carries_its_output(checkout: Path) -> None:
    # GIVEN a CDK that fails
    cdk = _cdk(checkout, CODE="7")
    # WHEN it is run, THEN the error has the command, the exit code and what it said, and the log too
    with pytest.raises(CdkError, match=r"^make diff ENV=dev ended with exit code 2$") as caught:
        cdk.diff()
    assert caught.value.output[0] == "Number of stacks with differences: 0"
    assert "diff ENV=dev\nNumber of stacks" in (checkout / "cdk.log").read_text()


def test_a_difference_fails_the_rehearsal(checkout: Path) -> None:
    with pytest.raises(CdkError, match=r"^make diff ENV=dev shows differences and ended with exit code 0$"):
        _cdk(checkout, DIFFERENCES="2").diff()
    assert _cdk(checkout, DIFFERENCES="2").differences() == 2


def test_a_comparison_that_says_nothing_is_not_taken_for_no_difference(checkout: Path) -> None:
    with pytest.raises(CdkError, match=r"^make diff ENV=dev does not say how many stacks differ and ended"):
        _cdk(checkout, DIFFERENCES="many").diff()


@pytest.mark.parametrize("target", ["synth", "deploy", "diff", "destroy"])
def test_a_rehearsal_runs_the_recipe_of_the_makefile_and_nothing_else(checkout: Path, target: str) -> None:
    # GIVEN what a user's `make` runs
    path = {"PATH": "/usr/bin:/bin"}
    command = ["make", "-n", "--old-file=.venv/.ready", "--old-file=node_modules/.ready", target, "ENV=dev"]
    recipe = subprocess.run(command, cwd=checkout, env=path, capture_output=True, text=True, check=True).stdout
    # WHEN the rehearsal does the same
    getattr(_cdk(checkout, MAKEFLAGS="n", ENV="prod"), target)()
    # THEN the CDK is called in the same way: no option of the rehearsal's own, neither as argument nor as variable
    assert (checkout / "calls.txt").read_text() == recipe
    variables = re.findall(r"^CDK_\w+", (checkout / "environment.txt").read_text(), flags=re.MULTILINE)
    assert variables == ["CDK_OUTPUT"]
    # AND nothing is installed
    assert not (checkout / ".venv").exists()


def test_the_bootstrap_of_a_rehearsal_is_the_one_that_the_readme_prints(checkout: Path) -> None:
    _cdk(checkout).bootstrap("ACCOUNT", "REGION")
    call = (checkout / "calls.txt").read_text().strip()
    assert call == "cdk bootstrap aws://ACCOUNT/REGION"
    assert call in [command for block in blocks(PROJECT / "README.md") for command in block.commands]


def test_the_templates_of_a_bootstrap_do_not_take_the_place_of_the_environment_s(checkout: Path) -> None:
    # GIVEN a CDK that has bootstrapped, and synthesized what cdk.json names
    cdk = _cdk(checkout)
    cdk.bootstrap("ACCOUNT", "REGION")
    bootstrap = re.findall(r"^CDK_OUTPUT=(.*)$", (checkout / "environment.txt").read_text(), flags=re.MULTILINE)
    # WHEN the environment is synthesized
    cdk.synth()
    environment = re.findall(r"^CDK_OUTPUT=(.*)$", (checkout / "environment.txt").read_text(), flags=re.MULTILINE)
    # THEN each has its folder
    assert (environment, bootstrap) == ([str(checkout / "out")], [str(checkout / "bootstrap" / "out")])


def test_options_of_the_caller_never_reach_the_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # GIVEN a caller whose CDK asks for nothing, which its command line reads from a variable
    monkeypatch.setenv("CDK_REQUIRE_APPROVAL", "never")
    # WHEN an account's variables are made
    given = EmbeddedAccount(AccountOptions(run_dir=tmp_path, region="us-east-2")).environment()
    # THEN
    assert "CDK_REQUIRE_APPROVAL" not in given


def test_a_question_is_answered_at_a_terminal(checkout: Path) -> None:
    lines = _cdk(checkout, ASKS="1").destroy()
    assert "Delete everything? (y/n)" in lines
    assert "answered: y" in lines


def test_a_deployment_that_asks_fails_instead_of_waiting(checkout: Path) -> None:
    with pytest.raises(CdkError, match=r"^make deploy ENV=dev asks Delete everything\? \(y/n\) and ended"):
        _cdk(checkout, ASKS="1").deploy(terminal=True)


def test_a_stack_that_is_destroyed_at_a_terminal_is_an_event() -> None:
    for line, status in (
        ("milvus-dev-eks: destroying... [1/5]", "DELETE_IN_PROGRESS"),
        (" ✅  milvus-dev-eks: destroyed", "DELETE_COMPLETE"),
    ):
        event = parse_event(line)
        assert event is not None
        assert (event.stack, event.status, event.of_stack) == ("milvus-dev-eks", status, True)


@pytest.mark.parametrize("module", ["rehearsal", "rehearsal.full"])
@pytest.mark.parametrize("during", ["typer", "pydantic"])
def test_interrupted_start_is_no_stack_trace(module: str, during: str) -> None:
    # GIVEN a person who presses Ctrl-C while a command still imports its libraries
    program = f"""
import runpy, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {during!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
sys.argv = ["command", "--help"]
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (130, "interrupted\n")


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


def test_a_missing_make_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cdk").touch(mode=0o700)
    monkeypatch.setattr(cdk_commands, "_CDK_FOLDER", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CdkMissingError, match="there is no make in PATH"):
        require_cdk()


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
    cdk = _cdk(tmp_path)
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
