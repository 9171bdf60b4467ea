"""The options by which commands say which Milvus they mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ops.errors import usage_error

CONNECTION = "Connection"
LOGIN = "Login (one of them)"
_TLS = "TLS"

EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Take address and secret from the stacks of this environment.", rich_help_panel=CONNECTION),
]
EnvFileOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="The same, by the environment's file, wherever it is.", rich_help_panel=CONNECTION
    ),
]
RegionOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="With an environment: its region, if not that of its file.", rich_help_panel=CONNECTION),
]
TlsOption: TypeAlias = Annotated[
    bool | None,
    typer.Option("--tls/--no-tls", help="Default: as the address says.", rich_help_panel=_TLS, show_default=False),
]
CaOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Authority of the server's certificate, if not a public one.", rich_help_panel=_TLS
    ),
]
ServerNameOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Name in the certificate, if not the host's.", rich_help_panel=_TLS),
]


def chosen_address(
    *, env: str | None, env_file: Path | None, uri: str | None, region: str | None
) -> tuple[str | None, str | None]:
    """Return the address, and the secret of an environment's root user.

    Raises:
        OpsError: The options contradict one another, or the environment has no Milvus yet.
    """
    if env is None and env_file is None:
        if region is not None:
            raise usage_error(
                setting="--region", value=region, allowed="with --env or --env-file", remedy="Add one, or drop it"
            )
        return uri, None
    if uri is not None:
        raise usage_error(
            setting="--env" if env_file is None else "--env-file",
            value=f"{env or env_file} and --uri",
            allowed="one of them",
            remedy="Drop one",
        )
    from ops.environments import environment  # noqa: PLC0415 - settings and boto3 cost time that --help must not
    from ops.milvus.address import address_and_secret  # noqa: PLC0415 - the same

    return address_and_secret(environment(env, file=env_file, region=region))


def value_of_variable(setting: str, variable: str, *, holds: str) -> str:
    """Return what an environment variable holds that an option names.

    Raises:
        OpsError: It is not set or empty.
    """
    value = os.environ.get(variable)
    if not value:
        raise usage_error(
            setting=setting,
            value=f"{variable}, which is not set",
            allowed=f"the name of a variable that holds {holds}",
            remedy=f"Set {variable}, or drop the option",
        )
    return value
