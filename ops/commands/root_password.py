"""`python -m ops root-password`: root's password in Milvus follows its secret."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ops.commands.connection import (
    CONNECTION,
    CaOption,
    EnvFileOption,
    EnvOption,
    RegionOption,
    ServerNameOption,
    TlsOption,
    chosen_address,
    value_of_variable,
)
from ops.console import out, print_json, working
from ops.errors import OpsError, usage_error
from ops.milvus import Target, parse_target
from ops.program import NAME as PROGRAM
from ops.root_password import set_root_password


def root_password(  # noqa: PLR0917 - the options of a command
    env: EnvOption = None,
    env_file: EnvFileOption = None,
    region: RegionOption = None,
    uri: Annotated[
        str | None, typer.Option(help="http(s)://HOST:19530, with --secret-arn.", rich_help_panel=CONNECTION)
    ] = None,
    secret_arn: Annotated[
        str | None,
        typer.Option(
            metavar="ARN",
            help="Root's secret in AWS Secrets Manager, if not that of --env.",
            rich_help_panel=CONNECTION,
        ),
    ] = None,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", help="For each request.", rich_help_panel=CONNECTION)] = 10,
    tls: TlsOption = None,
    ca: CaOption = None,
    server_name: ServerNameOption = None,
    old_password_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Environment variable that holds the password root has, if none of the others fits.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make root's password in Milvus what its secret says: after the first deployment, and to rotate it.

    Milvus reads the secret at its very first start only, and up to 2.4.6 never: root then has a password that
    everybody knows. Tries the secret's password, the well-known one and the secret's previous version, changes it
    where needed, and logs in again to prove it. Changes nothing in AWS, prints no password, can be repeated.
    """
    address, own_secret = chosen_address(env=env, env_file=env_file, uri=uri, region=region)
    secret = secret_arn or own_secret
    target = _target(parse_target(uri=address, tls=tls, ca=ca, server_name=server_name))
    if secret is None:
        raise _no_secret(env)
    given = None
    if old_password_env is not None:
        given = value_of_variable("--old-password-env", old_password_env, holds="root's password")
    with working(f"Logging in to {target}"):
        report = set_root_password(target=target, secret=secret, given=given, timeout=timeout)
    if as_json:
        print_json(report.model_dump())
        return
    where = f"{report.target}, Milvus {report.server_version}"
    if report.changed:
        done = f"root's password is now what the secret says; it was {report.before_in_words} ({where})"
        out().print(Text.assemble(("changed ", "bold green"), done), soft_wrap=True)
    else:
        out().print(
            Text.assemble(("nothing to do ", "green"), f"root's password is what the secret says ({where})"),
            soft_wrap=True,
        )


def _target(target: Target) -> Target:
    if target.is_lite:
        raise usage_error(
            setting="--uri",
            value=target.uri or "neither --uri nor --env",
            allowed="http(s)://HOST:19530, or --env NAME",
            remedy="Say which Milvus; Milvus Lite has no users",
        )
    return target


def _no_secret(env: str | None) -> OpsError:
    if env is None:
        return usage_error(
            setting="--secret-arn",
            value="nothing",
            allowed="the ARN of root's secret",
            remedy=f"`{PROGRAM} endpoints --env NAME` shows it as RootSecretArn",
        )
    return OpsError(
        f"environment {env} has no secret of root: its Milvus demands no login",
        remedy="Set milvus.authorization: true and deploy it first",
    )
