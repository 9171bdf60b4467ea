"""The examples in docstrings are code that runs."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
from typing import Any

import pytest

from _paths import ROOT
from tests.assemblies import environment
from tools.context import CONTEXT

_PARSER = doctest.DocTestParser()


def examples() -> list[Any]:
    """Return each class with an example: the module and the source."""
    found = []
    for folder, root in (("charts", ROOT), ("milvus_constructs", ROOT / "constructs")):
        for path in sorted((root / folder).rglob("*.py")):
            # Read and not imported, so that collection does not pay for aws_cdk.
            classes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)]
            docs = [ast.get_docstring(node) or "" for node in classes]
            code = [example.source for text in docs for example in _PARSER.get_examples(text)]
            if code:
                module = ".".join(path.relative_to(root).with_suffix("").parts)
                found.append(pytest.param(module, code, id=module))
    return found


@functools.cache
def surroundings() -> dict[str, Any]:
    """Return what the examples take for given: an app, and the parts of an environment in it."""
    import aws_cdk as cdk
    import cdk8s
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs

    from charts.context import ReleaseContext
    from charts.milvus import MilvusChart
    from milvus_constructs.cluster.attached_chart import AttachedChart
    from milvus_constructs.encryption_key import EncryptionKey
    from milvus_constructs.kafka.user import KafkaUser
    from stacks.build import build_environment

    app = cdk.App(context=CONTEXT)
    env = environment("dev")
    stacks = build_environment(app, env)
    assert stacks.streaming
    shared = cdk.Stack(app, "Shared", env=cdk.Environment(region=env.region))
    chart = MilvusChart(cdk8s.App(), "milvus", env=env, context=ReleaseContext.placeholders(env))
    key = EncryptionKey(shared, "Key", description="Examples", removal="destroy")
    return {
        "app": app,
        "cdk8s": cdk8s,
        "env": env,
        "queue": env.queue,
        "vpc": stacks.network.vpc,
        "private": stacks.network.private_subnets,
        "streaming": stacks.streaming,
        "cluster": stacks.eks.cluster,
        "identities": stacks.eks.service_accounts,
        "key": key,
        "secret": KafkaUser(shared, "User", name=env.name, username="milvus", key=key, removal="destroy"),
        "role": iam.Role(shared, "Role", assumed_by=iam.ServicePrincipal("pods.eks.amazonaws.com")),
        "arn": "arn:aws:kafka:us-east-2:111122223333:cluster/milvus-dev/11111111-2222-3333-4444-555555555555-6",
        "log_group": logs.LogGroup(shared, "Logs"),
        "addons": shared,
        "chart": chart,
        "attached": AttachedChart(shared, "Attached", chart=chart, cluster=stacks.eks.cluster, retain_data=False),
    }


@pytest.mark.parametrize(("module", "code"), examples())
def test_example_runs(module: str, code: list[str]) -> None:
    import aws_cdk as cdk

    # GIVEN a stack of its own
    given = surroundings()
    stack = cdk.Stack(given["app"], module.replace(".", "-").replace("_", "-"), env=cdk.Environment(region="us-east-2"))
    names = {**vars(importlib.import_module(module)), **given, "self": stack, "stack": stack}

    # WHEN / THEN
    exec("".join(code), names)  # noqa: S102 - the project's own docstrings
