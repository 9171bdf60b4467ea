"""`python -m ops gate`: refuses a change set that would lose data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ops.console import err, out, print_json
from ops.errors import ExitCode, usage_error
from ops.gate import Approval, Loss, apply_approvals, judge, parse_approval, parse_change_sets


def gate(
    change_set: Annotated[
        str,
        typer.Option(
            "--change-set",
            metavar="FILE",
            help="JSON of CloudFormation's DescribeChangeSet: one page, or a list of pages and of nested change sets. "
            "**-** reads standard input.",
        ),
    ],
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
    databases, file systems and the like). Replacement "Conditional" counts as replaced. A resource that leaves the
    stack with its deletion policy Retain is refused too: nothing is erased, but its successor starts from nothing. So
    are brokers of another type, although CloudFormation keeps the MSK cluster: every broker is taken away in turn. And
    so are a Kubernetes namespace or a Helm release that leaves its stack or changes its name: etcd goes with it.
    """
    approvals = [parse_approval(text) for text in approve or []]
    source = "standard input" if change_set == "-" else change_set
    pages = parse_change_sets(_read(change_set), source=source)
    losses = judge(pages)
    refused, passed = apply_approvals(losses, approvals)
    if as_json:
        print_json(_as_json(refused, passed))
    else:
        _print(refused, passed, total=sum(len(page.changes) for page in pages))
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


def _print(refused: tuple[Loss, ...], passed: tuple[tuple[Loss, Approval], ...], *, total: int) -> None:
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
        verdict = "only approved losses" if passed else "nothing stateful is replaced or deleted"
        changes = "1 change" if total == 1 else f"{total} changes"
        console.print(Text.assemble(("passed ", "green"), f"{verdict} ({changes})"))


def _as_json(refused: tuple[Loss, ...], passed: tuple[tuple[Loss, Approval], ...]) -> dict[str, object]:
    return {
        "passes": not refused,
        "refused": [loss.model_dump() for loss in refused],
        "approved": [{**loss.model_dump(), "reason": approval.reason} for loss, approval in passed],
    }
