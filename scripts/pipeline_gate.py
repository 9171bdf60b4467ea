"""Step of the pipeline: hands the change set that is about to be executed to `python -m ops gate`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

_PROJECT = Path(__file__).resolve().parents[1]
if str(_PROJECT) not in sys.path:  # run as a program, not imported by a test
    sys.path.insert(0, str(_PROJECT))

from scripts.pipeline_session import assumed_client  # noqa: E402 - needs the path above

_WAIT_SECONDS = 300
_PAUSE_SECONDS = 2.0
_UNDER_WAY = {"CREATE_PENDING", "CREATE_IN_PROGRESS"}


class GateError(RuntimeError):
    """The change set could not be read; nothing may be executed unread."""


def read_change_set(
    cloudformation: Any,  # noqa: ANN401 - boto3 makes it
    *,
    stack: str,
    change_set: str,
    pause: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:
    """Return all pages of a change set, after waiting until CloudFormation has made it; empty if there is none.

    CodePipeline may drop a change set that changes nothing, and has then nothing to execute. That is told apart from a
    wrong name by the stack: preparing a change set creates the stack if need be.

    Raises:
        GateError: There is no such stack, or the change set is not made within 5 minutes.
    """
    for _ in range(int(_WAIT_SECONDS / _PAUSE_SECONDS)):
        try:
            pages = _pages(cloudformation, stack=stack, change_set=change_set)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in {"ChangeSetNotFound", "ChangeSetNotFoundException"}:
                raise GateError(f"the change set {change_set} of {stack} cannot be read: {error}") from error
            _require_stack(cloudformation, stack)
            return []
        if pages[0].get("Status") not in _UNDER_WAY:
            return pages
        pause(_PAUSE_SECONDS)
    raise GateError(f"the change set {change_set} of {stack} was not made within {_WAIT_SECONDS} s; retry the stage")


def _pages(cloudformation: Any, *, stack: str, change_set: str) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3 has no types
    pages: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = cloudformation.describe_change_set(
            StackName=stack, ChangeSetName=change_set, IncludePropertyValues=True, **token
        )
        page.pop("ResponseMetadata", None)
        pages.append(page)
        if not page.get("NextToken"):
            return pages
        token = {"NextToken": page["NextToken"]}


def _require_stack(cloudformation: Any, stack: str) -> None:  # noqa: ANN401 - boto3 has no types
    try:
        cloudformation.describe_stacks(StackName=stack)
    except ClientError as error:
        raise GateError(f"there is no stack {stack} here, so its change set cannot be judged: {error}") from error


def gate_command(pages: Sequence[dict[str, Any]], approvals: Sequence[str]) -> list[str]:
    """Return the gate's command line.

    Approvals are left out where nothing changes, so that a pipeline which runs again after an approved loss was
    deployed does not fail on them; with any change they must match, because one left over would let a later loss pass.
    """
    options = [option for approval in approvals for option in ("--approve", approval)]
    changes = any(page.get("Changes") for page in pages)
    return [sys.executable, "-m", "ops", "gate", "--change-set", "-", *(options if changes else [])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a prepared change set; return the gate's exit code: 0 passed, 3 refused, others are errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--change-set", required=True, help="name of its prepared change set")
    parser.add_argument("--region", required=True, help="region of the stack")
    parser.add_argument("--account", help="account of the stack; that of the credentials if not given")
    parser.add_argument("--role", required=True, help="role that reads; ACCOUNT in it stands for the account")
    parser.add_argument(
        "--approve", action="append", default=[], metavar="LOGICAL_ID[@PHYSICAL_ID]=REASON", help="see `ops gate`"
    )
    options = parser.parse_args(arguments)
    cloudformation = assumed_client("cloudformation", role=options.role, account=options.account, region=options.region)
    try:
        pages = read_change_set(cloudformation, stack=options.stack, change_set=options.change_set)
    except GateError as error:
        print(f"The gate stays shut: {error}", file=sys.stderr)  # noqa: T201 - the build log
        return 1
    if not pages:
        print(f"passed: {options.stack} has no change set, so nothing will be executed")  # noqa: T201 - the build log
        return 0
    text = json.dumps(pages, default=str)
    return subprocess.run(
        gate_command(pages, options.approve), input=text, text=True, cwd=_PROJECT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
