"""Milvus's configuration file: the server's own, with the rendered chart's merged over it, as the pods do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rehearsal.servers.process import ServerError

Configuration = Mapping[str, Any]
_PLACEHOLDER = re.compile(r"{{\s*(?P<name>\w+)(\(\w+\))?\s*(:\s*(?P<default>[^}]*?))?\s*}}")


def server_defaults(path: Path) -> dict[str, Any]:
    """Return a server's own milvus.yaml; each ``{{ name(type): default }}`` of a wheel's becomes its default."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ServerError(
            f"{path} cannot be read: a server given by MILVUS_BIN needs its milvus.yaml in ../configs, as in its image"
        ) from error
    return _parse(_PLACEHOLDER.sub(lambda match: match["default"] or "''", text), str(path))


def chart_layers(config_map: Configuration) -> list[dict[str, Any]]:
    """Return the files of the chart's ConfigMap as its pods merge them: default.yaml, then user.yaml."""
    data = config_map["data"]
    return [
        _parse(data[name], f"{name} of the chart's ConfigMap") for name in ("default.yaml", "user.yaml") if name in data
    ]


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` as ``{"a": {"b": 1}}``."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        level = result
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value
    return result


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ServerError(f"{source} is not valid YAML: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ServerError(f"{source} must be a mapping, got {type(loaded).__name__}")
    return loaded
