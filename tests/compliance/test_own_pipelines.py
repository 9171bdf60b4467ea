"""A pipeline of environments/ that is not as shipped: whatever it deploys, it synthesizes with every check."""

from __future__ import annotations

from pathlib import Path

import pytest

from _paths import ROOT
from settings import loader
from tests.assemblies import own_files
from tools.context import CONTEXT

FOLDER = ROOT / "environments"
# Also a pipeline as shipped deploys something else, as soon as an environment is another.
OWN = [path.stem for path in sorted(FOLDER.glob("pipeline*.yaml"))] if own_files("*.yaml") else []
AS_SHIPPED = pytest.param(
    "", marks=pytest.mark.skip(reason="environments/ is as shipped, and so are the frozen copies")
)


@pytest.mark.parametrize("name", OWN or [AS_SHIPPED])
def test_pipeline_synthesizes_with_every_check(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import aws_cdk as cdk

    from app import build

    monkeypatch.setattr(loader, "ENVIRONMENTS", FOLDER)
    # WHEN it is built as `cdk synth -c pipeline=NAME` does THEN nothing raises, and each environment has its assembly
    app = cdk.App(context={**CONTEXT, "pipeline": name}, outdir=str(tmp_path))
    build(app)
    app.synth()
    assert list(tmp_path.glob("assembly-*/manifest.json"))
