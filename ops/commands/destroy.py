"""`python -m ops destroy`: what goes, what stays and what that costs; and does it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ops.commands.options import EnvFileOption, EnvOption, RegionOption
from ops.console import note, out, print_json, working
from ops.errors import ExitCode, usage_error

_LEFT = "What is left"


def destroy(  # noqa: PLR0917 - the options of a command
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Do it: the environment's `name`. Without it the command only shows."),
    ] = None,
    leftovers: Annotated[
        bool,
        typer.Option("--leftovers", help="Remove what nobody wants, too, but no data.", rich_help_panel=_LEFT),
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="With --leftovers: remove this too, **with what is in it**, though it was kept. Repeatable.",
            rich_help_panel=_LEFT,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what goes and what is left as JSON.")] = False,
) -> None:
    """Destroy an environment: what goes, what stays and what that costs, and what is left afterwards.

    Without --confirm nothing is touched. With it the stacks go one after the other: a pipeline's verification first,
    load balancers before their controller. It can be repeated at any point. What was **kept** on purpose (buckets,
    their keys, secrets, volumes, logs) is removed only where --data names it.
    """
    from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops import destroy as room  # noqa: PLC0415 - the same
    from ops.destroy import show  # noqa: PLC0415 - the same
    from ops.environments import environment  # noqa: PLC0415 - the same
    from settings.selection import DEFAULT_ENVIRONMENT  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    _check(settings.name, confirm=confirm, data=data, leftovers=leftovers)

    def clients(service: str) -> aws.AwsClient:
        return aws.client(service, region=settings.region)

    with working(f"Reading {settings.name} in {settings.region}"):
        plan = room.look(settings, clients=clients)
    if not as_json:
        show.print_plan(plan, out())
    if confirm is None:
        if as_json:
            print_json({**plan.model_dump(), "deleted": [], "removed": []})
        for text in plan.notes:
            note(text)
        if plan.stacks or plan.left:
            note(f"nothing was touched: add --confirm {settings.name}{' and --leftovers' if not plan.stacks else ''}")
        return
    file = str(env_file or f"environments/{env or DEFAULT_ENVIRONMENT}.yaml")
    outcome = room.work(
        settings,
        plan,
        clients=clients,
        file=file,
        say=note if as_json else lambda text: out().print(Text(text), soft_wrap=True),
        leftovers=leftovers,
        data=data or (),
    )
    if as_json:
        print_json({**plan.model_dump(), **outcome.model_dump()})
    else:
        show.print_left(outcome.left, out())
    for text in outcome.notes:
        note(text)
    raise typer.Exit(ExitCode.FAILED if outcome.failed else ExitCode.OK)


def _check(name: str, *, confirm: str | None, data: list[str] | None, leftovers: bool) -> None:
    if data and not leftovers:
        raise usage_error(
            setting="--data", value="it without --leftovers", allowed="both", remedy="Add --leftovers, or drop --data"
        )
    if confirm not in {None, name}:
        raise usage_error(
            setting="--confirm",
            value=f"'{confirm}'",
            allowed=f"'{name}', the name in the file",
            remedy="Look again which environment you mean",
        )
