"""`python -m ops status`: is everything there, and is it well?"""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.options import EnvFileOption, EnvOption, RegionOption
from ops.console import note, out, print_json, working
from ops.errors import ExitCode


def status(
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False,
) -> None:
    """Show stacks, MSK, EKS with its node groups, and deployments (ready/wanted).

    Exits with 1 when something is missing, failed, not ready, or not protected against deletion although the settings
    ask for it. If only the Kubernetes API cannot be reached from here, that is said and the rest decides.
    """
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.status import read_status  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.tables import services_table, stacks_table, workloads_table  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    with working(f"Reading {settings.name} in {settings.region}"):
        state = read_status(settings)
    if as_json:
        print_json(state.model_dump(mode="json"))
    else:
        console = out()
        console.print(stacks_table(state.stacks))
        if state.services:
            console.print(services_table(state.services))
        if state.workloads_from:
            console.print(workloads_table(state.workloads, source=state.workloads_from))
    for text in state.notes:
        note(text)
    raise typer.Exit(ExitCode.OK if state.healthy else ExitCode.FAILED)
