"""Which properties recreate a resource when they change: by the schemas of CloudFormation that cfn-lint ships."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

# The schemas are the same everywhere but for what a region lacks; this one has every type.
_REGION = "us-east-1"


@cache
def _folder() -> Path:
    # Only located: importing cfn-lint costs more than a second.
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint is not installed: run `make setup`")
    return Path(spec.origin).parent / "data" / "schemas"


@cache
def create_only(resource_type: str) -> frozenset[tuple[str, ...]]:
    """Return the paths of the properties whose change makes CloudFormation create another resource.

    Raises:
        LookupError: There is no schema of the type.
    """
    index = json.loads((_folder() / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    if resource_type not in index:
        raise LookupError(f"cfn-lint has no schema of {resource_type}")
    schema = json.loads((_folder() / "resources" / f"{index[resource_type]}.json").read_text(encoding="utf-8"))
    pointers = schema.get("createOnlyProperties", [])
    return frozenset(tuple(pointer.removeprefix("/properties/").split("/")) for pointer in pointers)


def recreates(resource_type: str, path: tuple[str, ...]) -> bool:
    """Whether a change at a path of its properties makes CloudFormation create another resource."""
    return any(only[: len(path)] == path or path[: len(only)] == only for only in create_only(resource_type))
