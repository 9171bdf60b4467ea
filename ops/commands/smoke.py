"""`python -m ops smoke`: hello_milvus, with every answer checked."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Annotated

import typer
from rich.status import Status
from rich.text import Text

from ops.commands.connection import (
    CONNECTION,
    LOGIN,
    CaOption,
    EnvFileOption,
    EnvOption,
    RegionOption,
    ServerNameOption,
    TlsOption,
    chosen_address,
    value_of_variable,
)
from ops.console import note, out, print_error, print_json, working
from ops.errors import ExitCode, OpsError, usage_error
from ops.milvus import Target, parse_target, token_from_secret
from ops.smoke import Listener, SmokeReport, StepResult, run_smoke

_TOKEN_VARIABLE = "MILVUS_TOKEN"  # noqa: S105 - a variable's name


def smoke(  # noqa: PLR0917 - the options of a command
    uri: Annotated[
        str | None,
        typer.Option(
            help="http(s)://HOST:19530, or FILE.db. Without it: Milvus Lite in a temporary file.",
            rich_help_panel=CONNECTION,
        ),
    ] = None,
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", help="For each step.", rich_help_panel=CONNECTION)] = 60,
    connect_timeout: Annotated[
        int, typer.Option(metavar="SECONDS", help="For connecting.", rich_help_panel=CONNECTION)
    ] = 10,
    token: Annotated[
        str | None,
        typer.Option(
            help="user:password. Others on this machine can read it in the process list: prefer the next ones.",
            rich_help_panel=LOGIN,
        ),
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help=f"Environment variable that holds user:password. Without it {_TOKEN_VARIABLE}, if set.",
            rich_help_panel=LOGIN,
        ),
    ] = None,
    secret_arn: Annotated[
        str | None,
        typer.Option(
            metavar="ARN",
            help="Secret in AWS Secrets Manager: JSON with username and password.",
            rich_help_panel=LOGIN,
        ),
    ] = None,
    tls: TlsOption = None,
    ca: CaOption = None,
    server_name: ServerNameOption = None,
    rows: Annotated[int, typer.Option(help="Entities to insert.")] = 3000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that Milvus works: the guide's **hello_milvus**, with every answer checked.

    Creates a collection of its own, inserts, counts, indexes, loads, searches, queries, deletes, and drops it, also
    after a failure or Ctrl-C. An open port proves nothing; an insert and a search do.
    """
    address, own_secret = chosen_address(env=env, env_file=env_file, uri=uri, region=region)
    target = parse_target(
        uri=address,
        token=_token(token=token, token_env=token_env, secret_arn=secret_arn, own_secret=own_secret),
        tls=tls,
        ca=ca,
        server_name=server_name,
    )
    with _sigterm_interrupts():
        report = _run(target, rows=rows, timeout=timeout, connect_timeout=connect_timeout, as_json=as_json)
    _finish(report, as_json=as_json)


def _token(*, token: str | None, token_env: str | None, secret_arn: str | None, own_secret: str | None) -> str | None:
    """Return the token: from an option, else from the variable MILVUS_TOKEN, else the environment's own secret."""
    options = {"--token": token, "--token-env": token_env, "--secret-arn": secret_arn}
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise usage_error(
            setting="the login", value=" and ".join(given), allowed="one of them", remedy="Drop all but one"
        )
    if token is not None:
        return token
    if token_env is not None:
        return value_of_variable("--token-env", token_env, holds="user:password")
    if secret_arn is not None:
        return token_from_secret(secret_arn)
    value = os.environ.get(_TOKEN_VARIABLE)
    if not value and own_secret is not None:
        return token_from_secret(own_secret)
    return value or None


def _run(target: Target, *, rows: int, timeout: int, connect_timeout: int, as_json: bool) -> SmokeReport:
    with working("starting") as status:
        return run_smoke(
            target=target,
            rows=rows,
            timeout=timeout,
            connect_timeout=connect_timeout,
            listener=_listener(status, as_json=as_json),
        )


def _listener(status: Status | None, *, as_json: bool) -> Listener:
    def listen(title: str, result: StepResult | None) -> None:
        if result is None:
            if status is not None:
                status.update(Text(f"{title} …"))
                status.start()
            return
        if status is not None:
            # While it spins, Rich sends everything to the spinner's stream: results would miss `> file`.
            status.stop()
        if as_json:
            return
        out().print(Text.assemble((f"=== {title:<52} ===", "bold"), (f" {result.seconds:7.3f} s", "dim")))
        for line in result.lines:
            out().print(Text(line), soft_wrap=True)

    return listen


def _finish(report: SmokeReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump())
    elif report.ok:
        out().print(
            Text.assemble(
                ("passed ", "bold green"),
                f"{len(report.steps)} steps in {report.seconds:.1f} s on {report.target}, "
                f"Milvus {report.server_version}, index {report.index_type}",
            ),
            soft_wrap=True,
        )
    if report.failure is not None:
        failure = report.failure
        print_error(OpsError(f"smoke failed at {failure.step}: {failure.reason}", remedy=failure.remedy))
    if report.left_behind is not None:
        note(f"the collection {report.left_behind} may still exist: drop it when Milvus answers again")
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let a build that is cancelled (SIGTERM) clean up as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
