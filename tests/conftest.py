"""Tests read frozen copies of the shipped settings files: whoever edits environments/ keeps the suite green."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports settings; programs that tests start inherit it.
os.environ["MILVUS_ENVIRONMENTS"] = str(Path(__file__).parent / "fixtures" / "environments")
