"""The schemas of CloudFormation's resource types, as cfn-lint ships them."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

# The schemas are the same everywhere but for what a region lacks; this one has every type.
_REGION = "us-east-1"


@cache
def schema(resource_type: str) -> dict[str, Any] | None:
    """Return the schema of a type; None where there is none."""
    index = json.loads((_folder() / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    if resource_type not in index:
        return None
    found: dict[str, Any] = json.loads(
        (_folder() / "resources" / f"{index[resource_type]}.json").read_text(encoding="utf-8")
    )
    return found


@cache
def _folder() -> Path:
    # Only located: importing cfn-lint costs more than a second.
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint is not installed: run `make setup`")
    return Path(spec.origin).parent / "data" / "schemas"
