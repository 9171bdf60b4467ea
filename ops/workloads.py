"""Deployments and StatefulSets: how many pods are ready and wanted, and whether they are the new ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from settings.rollout import available_pods, is_rolled_out, wanted_pods

Kind = Literal["Deployment", "StatefulSet"]
KINDS: tuple[Kind, ...] = ("Deployment", "StatefulSet")


class Workload(BaseModel):
    """A Deployment or StatefulSet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    namespace: str
    name: str
    wanted: int
    ready: int
    rolled_out: bool
    """By the same measure as the gate of a release; ready pods alone may be old ones."""
    image: str = ""

    @property
    def healthy(self) -> bool:
        """Whether it is rolled out."""
        return self.rolled_out


def workload(manifest: Mapping[str, Any], kind: Kind, *, namespace: str = "default") -> Workload:
    """Return the workload that a Kubernetes object describes.

    Args:
        manifest: The object, as the API gives it.
        kind: Its kind; a list from the API leaves it out of its items.
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
        ready=available_pods(found),
        rolled_out=is_rolled_out(found),
        image=str(containers[0].get("image", "")).rpartition("/")[2],
    )
