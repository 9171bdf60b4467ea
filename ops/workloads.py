"""Deployments and StatefulSets: how many pods are ready and wanted, and whether they are the new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from ops.errors import one_line, usage_error
from settings.rollout import available_pods, is_rolled_out, wanted_pods

Kind = Literal["Deployment", "StatefulSet"]
KINDS: tuple[Kind, ...] = ("Deployment", "StatefulSet")


class Workload(BaseModel):
    """A Deployment or StatefulSet. ``ready`` is None where nothing runs it: it is only recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    namespace: str
    name: str
    wanted: int
    ready: int | None
    rolled_out: bool
    """By the same measure as the gate of a release; ready pods alone may be old ones."""
    image: str = ""

    @property
    def healthy(self) -> bool:
        """Whether it is rolled out, as far as anyone can tell."""
        return self.ready is None or self.rolled_out


def workload(
    manifest: Mapping[str, Any], kind: Kind, *, recorded: bool = False, namespace: str = "default"
) -> Workload:
    """Return the workload that a Kubernetes object describes.

    Args:
        manifest: The object, from the API or from a file.
        kind: Its kind; a list from the API leaves it out of its items.
        recorded: Whether it was only recorded, so that its status says nothing.
        namespace: Where the object does not name one.
    """
    found = {**manifest, "kind": kind}
    metadata, spec = found["metadata"], found.get("spec") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return Workload(
        kind=kind,
        namespace=metadata.get("namespace") or namespace,
        name=metadata["name"],
        wanted=wanted_pods(found),
        ready=None if recorded else available_pods(found),
        rolled_out=not recorded and is_rolled_out(found),
        image=str(containers[0].get("image", "")).rpartition("/")[2],
    )


def recorded_workloads(folder: Path, *, namespace: str) -> tuple[Workload, ...]:
    """Return the workloads in the manifests (YAML or JSON) of a folder and its subfolders.

    Raises:
        OpsError: The folder has no manifest, or one cannot be read.
    """
    files = sorted(path for ending in ("yaml", "yml", "json") for path in folder.rglob(f"*.{ending}"))
    if not files:
        raise usage_error(
            setting="--records",
            value=str(folder),
            allowed="a folder with Kubernetes manifests (.yaml, .json)",
            remedy="Give the folder in which the release was recorded",
        )
    found = [item for path in files for item in _objects(path)]
    return tuple(
        workload(item, kind, recorded=True, namespace=namespace)
        for kind in KINDS
        for item in found
        if item.get("kind") == kind
    )


def _objects(path: Path) -> Iterable[dict[str, Any]]:
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise usage_error(
            setting="--records",
            value=f"{path} ({one_line(str(error))})",
            allowed="readable YAML or JSON",
            remedy="Record the release again",
        ) from error
    for document in documents:
        entries = document if isinstance(document, list) else [document]
        for entry in entries:
            if isinstance(entry, dict) and entry.get("kind") == "List":
                yield from (item for item in entry.get("items") or [] if isinstance(item, dict))
            elif isinstance(entry, dict):
                yield entry
