"""Whoever edits the shipped files as README.md and docs/delivery.md say keeps the pipeline's first step green."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from _paths import ROOT
from tests.source_copies import copy_of_source, needs_tools

pytestmark = needs_tools

# What looks at files of a user, and what looks at names and files of environments most; the rest needs minutes.
NEAR = (
    "tests/compliance/test_own_pipelines.py",
    "tests/snapshot/test_manifests.py",
    "tests/unit/test_pipeline_settings.py",
    "tests/unit/test_settings_loader.py",
    "tests/unit/test_settings_schema.py",
    "tests/unit/test_settings_selection.py",
)


def edited(tree: Path) -> Path:
    """Return a copy of the sources with what the pages tell a user to do in environments/."""
    folder = copy_of_source(tree) / "environments"
    # README.md, Deploy, 1: a copy of dev with a name and an administrator
    administrator = "\n  admin_role_arns: [arn:aws:iam::222222222222:role/platform]"
    copy(folder / "dev.yaml", folder / "mine.yaml", ("name: milvus-dev", "name: milvus-mine"))
    replace(folder / "mine.yaml", ("cluster:", f"cluster:{administrator}"))
    # the same for prod, which exists
    replace(folder / "prod.yaml", ("cluster:", f"cluster:{administrator}"))
    # docs/delivery.md, Set up, 1 and 2: what is deployed, and the own repository by the own connection
    replace(
        folder / "pipeline.yaml",
        ("- environment: dev", "- environment: mine"),
        ("us-east-2:111111111111:connection/0000", "us-east-2:222222222222:connection/abcd"),
        ("your-organization/milvus-on-eks", "ours/vectors"),
    )
    return tree


def copy(source: Path, target: Path, *changes: tuple[str, str]) -> None:
    target.write_bytes(source.read_bytes())
    replace(target, *changes)


def replace(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, (path.name, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def run(command: list[str], tree: Path) -> subprocess.CompletedProcess[str]:
    others = ("PYTEST_", "MAKE", "MILVUS_ENVIRONMENTS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    path = [str(ROOT / ".venv/bin"), str(ROOT / "node_modules/.bin"), os.environ["PATH"]]
    return subprocess.run(
        command,
        cwd=tree,
        env=kept | {"PATH": ":".join(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.whole
def test_edited_files_are_judged_and_change_no_other_test(tmp_path: Path) -> None:
    done = run(["pytest", "-q", "-rA", "-p", "no:cacheprovider", *NEAR], edited(tmp_path / "source"))
    assert done.returncode == 0, done.stdout
    # THEN the files of the user were looked at
    for judged in (
        "test_pipeline_synthesizes_with_every_check[pipeline]",
        "[environments/mine]",
        "[environments/prod]",
    ):
        assert judged in done.stdout


@pytest.mark.whole
def test_first_step_of_the_pipeline_is_green_for_edited_files(tmp_path: Path) -> None:
    done = run(["make", "check", "test", "synth", "ENV=mine"], edited(tmp_path / "source"))
    assert done.returncode == 0, done.stdout
