"""The workloads that a recorded Milvus release would have, as Kubernetes objects."""

from __future__ import annotations

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


def of_milvus(release: Values) -> list[Values]:
    """Return the workloads of a release of the chart ``milvus`` that its values switch on.

    Each has the wanted replicas, and the status that Kubernetes writes when all of them are rolled out.
    """
    values, name = release["values"], release["name"]
    prefix = name if "milvus" in name else f"{name}-milvus"
    cluster = (values.get("cluster") or {}).get("enabled", True)
    found = []
    for component, suffix in _DEPLOYMENTS.items():
        part = values.get(component)
        if isinstance(part, dict) and _on(component, part, cluster=bool(cluster)):
            replicas, image = int(part.get("replicas", 1)), _image(values, component)
            found.append(_workload("Deployment", release, f"{prefix}-{suffix}", replicas=replicas, container=image))
    etcd = values.get("etcd") or {}
    if etcd.get("enabled", True):
        image = etcd.get("image") or {}
        container = {"name": "etcd", "image": f"{image.get('repository', 'etcd')}:{image.get('tag', 'chart-default')}"}
        members = int(etcd.get("replicaCount", 3))
        found.append(_workload("StatefulSet", release, f"{name}-etcd", replicas=members, container=container))
    return found


def _workload(kind: str, release: Values, name: str, *, replicas: int, container: Values) -> Values:
    labels = {"app.kubernetes.io/instance": release["name"]}
    counted = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": release["namespace"], "labels": labels, "generation": 1},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 1, **dict.fromkeys(counted, replicas)},
    }


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
