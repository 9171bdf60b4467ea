"""What the full rehearsal changes in an environment: an upgrade, and a mistake."""

from __future__ import annotations

from rehearsal.servers.stages import NEVER_READY
from settings import Environment

# A Milvus image that the simulated nodes cannot pull.
BROKEN_IMAGE = f"milvusdb/{NEVER_READY}"
_IMPATIENT_MINUTES = 1


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
