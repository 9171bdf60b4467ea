"""`python -m rehearsal.full --env dev`: the whole deployment on one machine, Kubernetes, Kafka and Milvus included."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from rehearsal.cdk import CdkError, CdkMissingError, require_cdk
from rehearsal.full.sequence import FullRehearsal, pull_charts
from rehearsal.full.steps import Steps, show, write
from rehearsal.run import Run
from rehearsal.servers import netns, prerequisites
from rehearsal.servers.install import install_servers
from rehearsal.servers.process import ServerError
from settings import SettingsError, load_environment

_INTERRUPTED = 130
_LOG_WIDTH = 120


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(
    env: Annotated[str, typer.Option(help="The environment to rehearse: a file of environments/.")] = "dev",
    inside: Annotated[bool, typer.Option(hidden=True, help="Set by the command itself, after installing.")] = False,
) -> None:
    """Rehearse with real parts. Exit code 1 when a step failed, 0 when all passed or were left out with a reason."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    try:
        if inside:
            raise typer.Exit(_rehearse(env, console))
        load_environment(env)
        require_cdk()
        prerequisites.require(list(prerequisites.Server))
        install_servers(list(prerequisites.Server), report=console.print)
        pull_charts(env, report=console.print)
    except KeyboardInterrupt:
        console.print("interrupted; everything that was started has been ended")
        raise typer.Exit(_INTERRUPTED) from None
    except (CdkError, CdkMissingError, ServerError, SettingsError) as error:
        console.print(f"[red]The full rehearsal cannot start:[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from error
    # Replaces this process by one in a network namespace: what was installed needs no network any more.
    netns.main([sys.executable, "-m", "rehearsal.full", "--env", env, "--inside"])


def _rehearse(env: str, console: Console) -> int:
    began = time.monotonic()
    steps = Steps(console=console)
    with Run() as run:
        console.print(f"Full rehearsal of {escape(env)}; logs in {run.folder}")
        try:
            FullRehearsal(env=env, run=run, steps=steps).run()
        except KeyboardInterrupt:
            steps.leave_out("everything after this", "real", "interrupted")
            raise
        finally:
            report = steps.report(env)
            path = write(report, run.folder)
        if report.result != "failed":
            run.remove_assemblies()
    show(report, console)
    console.print(f"{path} after {time.monotonic() - began:.0f} s")
    return 1 if report.result == "failed" else 0
