"""Environment files that differ from the given one in a few settings: upgrades and mistakes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rehearsal.servers.stages import NEVER_READY
from settings import Environment
from settings.loader import ENVIRONMENTS, parse_environment

# A Milvus image that the simulated nodes cannot pull.
BROKEN_IMAGE = f"milvusdb/{NEVER_READY}"
_IMPATIENT_MINUTES = 1


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


def next_patch(version: str) -> str:
    """``2.6.3`` of ``2.6.2``."""
    head, _, patch = version.rpartition(".")
    return f"{head}.{int(patch) + 1}"


def upgrade(env: Environment) -> dict[str, object]:
    """Another image tag, and one proxy more where there are proxies."""
    changes: dict[str, object] = {"milvus.version": next_patch(env.milvus_version)}
    if "proxy" in env.components:
        changes["milvus.components.proxy.replicas"] = env.components["proxy"].replicas + 1
    return changes


def broken() -> dict[str, object]:
    """Return an image that never becomes ready, and one minute to find out."""
    return {"milvus.image_repository": BROKEN_IMAGE, "milvus.ready_minutes": _IMPATIENT_MINUTES}


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
