"""Environment files that differ from the given one in a few settings: what a user edits before the next deployment."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from settings import Environment
from settings.loader import ENVIRONMENTS, parse_environment


def changed(env_name: str, changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the environment's file with ``{"milvus.version": ...}`` changed."""
    given = yaml.safe_load((ENVIRONMENTS / f"{env_name}.yaml").read_text(encoding="utf-8"))
    content: dict[str, Any] = copy.deepcopy(given)
    for path, value in changes.items():
        *parents, last = path.split(".")
        level = content
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value
    return content


class Variant:
    """A changed environment: its settings, and what the CDK command line needs to synthesize it into ``assembly``.

    Raises:
        SettingsError: The changes make no valid environment.
    """

    def __init__(self, env_name: str, changes: Mapping[str, object], folder: Path) -> None:
        content = changed(env_name, changes)
        self.settings: Environment = parse_environment(content, source=f"environments/{env_name}.yaml")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{env_name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        self.assembly = folder / "cdk.out"
        # As whoever keeps the files elsewhere; environments/ itself is left alone.
        self.environment = {"MILVUS_ENVIRONMENTS": str(folder.resolve())}
