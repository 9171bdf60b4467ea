"""How Node is started, in which CDK's libraries run; imported before them (docs/adr/0014-node-workers.md)."""

from __future__ import annotations

import os

_WORKERS = "--v8-pool-size"

if _WORKERS not in (given := os.environ.get("NODE_OPTIONS", "")):
    os.environ["NODE_OPTIONS"] = f"{given} {_WORKERS}=1".lstrip()
