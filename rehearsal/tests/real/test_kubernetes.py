"""The real control plane schedules, evicts and binds as a cluster does; simulators add what AWS's controllers would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.run import Run
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.csi_simulator import CsiSimulator
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.lb_simulator import SERVICE_FINALIZER, LoadBalancerSimulator
from rehearsal.servers.nodes import Node, Taint
from settings.instances import INSTANCE_TYPES

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
NAMESPACE = "default"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(root=tmp_path_factory.mktemp("rehearsal")) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(run: Run) -> Iterator[ControlPlane]:
    with ControlPlane(run=run, issuer="https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE") as started:
        started.add_nodes([_node(zone) for zone in "abc"])
        with CsiSimulator(run=run, api=started.api), LoadBalancerSimulator(run=run, api=started.api):
            yield started


def test_reports_its_pinned_version_and_every_node_ready(cluster: ControlPlane) -> None:
    # WHEN
    version = cluster.api.request("GET", "version")

    # THEN Helm charts compare this version, so it must not be v0.0.0
    assert version["gitVersion"] == "v1.36.3"
    assert [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in cluster.api.objects("Node")] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1c",
    ]


def test_every_node_has_what_eks_leaves_for_pods_from_its_first_moment(cluster: ControlPlane) -> None:
    many = [replace(_node("a"), name=f"another-{number}") for number in range(40)]
    cluster.add_nodes(many)
    found = {node["status"]["allocatable"]["memory"] for node in cluster.api.objects("Node")}
    for node in many:
        cluster.api.delete("Node", node.name)
    # THEN none has the terabyte that kwok gives a node without a size
    assert found == {many[0].allocatable["memory"]}


def test_deployment_becomes_available_on_what_eks_leaves_for_pods(cluster: ControlPlane) -> None:
    # GIVEN one pod that fits a node's allocatable memory and one that only fits its capacity
    cluster.api.apply(_deployment("fits", memory="28Gi", replicas=3))
    cluster.api.apply(_deployment("too-large", memory="32Gi"))

    # WHEN
    cluster.wait_for(lambda: _available(cluster.api, "fits") == 3, seconds=20, what="available")

    # THEN
    (pod,) = cluster.api.objects("Pod", namespace=NAMESPACE, labels="app=too-large")
    assert pod["status"]["phase"] == "Pending"
    assert "Insufficient memory" in pod["status"]["conditions"][0]["message"]
    cluster.api.delete("Deployment", "fits", namespace=NAMESPACE)
    cluster.api.delete("Deployment", "too-large", namespace=NAMESPACE)


def test_eviction_is_refused_when_a_disruption_budget_forbids_it(cluster: ControlPlane) -> None:
    # GIVEN two replicas of which both must stay
    cluster.api.apply(_deployment("guarded", replicas=2))
    cluster.api.apply(_budget("guarded", minimum=2))
    cluster.wait_for(lambda: _available(cluster.api, "guarded") == 2, seconds=20, what="available")
    cluster.wait_for(lambda: _healthy(cluster.api, "guarded") == 2, seconds=20, what="counted")
    pod = cluster.api.objects("Pod", namespace=NAMESPACE, labels="app=guarded")[0]["metadata"]["name"]

    # WHEN THEN
    with pytest.raises(ApiError, match="disruption budget") as refused:
        cluster.api.evict(pod, namespace=NAMESPACE)
    assert refused.value.status == 429

    # WHEN one may go
    cluster.api.apply(_budget("guarded", minimum=1))
    cluster.wait_for(lambda: _allowed(cluster.api, "guarded") == 1, seconds=20, what="allowing one")

    # THEN
    cluster.api.evict(pod, namespace=NAMESPACE)


def test_pod_whose_image_cannot_be_pulled_never_becomes_ready(cluster: ControlPlane) -> None:
    # WHEN
    cluster.api.apply(_deployment("broken", image="milvusdb/milvus:v9-never-ready"))
    cluster.wait_for(lambda: _waiting_reason(cluster.api, "broken") == "ImagePullBackOff", seconds=20, what="failing")

    # THEN
    assert _available(cluster.api, "broken") == 0


def test_claim_gets_its_volume_in_the_zone_of_the_chosen_node(cluster: ControlPlane) -> None:
    # GIVEN a claim whose pod may only run in zone b
    cluster.api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "ebs-sc"},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "parameters": {"type": "gp3"},
        }
    )
    cluster.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": NAMESPACE},
            "spec": {
                "storageClassName": "ebs-sc",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "20Gi"}},
            },
        }
    )
    assert cluster.api.objects("PersistentVolume") == []

    # WHEN
    cluster.api.apply(_deployment("storing", claim="data", zone="us-east-1b"))
    cluster.wait_for(lambda: _phase(cluster.api, "data") == "Bound", seconds=20, what="bound")

    # THEN
    (volume,) = cluster.api.objects("PersistentVolume")
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["us-east-1b"]
    cluster.wait_for(lambda: _available(cluster.api, "storing") == 1, seconds=20, what="available")


def test_service_gets_an_address_and_loses_its_finalizer_on_delete(cluster: ControlPlane) -> None:
    # GIVEN
    cluster.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "milvus", "namespace": NAMESPACE},
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "service.k8s.aws/nlb",
                "selector": {"app": "proxy"},
                "ports": [{"port": 19530}],
            },
        }
    )

    # WHEN
    cluster.wait_for(lambda: bool(_addresses(cluster.api, "milvus")), seconds=20, what="addressed")

    # THEN
    service = cluster.api.get("Service", "milvus", namespace=NAMESPACE)
    assert service is not None
    assert SERVICE_FINALIZER in service["metadata"]["finalizers"]
    assert _addresses(cluster.api, "milvus")[0]["hostname"].endswith(".elb.us-east-1.amazonaws.com")

    # WHEN
    cluster.api.delete("Service", "milvus", namespace=NAMESPACE)

    # THEN
    cluster.wait_for(
        lambda: cluster.api.get("Service", "milvus", namespace=NAMESPACE) is None, seconds=20, what="without it"
    )


def test_nothing_is_left_running_when_a_part_fails_to_start(tmp_path: Path) -> None:
    # GIVEN a webhook configuration that the API server cannot read
    with Run(root=tmp_path) as run:
        broken = ControlPlane(run=run, token_webhook=tmp_path / "missing")

        # WHEN
        with pytest.raises(RuntimeError, match="kube-apiserver ended with exit code 1"), broken:
            pytest.fail("it must not start")

        # THEN
        assert not broken.apiserver.running
        assert not broken.ready()


def _node(zone: str) -> Node:
    return Node(
        name=f"node-{zone}",
        zone=f"us-east-1{zone}",
        instance=INSTANCE_TYPES["m6i.2xlarge"],
        labels={"role": "milvus"},
        taints=(),
    )


def test_taint_keeps_other_pods_away(cluster: ControlPlane) -> None:
    # GIVEN
    tainted = Node(
        name="node-etcd",
        zone="us-east-1a",
        instance=INSTANCE_TYPES["m6i.large"],
        labels={"role": "etcd"},
        taints=(Taint(key="role", value="etcd"),),
    )
    cluster.add_nodes([tainted])

    # WHEN
    cluster.api.apply(_deployment("misplaced", selector={"role": "etcd"}))
    cluster.wait_for(lambda: "untolerated taint" in _pending_message(cluster.api, "misplaced"), seconds=20, what="told")

    # THEN
    assert _available(cluster.api, "misplaced") == 0


def _deployment(
    name: str,
    *,
    image: str = "example:1",
    replicas: int = 1,
    memory: str = "64Mi",
    claim: str | None = None,
    zone: str | None = None,
    selector: dict[str, str] | None = None,
) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "containers": [{"name": "main", "image": image, "resources": {"requests": {"memory": memory}}}],
        "nodeSelector": {**(selector or {}), **({"topology.kubernetes.io/zone": zone} if zone else {})},
    }
    if claim:
        pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def _budget(name: str, *, minimum: int) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"minAvailable": minimum, "selector": {"matchLabels": {"app": name}}},
    }


def _status(api: Api, kind: str, name: str) -> dict[str, Any]:
    item = api.get(kind, name, namespace=NAMESPACE) or {}
    status: dict[str, Any] = item.get("status", {})
    return status


def _available(api: Api, name: str) -> int:
    return int(_status(api, "Deployment", name).get("availableReplicas", 0))


def _healthy(api: Api, name: str) -> int:
    return int(_status(api, "PodDisruptionBudget", name).get("currentHealthy", 0))


def _allowed(api: Api, name: str) -> int:
    return int(_status(api, "PodDisruptionBudget", name).get("disruptionsAllowed", 0))


def _phase(api: Api, claim: str) -> str:
    return str(_status(api, "PersistentVolumeClaim", claim).get("phase"))


def _addresses(api: Api, service: str) -> list[dict[str, str]]:
    return list(_status(api, "Service", service).get("loadBalancer", {}).get("ingress", []))


def _waiting_reason(api: Api, name: str) -> str:
    pods = api.objects("Pod", namespace=NAMESPACE, labels=f"app={name}")
    states = [s["state"] for pod in pods for s in pod["status"].get("containerStatuses", [])]
    return str(states[0].get("waiting", {}).get("reason")) if states else ""


def _pending_message(api: Api, name: str) -> str:
    pods = api.objects("Pod", namespace=NAMESPACE, labels=f"app={name}")
    return " ".join(c.get("message", "") for pod in pods for c in pod["status"].get("conditions", []))
