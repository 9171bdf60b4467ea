"""The templates of the pipeline are as last reviewed: `make snapshot-update` accepts a change."""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.assemblies import without_hashes
from tests.pipelines import pipeline_assembly, pipeline_template, stage_template


@pytest.mark.parametrize("kind", ["shipped", "three"])
def test_template_of_the_pipeline_is_as_reviewed(kind: str, snapshot: SnapshotAssertion) -> None:
    snapshot = snapshot.use_extension(JSONSnapshotExtension)
    assert without_hashes(pipeline_template(kind)) == snapshot(name=kind)
    if kind == "three":
        (support,) = pipeline_assembly(kind).glob("cross-region-stack-*.template.json")
        assert without_hashes(json.loads(support.read_text(encoding="utf-8"))) == snapshot(name="second region")


def test_template_of_the_verification_is_as_reviewed(snapshot: SnapshotAssertion) -> None:
    snapshot = snapshot.use_extension(JSONSnapshotExtension)
    assert without_hashes(stage_template("three", "milvus-dev", "verification")) == snapshot(name="verification")
