"""Puts configurations over one another, as Milvus's pods do with the files of the chart's ConfigMap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Put the layers over one another: mappings key by key; anything else (lists too) is replaced by the later one."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            known = result.get(key)
            if isinstance(known, Mapping) and isinstance(value, Mapping):
                result[key] = merged(known, value)
            else:
                result[key] = merged(value) if isinstance(value, Mapping) else value
    return result
