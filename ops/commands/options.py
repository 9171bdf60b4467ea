"""The options by which commands say which environment they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

AWS = "In AWS"

EnvOption: TypeAlias = Annotated[
    str | None, typer.Option(help="Name of the environment: a file in environments/.", show_default="dev")
]
EnvFileOption: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The environment's file, wherever it is.")
]
AccountOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Account of --role, if not that of the credentials.", rich_help_panel=AWS),
]
RoleOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Role to assume; ACCOUNT in its name stands for the account.", rich_help_panel=AWS
    ),
]
RegionOption: TypeAlias = Annotated[
    str | None, typer.Option(help="Where it is deployed, if not in the region of its file.")
]
