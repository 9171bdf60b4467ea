"""`ops doctor` reads a really started account, and is told of what it has too little."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.day2 import Day2
from rehearsal.failure import RehearsalError
from rehearsal.run import PROJECT
from rehearsal.targets import existing_network
from settings import load_environment

_REGION = "us-west-2"
_ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    options = AccountOptions(
        run_dir=tmp_path_factory.mktemp("account"),
        account_id=_ACCOUNT,
        region=_REGION,
        network=existing_network(load_environment("existing-vpc")),
        quotas={"L-1216C47A": 23, "L-B99A9384": 9},
    )
    with EmbeddedAccount(options) as started:
        started.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
        yield started


def _doctor(account: EmbeddedAccount, *options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "ops", "doctor", *options, "--json"]
    done = subprocess.run(
        command, cwd=PROJECT, env=account.environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("env", "vcpus", "alone"),
    [
        ("existing-vpc", 24, "existing VPC"),
        ("guide", 24, "MSK"),
    ],
)
def test_a_quota_that_is_too_small_blocks_and_says_what_to_ask_for(
    account: EmbeddedAccount, env: str, vcpus: int, alone: str
) -> None:
    # WHEN an account with 23 vCPUs and 9 functions at once is looked at
    code, report = _doctor(account, "--env", env, "--region", _REGION)

    # THEN both are said, with what to ask AWS for
    ask = "Ask AWS for {1}, which may take days: `aws service-quotas request-service-quota-increase --service-code {0}"
    blocking = [each for each in report["findings"] if each["verdict"] == "blocks"]
    assert code == 1
    assert [each["what"] for each in blocking] == [
        f"vCPUs of running On-Demand Standard instances: {vcpus} needed, 23 free (0 of 23 in use)",
        "concurrent Lambda executions: 10 needed, 9 allowed",
    ]
    assert blocking[0]["remedy"] == (
        f"{ask.format('ec2', vcpus)} --quota-code L-1216C47A --desired-value {vcpus} --region us-west-2`"
    )
    # AND every other call is answered, and well
    others = [each for each in report["findings"] if each["verdict"] != "blocks"]
    assert {each["verdict"] for each in others} <= {"ok", "advice"}
    assert {"account", "bootstrap", "zones", "instances", "EKS", "EKS add-ons", "stacks", "names", alone} <= {
        each["check"] for each in others
    }


def test_what_blocks_ends_a_rehearsal_before_anything_is_deployed(account: EmbeddedAccount) -> None:
    folder = account.options.run_dir
    day2 = Day2(environment=account.environment(), console=Console(quiet=True, width=200), folder=folder)

    with pytest.raises(RehearsalError, match="python -m ops doctor --env existing-vpc finds something in the way:"):
        day2.doctor("existing-vpc")

    assert "blocks" in (folder / "ops-doctor.log").read_text(encoding="utf-8")
