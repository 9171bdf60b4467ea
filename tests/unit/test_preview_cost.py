"""`tools/preview/preview.sh cost`: what a pull request costs, from the two branches' own assemblies."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from _paths import ROOT
from tests.unit.cost_assemblies import RESOURCES, write_assembly


def one_node_more() -> dict[str, Any]:
    resources = copy.deepcopy(RESOURCES)
    resources["Nodes"]["Properties"]["ScalingConfig"]["DesiredSize"] = 4
    return resources


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script, whose `cdk` copies what lies in `made` beside where it is called."""
    folder = tmp_path / "checkout"
    tools, binaries, base = folder / "tools" / "preview", folder / ".venv" / "bin", folder / "dist" / "preview" / "base"
    for each in (tools, binaries, base):
        each.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "preview" / "preview.sh", tools)
    (binaries / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    (binaries / "cdk").write_text('#!/bin/sh\ncp -r made "$6"\n', encoding="utf-8")
    for program in binaries.iterdir():
        program.chmod(0o755)
    write_assembly(base / "made", RESOURCES)
    return folder


def preview(checkout: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    done = subprocess.run(
        ["bash", checkout / "tools" / "preview" / "preview.sh", "cost"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    cost = checkout / "dist" / "preview" / "cost.md"
    return done, cost.read_text(encoding="utf-8") if cost.is_file() else ""


def test_cost_of_a_change_stands_where_the_comment_looks_for_it(checkout: Path) -> None:
    # GIVEN a pull request with a node more than its target branch
    write_assembly(checkout / "dist" / "preview" / "assembly", one_node_more())

    # WHEN the job looks at it
    done, cost = preview(checkout)

    # THEN the change and the new total are there
    assert done.returncode == 0, done.stderr
    assert "| mine | +125.53 | 1,157.00 | 47.95 |" in cost.splitlines()


def test_nothing_is_shown_where_nothing_changes(checkout: Path) -> None:
    write_assembly(checkout / "dist" / "preview" / "assembly", RESOURCES)

    done, cost = preview(checkout)

    assert (done.returncode, cost) == (0, "")


def test_target_branch_is_priced_by_its_own_table(checkout: Path) -> None:
    # GIVEN the same templates, and a target branch in which NAT gateways were half as dear
    write_assembly(checkout / "dist" / "preview" / "assembly", RESOURCES)
    own = checkout / "dist" / "preview" / "base" / "ops"
    shutil.copytree(ROOT / "ops", own, ignore=shutil.ignore_patterns("__pycache__"))
    table = own / "cost" / "prices.json"
    before = table.read_text(encoding="utf-8")
    after = before.replace('"hour": ["0.045", "C", "infracost"', '"hour": ["0.0225", "C", "infracost"')
    assert before != after
    table.write_text(after, encoding="utf-8")

    done, cost = preview(checkout)

    assert done.returncode == 0, done.stderr
    assert "| 1 at 0.0225: 16.43 | 1 at 0.045: 32.85 | +16.42 |" in cost


def test_target_branch_without_the_command_is_priced_by_ours(checkout: Path) -> None:
    write_assembly(checkout / "dist" / "preview" / "assembly", one_node_more())
    older = checkout / "dist" / "preview" / "base" / "ops"
    older.mkdir()
    (older / "__init__.py").touch()
    (older / "__main__.py").write_text("raise SystemExit(2)\n", encoding="utf-8")

    done, cost = preview(checkout)

    assert done.returncode == 0, done.stderr
    assert "its templates at the prices of this one" in done.stderr
    assert "| mine | +125.53 | 1,157.00 | 47.95 |" in cost


def test_target_branch_that_cannot_be_synthesized_fails_nothing(checkout: Path) -> None:
    write_assembly(checkout / "dist" / "preview" / "assembly", RESOURCES)
    shutil.rmtree(checkout / "dist" / "preview" / "base" / "made")

    done, cost = preview(checkout)

    assert (done.returncode, cost) == (0, "")
    assert "the target branch cannot be synthesized, so nothing is said about cost" in done.stderr


def test_own_assembly_that_is_none_fails_the_step(checkout: Path) -> None:
    done, _ = preview(checkout)

    assert done.returncode == 1


def test_both_workflows_make_the_base_of_the_target_branch_before_they_comment() -> None:
    github = yaml.safe_load((ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8"))
    steps = github["jobs"]["preview"]["steps"]
    runs = [step.get("run", "") for step in steps]
    base = next(step["with"] for step in steps if step.get("with", {}).get("path") == "dist/preview/base")
    gitlab = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))["preview"]["script"]

    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    for commands in (runs, gitlab):
        order = [
            next(index for index, each in enumerate(commands) if f"preview.sh {what}" in each)
            for what in ("synth", "cost", "comment")
        ]
        assert order == sorted(order)
