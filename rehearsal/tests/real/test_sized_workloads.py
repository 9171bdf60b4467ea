"""The real scheduler starts every pod of files that `ops size` wrote, on nodes as large as running ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from charts.context import ReleaseContext
from charts.values import helm_values
from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels
from rehearsal.run import Run
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.nodes import Node, Taint
from settings import Environment, load_environment_file
from settings.contract import NODE_GROUP_LABEL
from settings.disks import disk_of
from settings.instances import INSTANCE_TYPES
from settings.room import ADDONS, DAEMONS, Pod

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "default"

WORKLOADS = {
    "a million in two copies": ("--vectors", "1M", "--dim", "1024", "--copies", "2"),
    "nothing to survive": ("--vectors", "1M", "--dim", "1024", "--survive", "none"),
    # 42 nodes
    "a billion": ("--vectors", "1B", "--dim", "768"),
}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ControlPlane]:
    with (
        Run(root=tmp_path) as run,
        ControlPlane(run=run, issuer="https://oidc.eks.us-east-2.amazonaws.com/id/EXAMPLE") as started,
    ):
        yield started


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_pod_of_a_sized_file_starts(cluster: ControlPlane, tmp_path: Path, name: str) -> None:
    # GIVEN
    file = tmp_path / "sized.yaml"
    subprocess.run([sys.executable, "-m", "ops", "size", *WORKLOADS[name], "--write", file], cwd=ROOT, check=True)
    env = load_environment_file(file)
    cluster.add_nodes(list(_nodes(env)), seconds=120)

    # WHEN
    objects = [_daemons(), *_addons(), *_components(env)]
    for each in objects:
        cluster.api.apply(each)

    # THEN
    wanted = {each["metadata"]["name"]: each["spec"]["replicas"] for each in objects if each["kind"] == "Deployment"}

    def available() -> dict[str, int]:
        found = cluster.api.objects("Deployment", namespace=NAMESPACE)
        return {each["metadata"]["name"]: each["status"].get("availableReplicas", 0) for each in found}

    cluster.wait_for(lambda: available() == wanted, seconds=180, what="with every pod available")


def _nodes(env: Environment) -> Iterator[Node]:
    for name, group in env.cluster.node_groups.items():
        kind = INSTANCE_TYPES[group.instance_types[0]]
        for number in range(group.desired_size):
            yield Node(
                name=f"{name}-{number}",
                zone=f"{env.region}{env.network.zones[number % 3]}",
                instance=kind,
                disk_gib=disk_of(group, kind),
                labels={NODE_GROUP_LABEL: name, **group.labels},
                taints=[Taint(key=taint.key, value=taint.value) for taint in group.taints],
            )


def _components(env: Environment) -> Iterator[dict[str, Any]]:
    values = helm_values(env, ReleaseContext.placeholders(env))
    for name in env.components:
        of_chart = values[CHART_COMPONENTS[name].key]
        yield _deployment(name, of_chart["replicas"], component_labels(env, name), of_chart)
    yield _deployment("etcd", values["etcd"]["replicaCount"], etcd_labels(env), values["etcd"])


def _deployment(name: str, replicas: int, labels: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "main", "image": "example:1", "resources": values["resources"]}
    pod: dict[str, Any] = {"containers": [container]}
    for key in ("nodeSelector", "tolerations", "topologySpreadConstraints"):
        if key in values:
            pod[key] = values[key]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name.replace("_", "-"), "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _addons() -> Iterator[dict[str, Any]]:
    for number, pod in enumerate(dict.fromkeys(ADDONS)):
        name = f"add-on-{number}"
        yield _deployment(name, ADDONS.count(pod), {"app": name}, {"resources": _requests(pod)})


def _daemons() -> dict[str, Any]:
    pod = {
        "containers": [{"name": "main", "image": "example:1", "resources": _requests(DAEMONS)}],
        "tolerations": [{"operator": "Exists"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "daemons", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "daemons"}},
            "template": {"metadata": {"labels": {"app": "daemons"}}, "spec": pod},
        },
    }


def _requests(pod: Pod) -> dict[str, dict[str, str]]:
    return {"requests": {"cpu": f"{pod.cpu * 1000:.0f}m", "memory": f"{pod.memory_gib * 1024:.0f}Mi"}}
