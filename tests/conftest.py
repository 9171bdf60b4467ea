"""Tests read frozen copies of the shipped settings files, on a fixed day.

Whoever edits environments/ keeps the suite green, and so does whoever runs it when AWS no longer supports what it uses.
"""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports settings; programs that tests start inherit it.
os.environ["MILVUS_ENVIRONMENTS"] = str(Path(__file__).parent / "fixtures" / "environments")
os.environ["MILVUS_TODAY"] = "2026-11-23"

from coverage import Coverage

import _node  # noqa: F401 - before aws_cdk, as in app.py
from tests.assemblies import begin_run

begin_run()


def pytest_sessionfinish() -> None:
    """Save what coverage has seen: a worker of xdist may be ended before it does so by itself."""
    if counting := Coverage.current():
        counting.save()
