"""`python -m ops plan`: what would a deployment of the file do to what is deployed?"""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.options import AccountOption, EnvFileOption, EnvOption, RegionOption, RoleOption
from ops.console import note, out, print_json, working
from ops.errors import ExitCode


def plan(  # noqa: PLR0917 - the options of a command
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    account: AccountOption = None,
    role: RoleOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the plan as Markdown, for a pull request.")
    ] = False,
) -> None:
    """Show what a deployment would change: setting, effect, what is affected, about how long, what is refused.

    Compares the file with the settings that the stacks keep of their last deployment; where there is none, it shows
    what is created and how long that takes. Ends with 3 when something is refused: the stacks' own guards would refuse
    it, too. It sees settings; `cdk diff` sees resources.
    """
    from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.plan import make_plan, markdown, read_deployed  # noqa: PLC0415 - the same
    from ops.plan.markdown import summary  # noqa: PLC0415 - the same
    from ops.tables import changes_table, creations_table, refusal_lines, way_lines  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    session = aws.session(role=role, account=account, region=settings.region)
    client = aws.client("cloudformation", region=settings.region, session=session)
    with working(f"Reading {settings.name} in {settings.region}"):
        found = make_plan(settings, read_deployed(settings, client=client))
    if as_json:
        print_json(found.model_dump())
    elif as_markdown:
        out().print(markdown(found), soft_wrap=True)
    else:
        console = out()
        if found.changes:
            console.print(changes_table(found))
        if found.refused:
            console.print(refusal_lines(found), soft_wrap=True)
        if found.created:
            console.print(creations_table(found))
        for way in found.ways:
            console.print(way_lines(way), soft_wrap=True)
        console.print(f"{found.environment}: {summary(found)}")
    if not as_markdown:
        for text in found.notes:
            note(text)
    raise typer.Exit(ExitCode.REFUSED if found.refused else ExitCode.OK)
