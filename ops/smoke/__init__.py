"""hello_milvus as a health check: writes, searches and deletes, and checks every answer."""

from __future__ import annotations

from ops.smoke.report import SmokeFailure, SmokeReport, StepResult
from ops.smoke.run import Listener, run_smoke
from ops.smoke.steps import Hello

__all__ = [
    "Hello",
    "Listener",
    "SmokeFailure",
    "SmokeReport",
    "StepResult",
    "run_smoke",
]
