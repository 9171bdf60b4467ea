"""Tests read frozen copies of the shipped settings files, on a fixed day, as those of the application do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before anything imports settings; programs that tests start inherit it.
os.environ["MILVUS_ENVIRONMENTS"] = str(Path(__file__).parents[2] / "tests" / "fixtures" / "environments")
os.environ["MILVUS_TODAY"] = "2026-11-23"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what a skipped test would have shown: nothing else deploys a pipeline."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if any("make setup" in reason for reason in skipped):
        text = "The pipeline was NOT deployed into the emulated account: run `make setup`, and the tests again"
        terminalreporter.write_line(text, red=True, bold=True)
