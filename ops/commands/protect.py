"""`python -m ops protect`: each stack gets the termination protection that the settings ask for."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.options import AccountOption, EnvFileOption, EnvOption, RegionOption, RoleOption
from ops.console import out, print_json, working


def protect(  # noqa: PLR0917 - the options of a command
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    account: AccountOption = None,
    role: RoleOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the stacks that were changed as JSON.")] = False,
) -> None:
    """Protect stacks against deletion, or no longer, as `termination_protection` says: what the **pipeline** does.

    CodePipeline makes stacks without it, where `cdk deploy` switches it on and off. A protection that is as it should
    be is left alone, and so is that of Milvus's stack, which nobody asks for.
    """
    from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.environments import environment  # noqa: PLC0415 - the same
    from ops.protection import protect as protect_stacks  # noqa: PLC0415 - the same

    settings = environment(env, file=env_file, region=region)
    session = aws.session(role=role, account=account, region=settings.region)
    client = aws.client("cloudformation", region=settings.region, session=session)
    with working(f"Reading the stacks of {settings.name} in {settings.region}"):
        changed = protect_stacks(settings, client=client)
    if as_json:
        print_json({stack.name: stack.protected for stack in changed})
        return
    for stack in changed:
        out().print(f"{stack.name}: {'protected' if stack.protected else 'no longer protected'} against deletion")
    if not changed:
        out().print("nothing to do: each stack is protected, or not, as the file says")
