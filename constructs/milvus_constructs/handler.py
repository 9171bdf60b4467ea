"""A function of this project behind a custom resource: its role, its log group, and CDK's framework around it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

from milvus_constructs import patience
from milvus_constructs.checks.cdk_providers import acknowledge_provider

PAUSE = cdk.Duration.seconds(15)
"""How long a handler waits before it asks an AWS service again."""


def handler_provider(
    scope: Construct,
    *,
    code: Path,
    description: str,
    timeout: cdk.Duration,
    may: Sequence[iam.PolicyStatement],
    log_group: logs.ILogGroup,
) -> cr.Provider:
    """Create ``handler.on_event`` of a folder as a function in ``scope``, and return what calls it.

    The function may do what it is told here, and write to its log group; nothing else. An error that it raises fails
    the deployment with its text.

    Args:
        scope: Where the function and its role stand; one handler for each.
        code: The folder of ``handler.py``, which is uploaded with what it asks again by.
        description: Of the function.
        timeout: Of one call; Lambda ends it after 15 minutes whatever this says.
        may: Statements of the function's role.
        log_group: Where the function and the framework write.
    """
    function = handler_function(
        scope,
        code=code,
        beside=[Path(patience.__file__)],
        description=description,
        timeout=timeout,
        may=may,
        log_group=log_group,
        environment={patience.PAUSE: str(PAUSE.to_seconds())},
    )
    provider = cr.Provider(scope, "Provider", on_event_handler=function, log_group=log_group)
    acknowledge_provider(provider, function)
    return provider


def handler_function(
    scope: Construct,
    *,
    code: Path,
    beside: Sequence[Path],
    description: str,
    timeout: cdk.Duration,
    may: Sequence[iam.PolicyStatement],
    log_group: logs.ILogGroup,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """Create ``handler.on_event`` of a folder as a function in ``scope``, with exactly the rights given.

    Args:
        scope: Where the function and its role stand; one handler for each.
        code: The folder of ``handler.py``.
        beside: Modules of this project that the handler imports; they need the standard library and boto3 only.
        description: Of the function.
        timeout: Of one call.
        may: Statements of the function's role.
        log_group: Where the function writes.
        environment: Its variables.
    """
    # Not AWSLambdaBasicExecutionRole: that managed policy may write to every log group of the account.
    role = iam.Role(scope, "FunctionRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        "Function",
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        code=code_of(code, beside),
        handler="handler.on_event",
        timeout=timeout,
        memory_size=256,
        environment=environment,
        log_group=log_group,
        role=role,
        initial_policy=may,
    )


def code_of(folder: Path, beside: Sequence[Path]) -> lambda_.Code:
    """Return the code of a function: what a folder holds, and modules beside it in their packages.

    Args:
        folder: The folder; that it is a package itself is for the tests, which import from it.
        beside: Modules of this project that the code imports.
    """
    return lambda_.Code.from_asset(_staged(folder, tuple(beside)).name)


@cache
def _staged(folder: Path, beside: tuple[Path, ...]) -> tempfile.TemporaryDirectory[str]:
    """Return a copy that lives as long as the process: the CDK takes it once, however many functions have it."""
    copy = tempfile.TemporaryDirectory()
    shutil.copytree(folder, copy.name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    Path(copy.name, "__init__.py").unlink(missing_ok=True)
    for module in beside:
        package = Path(copy.name, module.parent.name)
        package.mkdir(exist_ok=True)
        shutil.copy(module, package)
    return copy
