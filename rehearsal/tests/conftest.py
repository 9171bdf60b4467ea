"""Tests read frozen copies of the shipped settings files, on a fixed day, as those of the application do."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports settings; programs that tests start inherit it.
os.environ["MILVUS_ENVIRONMENTS"] = str(Path(__file__).parents[2] / "tests" / "fixtures" / "environments")
os.environ["MILVUS_TODAY"] = "2026-11-23"
