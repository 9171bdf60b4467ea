"""When a Deployment or StatefulSet counts as rolled out: one answer for whoever asks.

The gate of a release asks, and `ops status`. A Lambda function carries this file alone
(`milvus_constructs.cluster.kubernetes_tasks`), so it imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def wanted_pods(workload: Mapping[str, Any]) -> int:
    """Return how many pods a workload wants; Kubernetes' own default, where a manifest does not say, is 1."""
    replicas = workload.get("spec", {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def available_pods(workload: Mapping[str, Any]) -> int:
    """Return how many pods of a workload serve."""
    key = "readyReplicas" if workload["kind"] == "StatefulSet" else "availableReplicas"
    return int(workload.get("status", {}).get(key) or 0)


def is_rolled_out(workload: Mapping[str, Any]) -> bool:
    """Tell whether a workload, as the Kubernetes API gives it, is where its manifest says.

    Follows ``kubectl rollout status``: the controller has seen the newest generation, and every pod is a new one and
    available. Ready pods alone are not enough: those of a roll that is stuck are the old ones.
    """
    wanted, status = wanted_pods(workload), workload.get("status", {})
    return bool(
        (status.get("observedGeneration") or 0) >= workload["metadata"].get("generation", 0)
        and (status.get("updatedReplicas") or 0) >= wanted
        and (status.get("replicas") or 0) <= wanted
        and available_pods(workload) >= wanted
    )
