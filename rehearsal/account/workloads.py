"""The deployments that a recorded Milvus release would have, as Kubernetes objects for `python -m ops status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Values = dict[str, Any]

# Component of the chart's values -> suffix of its deployment (templates of the chart milvus 4.x and 5.x).
_DEPLOYMENTS = {
    "standalone": "standalone",
    "rootCoordinator": "rootcoord",
    "queryCoordinator": "querycoord",
    "dataCoordinator": "datacoord",
    "indexCoordinator": "indexcoord",
    "mixCoordinator": "mixcoord",
    "proxy": "proxy",
    "queryNode": "querynode",
    "dataNode": "datanode",
    "indexNode": "indexnode",
    "streamingNode": "streamingnode",
    "attu": "attu",
}


def deployments(release: Values) -> list[Values]:
    """Return the Deployments of a release of the chart ``milvus``: what its values switch on, with wanted replicas."""
    values, name = release["values"], release["name"]
    prefix = name if "milvus" in name else f"{name}-milvus"
    cluster = (values.get("cluster") or {}).get("enabled", True)
    found = []
    for component, suffix in _DEPLOYMENTS.items():
        part = values.get(component)
        if not isinstance(part, dict) or not _on(component, part, cluster=bool(cluster)):
            continue
        found.append(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": f"{prefix}-{suffix}", "namespace": release["namespace"]},
                "spec": {
                    "replicas": int(part.get("replicas", 1)),
                    "template": {"spec": {"containers": [_image(values, component)]}},
                },
            }
        )
    return found


def _on(component: str, part: Values, *, cluster: bool) -> bool:
    if component in {"standalone", "attu"}:
        return part.get("enabled", component == "standalone") is True and (component == "attu" or not cluster)
    return cluster and part.get("enabled", True) is True


def _image(values: Values, component: str) -> Values:
    image = (
        (values.get("attu") or {}).get("image") or {}
        if component == "attu"
        else (values.get("image") or {}).get("all") or {}
    )
    return {
        "name": component,
        "image": f"{image.get('repository', 'milvusdb/milvus')}:{image.get('tag', 'chart-default')}",
    }


def write(folder: Path, release: Values) -> None:
    """Keep the release's deployments as one file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    body = {"apiVersion": "v1", "kind": "List", "items": deployments(release)}
    _file(folder, release).write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def erase(folder: Path, release: Values) -> None:
    """Remove what :func:`write` kept."""
    _file(folder, release).unlink(missing_ok=True)


def _file(folder: Path, release: Values) -> Path:
    return folder / f"{release['namespace']}-{release['name']}.json"
