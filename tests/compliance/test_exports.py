"""What stacks export is the same by hand and in a pipeline: an export that goes while it is in use fails its stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from settings import load_environment
from tests.assemblies import EVERY_FIXTURE, assembly, folder_of_this_run
from tests.pipelines import PIPELINE_ACCOUNT, file_with, synthesize


@functools.cache
def in_a_pipeline() -> Path:
    """Return the assembly of a pipeline that deploys every fixture, and verifies each."""
    accounts = {name: load_environment(name).account or PIPELINE_ACCOUNT for name in EVERY_FIXTURE}
    waves = [
        {"name": name, "environments": [{"environment": name, "account": account}]}
        for name, account in accounts.items()
    ]
    data = file_with(("account", PIPELINE_ACCOUNT), ("waves", waves), kind="shipped")
    return folder_of_this_run("pipeline-of-every-fixture", lambda folder: synthesize(data, folder))


def exports(folder: Path, environment: str) -> dict[str, set[str]]:
    """Return the names of the exports of each stack of an environment."""
    found: dict[str, set[str]] = {}
    for manifest in folder.rglob("manifest.json"):
        for key, artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].items():
            name = artifact.get("properties", {}).get("stackName", key)
            if artifact["type"] == "aws:cloudformation:stack" and name.rpartition("-")[0] == environment:
                template = json.loads((manifest.parent / artifact["properties"]["templateFile"]).read_text("utf-8"))
                outputs = template.get("Outputs", {}).values()
                found[name] = {output["Export"]["Name"] for output in outputs if "Export" in output}
    return found


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_pipeline_and_hand_deployment_export_the_same(name: str) -> None:
    # GIVEN an environment that a pipeline deploys and verifies, and the same one deployed by hand
    environment = load_environment(name).name
    by_pipeline = exports(in_a_pipeline(), environment)
    assert by_pipeline.pop(f"{environment}-verification") == set()
    # THEN neither takes from a stack what a stack of the other one uses
    by_hand = exports(assembly(name), environment)
    assert by_hand[f"{environment}-eks"]
    assert by_pipeline == by_hand


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_cluster_exports_the_same_whoever_uses_it(name: str) -> None:
    # GIVEN logs on Kafka, which the cluster's pods have to reach, and on S3
    environment = load_environment(name).name
    found = exports(assembly(name), environment)[f"{environment}-eks"]
    # THEN no setting takes an export from the Eks stack that the deployed Milvus stack still uses
    assert {each.partition(":")[2] for each in found} == {
        each.partition(":")[2] for each in exports(assembly("dev"), "milvus-dev")["milvus-dev-eks"]
    }
