"""What `ops size --write` says a file costs is what `ops cost` says, and its estimate is not far from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from _paths import ROOT


def _ops(folder: Path, *options: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "ops", *options, "--json"],
        cwd=ROOT,
        env={**os.environ, "MILVUS_ENVIRONMENTS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_written_file_costs_what_cost_says_and_the_estimate_is_near(tmp_path: Path) -> None:
    # WHEN
    file = tmp_path / "sized.yaml"
    sized = _ops(tmp_path, "size", "--vectors", "1M", "--dim", "1024", "--copies", "2", "--write", str(file))
    (bill,) = _ops(tmp_path, "cost", "--env", "sized")["bills"]
    # THEN to the cent
    assert sized["cost_usd_month"] == bill["total"]
    # AND of what is billed by the hour, the estimate lacks keys, secrets, alarms and snapshots alone: a fiftieth
    assert sized["estimate_usd_month"] == pytest.approx(bill["fixed"], rel=0.02)
