"""`python -m ops doctor`: would this account take the environment?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ops.commands.options import AWS, EnvFileOption, EnvOption, RegionOption
from ops.console import out, print_json, working
from ops.errors import ExitCode


def doctor(
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    qualifier: Annotated[
        str, typer.Option(metavar="NAME", help="Qualifier of the account's bootstrap.", rich_help_panel=AWS)
    ] = "hnb659fds",
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look, **before anything is created**, whether the account and region would take an environment.

    Credentials, bootstrap, quotas, zones, instance types, MSK and EKS versions, add-ons, an existing VPC, names that
    are taken, and builds of a pipeline. Changes nothing. Each finding says what, why and what to do; what AWS does not
    answer is **not checked**, never ok. Exits with 1 when something blocks a deployment.
    """
    from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.doctor.run import examine  # noqa: PLC0415 - the same
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.tables import findings_table  # noqa: PLC0415 - the same
    from settings.selection import DEFAULT_ENVIRONMENT  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    with working(f"Looking whether {settings.region} takes {settings.name}"):
        report = examine(
            settings,
            file=None if env_file else env or DEFAULT_ENVIRONMENT,
            qualifier=qualifier,
            clients=lambda service: aws.client(service, region=settings.region),
        )
    if as_json:
        print_json({**report.model_dump(), "blocks": report.blocks})
    else:
        out().print(findings_table(report))
        out().print(Text(report.summary, style="bold red" if report.blocks else "green"), soft_wrap=True)
    raise typer.Exit(ExitCode.FAILED if report.blocks else ExitCode.OK)
