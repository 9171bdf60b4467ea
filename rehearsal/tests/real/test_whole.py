"""The whole of `make rehearse-full`: one run, and what its report must hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.full.data_path import START
from rehearsal.full.sequence import BOOTSTRAP, SYNTH
from rehearsal.run import PROJECT

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-full"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "rehearsal.full", "--env", "guide"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (line,) = [line for line in done.stdout.splitlines() if "/report.json after" in line]
    print(done.stdout)  # noqa: T201 - shown by pytest when a test fails
    loaded: dict[str, Any] = json.loads(Path(line.split()[0]).read_text(encoding="utf-8"))
    assert (done.returncode == 1) == (loaded["result"] == "failed")
    return loaded


def test_no_step_fails(report: dict[str, Any]) -> None:
    failed = {step["name"]: step["detail"] for step in report["steps"] if step["result"] == "failed"}
    assert failed == {}


def test_what_needs_no_chart_is_never_left_out(report: dict[str, Any]) -> None:
    passed = {step["name"] for step in report["steps"] if step["result"] == "passed"}
    assert {SYNTH, BOOTSTRAP, START} <= passed
    assert len([name for name in passed if name.startswith(("Milvus:", "fault:", "durability:"))]) >= 9


def test_what_is_left_out_says_why(report: dict[str, Any]) -> None:
    left_out = [step for step in report["steps"] if step["result"] == "left out"]
    assert report["result"] == ("incomplete" if left_out else "passed")
    assert all(step["detail"] for step in left_out)
