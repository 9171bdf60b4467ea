"""The command line itself: which commands there are, and how a failure ends."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ops.commands import (
    cost,
    destroy,
    doctor,
    endpoints,
    gate,
    plan,
    protect,
    rebalance,
    root_password,
    size,
    smoke,
    status,
    verify,
)
from ops.console import err, note, out, print_error
from ops.errors import ExitCode, OpsError
from settings.version import version

_HELP = """Look after a Milvus: would the account take it, is it there, does it answer, and what would a change do?

Reads AWS with your usual credentials (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL); only `protect` and
`destroy --confirm` change something there. `root-password` alone changes something in Milvus that stays, and
`rebalance` where Kafka keeps its partitions. No command prints a secret.
"""

_EPILOG = (
    "**Exit codes:** 0 done and healthy, 1 something failed, 2 wrong options or input, 3 a change is refused, "
    "130 interrupted."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        out().print(f"milvus-ops {version()}")
        raise typer.Exit


class _Commands(TyperGroup):
    """Ends every command the same way: a known failure is two lines and an exit code, never a stack trace."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as the class it overrides
        try:
            return super().invoke(ctx)
        except OpsError as error:
            print_error(error)
            raise typer.Exit(error.code) from error
        except KeyboardInterrupt as interrupt:
            err().print("interrupted", style="yellow")
            for text in getattr(interrupt, "__notes__", []):
                note(text)
            raise typer.Exit(ExitCode.INTERRUPTED) from None


app = typer.Typer(
    cls=_Commands,
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    # A stack trace with local variables would print tokens.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None: ...


# Each is called as its function is; this is their order in --help.
for _command in (
    doctor.doctor,
    size.size,
    plan.plan,
    smoke.smoke,
    status.status,
    endpoints.endpoints,
    root_password.root_password,
    cost.cost,
    rebalance.rebalance,
    protect.protect,
    destroy.destroy,
    gate.gate,
    verify.verify,
):
    app.command(epilog=_EPILOG)(_command)
