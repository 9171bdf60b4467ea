"""What cdk.json gives the app, for those who build it without the CDK command line."""

from __future__ import annotations

import json
from typing import Any

from _paths import ROOT

CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
