"""Tests read frozen copies of the shipped settings files, on a fixed day, as those of the application do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before anything imports settings; programs that tests start inherit it.
os.environ["MILVUS_ENVIRONMENTS"] = str(Path(__file__).parents[2] / "tests" / "fixtures" / "environments")
os.environ["MILVUS_TODAY"] = "2026-11-23"

from tests.assemblies import begin_run

begin_run()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what did not run: nothing else deploys a pipeline."""
    config = terminalreporter.config
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and "not printed" in config.option.markexpr:
        text = "The pipeline was not deployed into the emulated account, and no printed command typed: make test-docs"
        terminalreporter.write_line(text, bold=True)
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if any("make setup" in reason for reason in skipped):
        text = "The pipeline was NOT deployed into the emulated account: run `make setup`, and the tests again"
        terminalreporter.write_line(text, red=True, bold=True)
