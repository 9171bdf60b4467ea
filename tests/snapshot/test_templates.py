"""The templates of every environment are as last reviewed: `make snapshot-update` accepts a change."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.assemblies import EVERY_FIXTURE, SHIPPED, templates, without_hashes


@pytest.mark.parametrize("name", sorted({*SHIPPED, *EVERY_FIXTURE}))
def test_templates_are_as_reviewed(name: str, snapshot: SnapshotAssertion) -> None:
    snapshot = snapshot.use_extension(JSONSnapshotExtension)
    for stack, template in templates(name).items():
        assert without_hashes(template) == snapshot(name=stack)
