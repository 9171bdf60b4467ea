"""`python -m ops endpoints`: where is it, and how do I get in?"""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.options import EnvFileOption, EnvOption, RegionOption
from ops.console import out, print_json, working


def endpoints(
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the endpoints as JSON.")] = False,
) -> None:
    """Show the load balancer, Attu, the kubeconfig command and the ARNs of the secrets (never a secret)."""
    from ops.endpoints import read_endpoints  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.tables import endpoints_table  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    with working(f"Reading the stacks of {settings.name} in {settings.region}"):
        found = read_endpoints(settings)
    if as_json:
        print_json({endpoint.key: endpoint.value for endpoint in found})
        return
    out().print(endpoints_table(found))
