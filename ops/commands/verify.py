"""`python -m ops verify`: the pipeline's proof that an environment works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ops.commands.options import AWS, AccountOption, RoleOption
from ops.console import out
from ops.errors import ExitCode

if TYPE_CHECKING:
    from ops.aws import AwsClient


def verify(  # noqa: PLR0917 - the options of a command
    project: Annotated[str, typer.Option(help="CodeBuild project in the environment's account.")],
    region: Annotated[str, typer.Option(help="Region of the environment.", rich_help_panel=AWS)],
    pipeline: Annotated[str, typer.Option(help="Name of the pipeline, for the advice after a failure.")],
    stage: Annotated[str, typer.Option(help="Name of its stage, for the same.")],
    account: AccountOption = None,
    role: RoleOption = None,
) -> None:
    """Have an environment verified in its own VPC, and wait: what the **pipeline** does after each environment.

    Starts the CodeBuild project that runs `status` and `smoke` there, shows the end of its log, and says how to roll
    back if it failed.
    """
    from ops import aws  # noqa: PLC0415 - boto3 costs half a second that --help must not
    from ops.verification import roll_back_text, run_verification  # noqa: PLC0415 - the same

    def client(service: str) -> AwsClient:
        session = aws.session(role=role, account=account, region=region)
        return aws.client(service, region=region, session=session)

    def say(line: str) -> None:
        out().print(Text(line), soft_wrap=True)

    if run_verification(client, project=project, say=say):
        return
    say(
        roll_back_text(
            project=project,
            pipeline=pipeline,
            stage=stage,
            region=os.environ.get("AWS_REGION", region),
            commit=os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION"),
        )
    )
    raise typer.Exit(ExitCode.FAILED)
