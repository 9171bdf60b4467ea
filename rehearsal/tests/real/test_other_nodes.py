"""Another kind of node, in the three deployments that `ops plan` lists: real scheduling, budgets and evictions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cdk8s
import pytest

from charts.context import ReleaseContext
from charts.disruption import disruption_budgets
from charts.values import helm_values
from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels
from rehearsal.run import Run
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.csi_simulator import CsiSimulator
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.nodes import Node
from settings import Environment, parse_environment
from settings.contract import NODE_GROUP_LABEL
from settings.disks import disk_of
from settings.instances import INSTANCE_TYPES

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
_OLD = {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3}
_NEW = {"instance_types": ["m7i.2xlarge"], "desired_size": 3, "max_size": 3}
_REPLICAS = {"query_node": {"replicas": 3}, "data_node": {"replicas": 2}}


def _env(groups: Mapping[str, Any], bound: str) -> Environment:
    return parse_environment(
        {
            "name": "milvus-test",
            "region": "us-east-2",
            "cluster": {"node_groups": groups},
            "queue": {"kind": "msk"},
            "milvus": {"node_group": bound, "components": _REPLICAS},
        },
        source="file",
    )


BEFORE = _env({"old": _OLD}, "old")
BESIDE = _env({"old": _OLD, "new": _NEW}, "old")
MOVED = _env({"old": _OLD, "new": _NEW}, "new")
AFTER = _env({"new": _NEW}, "new")
NAMESPACE = BEFORE.milvus.namespace
NAMESPACES = (NAMESPACE, "kube-system")


class Availability:
    """The fewest pods of each budget that were ready at any moment."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.away: dict[str, int] = {}
        self.looks = 0
        self._over = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        self.away, self.looks = {}, 0
        self._over.clear()
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        wanted = _replicas(self._api)
        while not self._over.is_set():
            pods = [pod for namespace in NAMESPACES for pod in self._api.objects("Pod", namespace=namespace)]
            for name, (labels, number) in wanted.items():
                ready = sum(_ready(pod) for pod in pods if labels.items() <= pod["metadata"]["labels"].items())
                self.away[name] = max(self.away.get(name, 0), number - ready)
            self.looks += 1


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ControlPlane]:
    with (
        Run(root=tmp_path) as run,
        ControlPlane(run=run, issuer="https://oidc.eks.us-east-2.amazonaws.com/id/EXAMPLE") as started,
        CsiSimulator(run=run, api=started.api),
    ):
        started.add_nodes(list(_nodes(BEFORE, "old")))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        for each in (_storage_class(), namespace, *_coredns()):
            started.api.apply(each)
        _release(started, BEFORE)
        yield started


def test_pods_move_to_other_nodes_one_by_one_and_none_is_lost_when_the_old_ones_go(cluster: ControlPlane) -> None:
    # GIVEN a release on the nodes of the old group
    assert _groups(cluster.api) == {"old"}
    seen = Availability(cluster.api)
    # WHEN the new group comes beside it, and the release is deployed again
    before = {pod["metadata"]["uid"] for pod in cluster.api.objects("Pod", namespace=NAMESPACE)}
    cluster.add_nodes(list(_nodes(BESIDE, "new")))
    _release(cluster, BESIDE)
    # THEN no pod has moved
    assert {pod["metadata"]["uid"] for pod in cluster.api.objects("Pod", namespace=NAMESPACE)} == before
    # WHEN the release names the new group
    with seen.watched():
        _release(cluster, MOVED)
    # THEN all pods are there, and never was more of a component away than its budget allows
    assert _groups(cluster.api) == {"new"}
    assert seen.looks > 5
    assert {name: away for name, away in seen.away.items() if away > 1} == {}
    # WHEN the old group goes: EKS takes all its nodes out of service, and evicts what is on them
    old = [node.name for node in _nodes(BESIDE, "old")]
    assert _nodes_of(cluster.api, "kube-system") & set(old)
    with seen.watched():
        for each in _nodes(BESIDE, "old", "new"):
            _takes_pods(cluster.api, each.name, on=False)
        # As long as the first pod has not started again, which here takes no time.
        refused = [_refused(cluster.api, pod) for pod in cluster.api.objects("Pod", namespace="kube-system")]
        for each in _nodes(AFTER, "new"):
            _takes_pods(cluster.api, each.name, on=True)
        _empty(cluster, old)
        _release(cluster, AFTER)
    for node in old:
        cluster.api.delete("Node", node)
    # THEN a budget held back the second pod of CoreDNS until the first was there again; nothing of Milvus was touched
    assert sorted(refused) == [False, True]
    assert {name: away for name, away in seen.away.items() if away} == {"coredns": 1}
    assert not _nodes_of(cluster.api, "kube-system") & set(old)


def _release(cluster: ControlPlane, env: Environment) -> None:
    """Apply the workloads of a release with its budgets, and wait until all run as they are wanted."""
    chart = cdk8s.Chart(cdk8s.App(), "budgets")
    objects = [*_workloads(env), *(each.to_json() for each in disruption_budgets(chart, env))]
    for each in objects:
        cluster.api.apply(each)
    cluster.wait_for(lambda: all(_done(each) for each in _deployed(cluster.api)), seconds=300, what="rolled out")
    cluster.wait_for(lambda: _counted(cluster.api), seconds=60, what="counted by the budgets")


def _deployed(api: Api) -> list[dict[str, Any]]:
    kinds = ("Deployment", "StatefulSet")
    return [each for kind in kinds for namespace in NAMESPACES for each in api.objects(kind, namespace=namespace)]


def _done(workload: dict[str, Any]) -> bool:
    wanted, status = workload["spec"]["replicas"], workload.get("status", {})
    numbers = (status.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "replicas"))
    current = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    return current and set(numbers) == {wanted}


def _counted(api: Api) -> bool:
    budgets = [each for name in NAMESPACES for each in api.objects("PodDisruptionBudget", namespace=name)]
    return all(each.get("status", {}).get("disruptionsAllowed") == 1 for each in budgets)


def _empty(cluster: ControlPlane, nodes: list[str]) -> None:
    """Evict the pods of all these nodes, as often as a budget refuses."""

    def emptied() -> bool:
        pods = [pod for pod in cluster.api.objects("Pod") if pod["spec"].get("nodeName") in nodes]
        return not [_refused(cluster.api, pod) for pod in pods]

    cluster.wait_for(emptied, seconds=60, what=f"without pods on {', '.join(nodes)}")


def _refused(api: Api, pod: dict[str, Any]) -> bool:
    """Evict a pod; return whether its budget refused it."""
    try:
        api.evict(pod["metadata"]["name"], namespace=pod["metadata"]["namespace"])
    except ApiError as refused:
        if refused.status not in {404, 429}:
            raise
        return refused.status == 429
    return False


def _takes_pods(api: Api, node: str, *, on: bool) -> None:
    api.patch("Node", node, {"spec": {"unschedulable": not on}})


def _replicas(api: Api) -> dict[str, tuple[dict[str, str], int]]:
    return {
        each["metadata"]["name"]: (each["spec"]["selector"]["matchLabels"], each["spec"]["replicas"])
        for each in _deployed(api)
    }


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    leaving = "deletionTimestamp" in pod["metadata"]
    return not leaving and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _groups(api: Api) -> set[str]:
    nodes = {each["metadata"]["name"]: each["metadata"]["labels"][NODE_GROUP_LABEL] for each in api.objects("Node")}
    return {nodes[name] for name in _nodes_of(api, NAMESPACE)}


def _nodes_of(api: Api, namespace: str) -> set[str]:
    return {pod["spec"]["nodeName"] for pod in api.objects("Pod", namespace=namespace) if "nodeName" in pod["spec"]}


def _nodes(env: Environment, *names: str) -> Iterator[Node]:
    for name, number in ((name, number) for name in names for number in range(3)):
        group = env.cluster.node_groups[name]
        kind = INSTANCE_TYPES[group.instance_types[0]]
        yield Node(
            name=f"{name}-{number}",
            zone=f"{env.region}{env.network.zones[number % 3]}",
            instance=kind,
            disk_gib=disk_of(group, kind),
            labels={NODE_GROUP_LABEL: name},
        )


def _workloads(env: Environment) -> Iterator[dict[str, Any]]:
    values = helm_values(env, ReleaseContext.placeholders(env))
    for name in env.components:
        of_chart = values[CHART_COMPONENTS[name].key]
        spec: dict[str, Any] = {"strategy": of_chart.get("strategy", {})}
        spec["replicas"] = of_chart["replicas"]
        yield _workload("Deployment", name, component_labels(env, name), of_chart, spec)
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "storageClassName": "ebs-sc",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "20Gi"}},
        },
    }
    # As the chart of etcd has it.
    spec = {"serviceName": "etcd", "podManagementPolicy": "Parallel", "volumeClaimTemplates": [claim]}
    spec["replicas"] = values["etcd"]["replicaCount"]
    yield _workload("StatefulSet", "etcd", etcd_labels(env), values["etcd"], spec)


def _coredns() -> Iterator[dict[str, Any]]:
    """As the add-on has it: on any node, with a budget of its own."""
    labels = {"k8s-app": "kube-dns"}
    requests = {"requests": {"cpu": "100m", "memory": "70Mi"}}
    yield _workload("Deployment", "coredns", labels, {"resources": requests}, {"replicas": 2}, namespace="kube-system")
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
    }


def _workload(
    kind: str,
    name: str,
    labels: dict[str, str],
    values: dict[str, Any],
    spec: dict[str, Any],
    *,
    namespace: str = NAMESPACE,
) -> dict[str, Any]:
    pod: dict[str, Any] = {"containers": [{"name": "main", "image": "example:1", "resources": values["resources"]}]}
    for key in ("nodeSelector", "tolerations", "topologySpreadConstraints", "affinity"):
        if values.get(key):
            pod[key] = values[key]
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name.replace("_", "-"), "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    }


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "ebs-sc"},
        "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "WaitForFirstConsumer",
        "parameters": {"type": "gp3"},
    }
