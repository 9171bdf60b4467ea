"""hello_milvus against a real Milvus Lite: the same code and checks as against a deployed Milvus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymilvus
import pytest

from ops.milvus import parse_target
from ops.smoke import Hello, StepResult, run_smoke

ROOT = Path(__file__).parents[3]


def collections_in(path: Path) -> list[str]:
    client = pymilvus.MilvusClient(str(path))
    try:
        return list(client.list_collections())
    finally:
        client.close()


def test_every_step_passes_with_the_guide_s_3000_entities() -> None:
    report = run_smoke()

    assert report.failure is None
    assert report.ok
    assert report.rows == 3000
    assert report.index_type == "IVF_FLAT"
    assert report.server_version
    assert len(report.steps) == 12


def test_collection_is_dropped_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a file of Milvus Lite, and a run that fails after its collection was filled
    database = tmp_path / "kept.db"
    existed: list[list[str]] = []

    def wrong(_self: Any) -> list[str]:
        existed.append(collections_in(database))
        raise RuntimeError("stop here")

    monkeypatch.setattr(Hello, "load", wrong)

    report = run_smoke(target=parse_target(uri=str(database)), rows=200)

    # THEN the collection was there, and is not any more
    assert report.failure is not None
    assert report.failure.step == "load"
    assert report.failure.reason == "stop here"
    assert existed == [[report.collection]]
    assert collections_in(database) == []


def test_collection_is_dropped_after_an_interruption(tmp_path: Path) -> None:
    database = tmp_path / "kept.db"

    def interrupt(title: str, _result: StepResult | None) -> None:
        if title == "start loading":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_smoke(target=parse_target(uri=str(database)), rows=200, listener=interrupt)

    assert collections_in(database) == []


def test_command_prints_nothing_but_its_report(tmp_path: Path) -> None:
    # GIVEN the command as a user starts it: libraries may write to its standard error
    done = subprocess.run(
        [sys.executable, "-m", "ops", "smoke", "--json", "--rows", "3000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
    )

    # THEN there is the report, no chatter, and no file left
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert done.stderr == ""
    assert not list(tmp_path.glob("milvus-smoke-*"))
