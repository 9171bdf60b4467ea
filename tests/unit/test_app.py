from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from _paths import ROOT
from settings import SettingsError, available
from settings.parts import Part
from tools.context import CONTEXT


def load_app() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "app.py"), run_name="app")


def build(folder: Path, **context: str) -> cdk.App:
    """Build the app as the CDK CLI makes app.py do it with `-c name=value`."""
    app = cdk.App(context={**CONTEXT, **context}, outdir=str(folder))
    load_app()["build"](app)
    return app


def stacks_of(app: cdk.App) -> set[str]:
    return {stack.stack_name for stack in app.node.children if isinstance(stack, cdk.Stack)}


def test_default_environment_is_dev(tmp_path: Path) -> None:
    # WHEN built without any context THEN it is all of dev
    assert stacks_of(build(tmp_path)) == {f"milvus-dev-{part}" for part in Part}


def test_context_chooses_the_environment(tmp_path: Path) -> None:
    # WHEN another one is chosen THEN it is that; there is no Streaming stack, for its queue is Woodpecker
    app = build(tmp_path, env="existing-vpc")
    assert stacks_of(app) == {f"milvus-byo-{part}" for part in Part if part != Part.STREAMING}


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"env": ""}, "-c env: empty; name one of dev, "),
        ({"environment": "prod"}, "-c environment: "),
        ({"env": "prod", "pipeline": "pipeline"}, "-c pipeline: given together with -c env, which it would ignore"),
    ],
)
def test_context_that_selects_nothing_builds_nothing(tmp_path: Path, context: dict[str, str], message: str) -> None:
    # WHEN the environment comes from an empty variable, or by another key THEN the default does not stand in for it
    with pytest.raises(SettingsError, match=re.escape(message)):
        build(tmp_path, **context)


def test_findings_of_cdk_nag_fail_the_synthesis(tmp_path: Path) -> None:
    # GIVEN the app with a resource that breaks a rule
    app = build(tmp_path, env="existing-vpc")
    sns.Topic(cdk.Stack(app, "careless"), "Topic")
    # WHEN synthesized THEN it raises and names the rule
    with pytest.raises(RuntimeError, match="AwsSolutions-SNS3"):
        app.synth()


def test_unknown_environment_is_one_clear_message(tmp_path: Path) -> None:
    # WHEN the name is misspelt
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps({**CONTEXT, "env": "prd"}),
        "CDK_OUTDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    # THEN the message names it, the nearest and what there is, without a traceback
    assert done.returncode == 1
    assert "no environment prd; did you mean prod?" in done.stderr
    assert all(name in done.stderr for name in available())
    assert "Traceback" not in done.stderr


def test_warnings_of_the_settings_are_annotations(tmp_path: Path) -> None:
    # GIVEN the guide's environment, which accepts advisories WHEN built
    app = build(tmp_path, env="guide")
    # THEN each warning stands on the app, with an id of its own
    entries = [str(entry.data) for entry in app.node.metadata if entry.type == "aws:cdk:warning"]
    assert sum("CVE-" in entry for entry in entries) == 2
    ids = [entry.rpartition("ack: ")[2].rstrip("]") for entry in entries]
    assert ids == [f"settings:milvus-guide:{number}" for number in range(1, len(ids) + 1)]


@pytest.mark.parametrize(
    ("given", "node"),
    [
        ("", "--v8-pool-size=1"),
        ("--max-old-space-size=8192", "--max-old-space-size=8192 --v8-pool-size=1"),
        ("--v8-pool-size=4", "--v8-pool-size=4"),
    ],
)
def test_node_starts_with_one_worker_unless_the_user_says_otherwise(tmp_path: Path, given: str, node: str) -> None:
    # GIVEN a library in place of aws_cdk, which says how Node would be started
    (tmp_path / "aws_cdk.py").write_text("import os, sys\nsys.exit('Node: ' + os.environ['NODE_OPTIONS'])\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NODE_OPTIONS": given}
    # WHEN the app is started
    found = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    # THEN that is decided by then
    assert found.stderr == f"Node: {node}\n"
