"""`python -m ops gate`: refuses a change set that would lose data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ops.commands.options import AWS, AccountOption, RoleOption
from ops.console import err, out, print_json
from ops.errors import ExitCode, usage_error
from ops.gate import Approval, ChangeSet, Loss, apply_approvals, judge, parse_approval, parse_change_sets


def gate(  # noqa: PLR0917 - the options of a command
    change_set: Annotated[
        str | None,
        typer.Option(
            "--change-set",
            metavar="FILE",
            help="JSON of CloudFormation's DescribeChangeSet: one page, or a list of pages and of nested change sets. "
            "**-** reads standard input.",
        ),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its stack, instead of --change-set.", rich_help_panel=AWS)
    ] = None,
    change_set_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name, with --stack.", rich_help_panel=AWS)
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the stack.", rich_help_panel=AWS)] = None,
    account: AccountOption = None,
    role: RoleOption = None,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            "--approve",
            metavar="LOGICAL_ID=REASON",
            help="Let exactly this resource pass, for this reason. Repeatable. One that names no resource at risk is "
            "an error. LOGICAL_ID@PHYSICAL_ID lets only the one pass that is there now, not what comes after it.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Refuse a change set that replaces or deletes something **stateful**.

    Stateful is what a new deployment cannot bring back: bucket, MSK cluster, key, secret, EKS cluster, VPC (and
    databases, file systems and the like). Replacement "Conditional" counts as replaced, unless all that causes it is
    the id of a resource that the same change set only changes in place, as other tags do. A resource that leaves
    the stack with its deletion policy Retain is refused too: nothing is erased, but its successor starts from nothing.
    So are brokers of another type, although CloudFormation keeps the MSK cluster: every broker is taken away in turn.
    And so are a Kubernetes namespace or a Helm release that leaves its stack or changes its name: etcd goes with it.
    What prepares a loss is refused as well: a looser deletion policy, and CDK's function that empties a bucket, added
    to one that is there.

    Reads a change set that is in AWS itself with --stack and --change-set-name, and waits until it is made.
    """
    approvals = [parse_approval(text) for text in approve or []]
    if stack is not None and change_set_name is not None and change_set is None:
        from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
        from ops.gate.reading import read_change_set  # noqa: PLC0415 - the same

        session = aws.session(role=role, account=account, region=region)
        client = aws.client("cloudformation", region=region, session=session)
        pages = read_change_set(client, stack=stack, name=change_set_name)
        if not any(page.changes for page in pages):
            # A pipeline that runs again after an approved loss was deployed must not fail on the approval.
            approvals = []
    elif change_set is not None and stack is None and change_set_name is None:
        source = "standard input" if change_set == "-" else change_set
        pages = parse_change_sets(_read(change_set), source=source)
    else:
        given = {"--change-set": change_set, "--stack": stack, "--change-set-name": change_set_name}
        raise usage_error(
            setting="the change set",
            value=" and ".join(name for name, value in given.items() if value is not None) or "nothing",
            allowed="--change-set FILE, or --stack NAME with --change-set-name NAME",
            remedy="Give one of the two",
        )
    refused, passed = apply_approvals(judge(pages), approvals)
    if as_json:
        print_json(_as_json(refused, passed))
    else:
        _print(refused, passed, pages)
    raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.OK)


def _read(change_set: str) -> str:
    try:
        return sys.stdin.read() if change_set == "-" else Path(change_set).read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise usage_error(
            setting="--change-set",
            value=f"'{change_set}' ({reason})",
            allowed="a readable file or -",
            remedy="Check it",
        ) from error
    except UnicodeDecodeError as error:
        raise usage_error(
            setting="--change-set",
            value=f"'{change_set}' (not UTF-8)",
            allowed="JSON text in UTF-8",
            remedy="Give the output of `aws cloudformation describe-change-set --output json`",
        ) from error


def _print(refused: tuple[Loss, ...], passed: tuple[tuple[Loss, Approval], ...], pages: Sequence[ChangeSet]) -> None:
    console = out()
    for loss, approval in passed:
        console.print(
            Text.assemble(("approved ", "yellow"), loss.line(), f" [approved: {approval.reason}]"), soft_wrap=True
        )
    for loss in refused:
        console.print(Text.assemble(("refused ", "bold red"), loss.line()), soft_wrap=True)
    if refused:
        ids = " ".join(f"--approve {loss.approval_id()}=REASON" for loss in refused)
        err().print(Text(f"The gate refuses this change. If each loss is wanted: {ids}"), soft_wrap=True)
    else:
        console.print(Text.assemble(("passed ", "green"), _why_it_passes(passed, pages)), soft_wrap=True)


def _why_it_passes(passed: tuple[tuple[Loss, Approval], ...], pages: Sequence[ChangeSet]) -> str:
    if not pages:
        return "there is no such change set: nothing will be executed"
    total = sum(len(page.changes) for page in pages)
    verdict = "only approved losses" if passed else "nothing stateful is replaced or deleted"
    return f"{verdict} ({'1 change' if total == 1 else f'{total} changes'})"


def _as_json(refused: tuple[Loss, ...], passed: tuple[tuple[Loss, Approval], ...]) -> dict[str, object]:
    return {
        "passes": not refused,
        "refused": [loss.model_dump() for loss in refused],
        "approved": [{**loss.model_dump(), "reason": approval.reason} for loss, approval in passed],
    }
