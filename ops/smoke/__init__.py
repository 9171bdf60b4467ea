"""hello_milvus as a health check: writes, searches and deletes, and checks every answer."""

from __future__ import annotations

from ops.smoke.report import SmokeFailure, SmokeReport, StepResult
from ops.smoke.run import Listener, run_smoke
from ops.smoke.secret import token_from_secret
from ops.smoke.steps import Hello
from ops.smoke.target import Target, parse_target

__all__ = [
    "Hello",
    "Listener",
    "SmokeFailure",
    "SmokeReport",
    "StepResult",
    "Target",
    "parse_target",
    "run_smoke",
    "token_from_secret",
]
