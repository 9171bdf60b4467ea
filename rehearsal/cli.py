"""`python -m rehearsal --env dev`: deploys an environment into an embedded account and queries a Milvus."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from rehearsal.account.server import AccountError
from rehearsal.cdk import CdkMissingError, require_cdk
from rehearsal.driver import Rehearsal
from rehearsal.failure import RehearsalError
from settings import SettingsError

_INTERRUPTED = 130
# A build log has no width to ask for, and 80 columns fold every ARN.
_LOG_WIDTH = 160


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(
    env: Annotated[str, typer.Option(help="The environment to rehearse: a file of environments/.")] = "dev",
    then: Annotated[
        str | None, typer.Option(help="The environment to deploy over it: a file with the same name and region.")
    ] = None,
    keep: Annotated[bool, typer.Option(help="Keep the account after the deployment, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON; progress goes to standard error.")
    ] = False,
) -> None:
    """Rehearses an environment without an AWS account: bootstrap, deploy, diff, hello_milvus, destroy."""
    # Each ends a rehearsal through every `with`, so that nothing stays behind. SIGINT too, because a shell starts its
    # background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console(stderr=as_json, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    began = time.monotonic()
    try:
        require_cdk()
        report = Rehearsal(env=env, then=then, console=console, keep=keep).run()
    except KeyboardInterrupt:
        console.print("interrupted; everything that was started has been ended")
        raise typer.Exit(_INTERRUPTED) from None
    except (RehearsalError, AccountError, CdkMissingError, SettingsError, BotoCoreError, ClientError) as error:
        for failure in getattr(error, "failures", []):
            console.print(f"[red]{escape(failure.stack)}[/red]: {escape(failure.resource)} ({failure.resource_type})")
            console.print(f"    {escape(failure.reason)}", soft_wrap=True)
        console.print(f"[red]The rehearsal failed:[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    name = escape(f"{env} and then {then}" if then else env)
    console.print(f"[green]The rehearsal of {name} is complete[/green] in {time.monotonic() - began:.0f} s.")
