"""A small valid environment file for tests, and a way to change it."""

from __future__ import annotations

import copy
from typing import Any

_VALID: dict[str, Any] = {
    "name": "milvus-test",
    "region": "us-east-2",
    "cluster": {
        "version": "1.36",
        "node_groups": {"milvus": {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3}},
    },
    "queue": {"kind": "msk"},
}


def file_with(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the valid file with settings changed, each given as a dotted path and its value."""
    data = copy.deepcopy(_VALID)
    for path, value in changes:
        *parents, leaf = path.split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return data
