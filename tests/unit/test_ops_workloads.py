"""What is read from a Deployment or StatefulSet, and what stands where the API leaves something out."""

from __future__ import annotations

from typing import Any

import pytest

from ops.workloads import Kind, Workload, workload

# Ready counts for StatefulSets, available for Deployments, so that one taken for the other shows.
STATUS = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 2}


@pytest.mark.parametrize(("kind", "ready", "healthy"), [("StatefulSet", 3, True), ("Deployment", 2, False)])
def test_pods_are_counted_as_the_kind_counts_them(kind: Kind, ready: int, healthy: bool) -> None:
    # GIVEN an item of a list, which does not say its kind
    containers = [{"image": "docker.io/milvusdb/etcd:3.5.25-r1"}, {"image": "docker.io/other:1"}]
    item = {
        "metadata": {"name": "milvus-etcd", "namespace": "milvus", "generation": 4},
        "spec": {"replicas": 3, "template": {"spec": {"containers": containers}}},
        "status": STATUS,
    }
    found = workload(item, kind)
    # THEN
    assert found == Workload(
        kind=kind,
        namespace="milvus",
        name="milvus-etcd",
        wanted=3,
        ready=ready,
        rolled_out=healthy,
        image="etcd:3.5.25-r1",
    )
    assert found.healthy is healthy


@pytest.mark.parametrize(
    "more", [{}, {"spec": {"template": None}}, {"spec": {"template": {"spec": {"containers": []}}}}]
)
@pytest.mark.parametrize(("options", "namespace"), [({}, "default"), ({"namespace": "kube-system"}, "kube-system")])
def test_what_a_manifest_leaves_out_is_the_default_of_kubernetes(
    more: dict[str, Any], options: dict[str, str], namespace: str
) -> None:
    assert workload({"metadata": {"name": "bare"}, **more}, "Deployment", **options) == Workload(
        kind="Deployment", namespace=namespace, name="bare", wanted=1, ready=0, rolled_out=False, image=""
    )
