"""The real Helm upgrades the real chart beside what stands in its way: larger volumes of etcd, and a killed upgrade."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cdk8s
import pytest
import yaml

from _paths import ROOT
from charts.context import ReleaseContext
from charts.milvus import MilvusChart
from charts.storage_class import StorageClassChart
from charts.values import helm_values
from milvus_constructs.cluster.kubernetes_tasks_lambda.tasks import etcd_volumes, kubectl, pending
from rehearsal.full.charts import MILVUS, Found, Wanted, find
from rehearsal.run import Run
from rehearsal.servers.csi_simulator import CsiSimulator
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.nodes import Node
from settings import Environment, load_environment
from settings.contract import NODE_GROUP_LABEL, TASKS_GROUP
from settings.instances import INSTANCE_TYPES
from settings.rollout import is_rolled_out
from tools.chart_proof.tools import tool

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
NAMESPACE, RELEASE, ETCD = "milvus", "milvus", "milvus-etcd"
RUNNING = "another operation (install/upgrade/rollback) is in progress"
FORBIDDEN = "updates to statefulset spec for fields other than"


class Release:
    """A release of the real chart in the real control plane, upgraded as CDK's function does it."""

    def __init__(self, cluster: ControlPlane, chart: Path, folder: Path) -> None:
        self.api, self._cluster, self._chart, self._folder = cluster.api, cluster, chart, folder
        self.env = load_environment("dev")

    def with_volumes(self, gib: int, **more: float) -> Environment:
        data = self.env.model_dump(mode="json")
        data["milvus"]["etcd"] |= {"volume_gib": gib, **more}
        return Environment.model_validate(data)

    def command(self, env: Environment) -> list[str]:
        values = self._folder / "values.json"
        values.write_text(json.dumps(helm_values(env, ReleaseContext.placeholders(env))))
        return [
            *(str(tool("helm")), "upgrade", RELEASE, str(self._chart), "--install", "--values", str(values)),
            *("--namespace", NAMESPACE, "--kubeconfig", str(self._cluster.kubeconfig)),
        ]

    def upgrade(self, env: Environment) -> str:
        done = subprocess.run(self.command(env), capture_output=True, text=True, check=False, timeout=120)
        return "" if done.returncode == 0 else done.stderr

    def kill_upgrade(self, env: Environment) -> str:
        """Run an upgrade and kill it when its record says that it is under way; return the record's name."""
        running = subprocess.Popen(self.command(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (left := self.pending()):
            assert running.poll() is None, "the upgrade ended before it could be killed"
            time.sleep(0.01)
        running.kill()
        running.wait()
        assert self.pending() == left, "the upgrade ended before it was killed"
        return left[0]

    def pending(self) -> list[str]:
        labels = "owner=helm,status in (pending-install,pending-upgrade)"
        return [each["metadata"]["name"] for each in self.api.objects("Secret", namespace=NAMESPACE, labels=labels)]

    def revisions(self) -> dict[str, str]:
        found = self.api.objects("Secret", namespace=NAMESPACE, labels="owner=helm")
        return {each["metadata"]["labels"]["version"]: each["metadata"]["labels"]["status"] for each in found}

    def age(self, record: str) -> None:
        """Let a record be older than any function lives."""
        an_hour_ago = str(int(time.time()) - 3600)
        change = {"metadata": {"labels": {"createdAt": an_hour_ago}}}
        self.api.patch("Secret", record, change, namespace=NAMESPACE)

    def type(self, command: str) -> None:
        environment = {
            "PATH": str(tool("kubectl").parent),
            "KUBECONFIG": str(self._cluster.kubeconfig),
            "HOME": str(self._folder),
        }
        subprocess.run(shlex.split(command), check=True, capture_output=True, env=environment)

    def wait(self, done: Any, what: str) -> None:
        self._cluster.wait_for(done, seconds=90, what=what)

    def pods(self) -> dict[str, str]:
        found = self.api.objects("Pod", namespace=NAMESPACE, labels="app.kubernetes.io/name=etcd")
        return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}

    def rolled_out(self) -> bool:
        return is_rolled_out(self.stateful_set())

    def stateful_set(self) -> dict[str, Any]:
        found = self.api.get("StatefulSet", ETCD, namespace=NAMESPACE)
        assert found
        return found

    def sizes(self) -> dict[str, str]:
        claims = self.api.objects("PersistentVolumeClaim", namespace=NAMESPACE)
        return {each["metadata"]["name"]: each["status"]["capacity"]["storage"] for each in claims}

    def template(self) -> str:
        [claim] = self.stateful_set()["spec"]["volumeClaimTemplates"]
        return str(claim["spec"]["resources"]["requests"]["storage"])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    env = load_environment("dev")
    wanted = Wanted(name=MILVUS, version=env.release.chart, repository=env.milvus.chart_repository)
    folder = tmp_path_factory.mktemp("release")
    chart = find(wanted, scratch=folder)
    if not isinstance(chart, Found):
        pytest.skip(chart)
    with Run(root=folder) as run, ControlPlane(run=run, calls_webhooks=False) as cluster:
        cluster.add_nodes(list(_nodes(env)))
        objects = [
            *cdk8s.Testing.synth(StorageClassChart(cdk8s.Testing.app(), "storage-class", volume_key_arn=None)),
            *cdk8s.Testing.synth(
                MilvusChart(cdk8s.Testing.app(), "milvus", env=env, context=ReleaseContext.placeholders(env))
            ),
        ]
        for kind in ("StorageClass", "Namespace", "ServiceAccount", "Role", "RoleBinding"):
            for each in objects:
                if each["kind"] == kind:
                    _kubectl(cluster, each, folder)
        with CsiSimulator(run=run, api=cluster.api):
            yield Release(cluster, chart.path, folder)


@pytest.fixture(autouse=True)
def functions(release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the functions' code ask the control plane as their role does: in its group, and with no other right."""
    _kubectl(release._cluster, VIEW, tmp_path)
    _kubectl(release._cluster, VIEWER, tmp_path)
    config: dict[str, Any] = yaml.safe_load(release._cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] |= {"as": "tasks", "as-groups": [TASKS_GROUP, "system:authenticated"]}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setattr(kubectl, "_KUBECONFIG", tmp_path / "kubeconfig")
    monkeypatch.setattr(kubectl, "_PROGRAMS", str(tool("kubectl").parent))
    monkeypatch.setattr(etcd_volumes, "_MANIFEST", tmp_path / "manifest.json")


# AmazonEKSViewPolicy, as far as the functions use it.
VIEW = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "view", "namespace": NAMESPACE},
    "rules": [
        {
            "apiGroups": ["", "apps"],
            "resources": ["persistentvolumeclaims", "events", "statefulsets", "configmaps", "pods", "deployments"],
            "verbs": ["get", "list", "watch"],
        }
    ],
}
VIEWER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "view", "namespace": NAMESPACE},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "view"},
    "subjects": [{"kind": "Group", "name": TASKS_GROUP, "apiGroup": "rbac.authorization.k8s.io"}],
}


def test_an_install_and_an_upgrade_that_were_killed_are_taken_up(release: Release) -> None:
    # GIVEN an installation that is killed half-way: Helm refuses everything after it
    small = release.with_volumes(20)
    first = release.kill_upgrade(small)
    assert RUNNING in release.upgrade(small)
    # WHEN the way is prepared at once, THEN nothing is touched: the function may still be at work
    assert pending.take_up(NAMESPACE, RELEASE) == [
        f"{first} is pending-install: the function that runs Helm may still be at work"
    ]
    assert release.pending() == [first]
    # WHEN it is older than any function lives, THEN the next one installs the release
    release.age(first)
    assert pending.take_up(NAMESPACE, RELEASE) == []
    assert release.upgrade(small) == ""
    release.wait(release.rolled_out, "with etcd")
    # AND an upgrade that is killed is taken up the same way, from the revision before
    second = release.kill_upgrade(release.env)
    assert RUNNING in release.upgrade(release.env)
    release.age(second)
    assert pending.take_up(NAMESPACE, RELEASE) == []
    assert release.upgrade(small) == ""
    # AND by hand, with the command that docs/upgrade.md prints
    release.kill_upgrade(release.env)
    assert RUNNING in release.upgrade(release.env)
    release.type(_printed("kubectl -n milvus delete secrets"))
    assert release.upgrade(small) == ""
    assert set(release.revisions().values()) == {"superseded", "deployed"}
    # AND where nothing is pending, nothing is taken away
    before = release.revisions()
    assert pending.take_up(NAMESPACE, RELEASE) == []
    assert release.revisions() == before


def test_volumes_grow_under_pods_that_go_on(release: Release) -> None:
    release.wait(release.rolled_out, "with etcd")
    # GIVEN that Helm alone is refused, and the record of it in the way of nobody
    large = release.with_volumes(50)
    assert FORBIDDEN in release.upgrade(large)
    pods, before = release.pods(), release.stateful_set()
    assert set(release.sizes().values()) == {"20Gi"}
    # WHEN the way is prepared
    _until_done(50)
    # THEN every claim and the templates have the new size, and the same pods run
    assert release.sizes() == {f"data-{ETCD}-{number}": "50Gi" for number in range(3)}
    assert release.template() == "50Gi"
    assert release.pods() == pods
    after = release.stateful_set()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    # AND Helm upgrades, and restarts nobody
    assert release.upgrade(large) == ""
    release.wait(release.rolled_out, "with etcd")
    assert release.pods() == pods
    # AND what it changes later is still its own to change
    assert release.upgrade(release.with_volumes(50, cpu=0.75)) == ""
    release.wait(lambda: release.rolled_out() and not release.pods().items() & pods.items(), "with new members")
    # AND again: nothing is made again
    made = release.stateful_set()["metadata"]["uid"]
    _until_done(50)
    assert release.stateful_set()["metadata"]["uid"] == made


def test_a_rollback_changes_the_templates_and_no_volume(release: Release) -> None:
    # GIVEN volumes that have grown, and a stack that is rolled back
    _until_done(50)
    assert release.upgrade(release.with_volumes(50)) == ""
    release.wait(release.rolled_out, "with etcd")
    pods, sizes = release.pods(), release.sizes()
    # WHEN
    _until_done(20)
    # THEN Helm goes back, pods and volumes stay
    assert release.upgrade(release.with_volumes(20)) == ""
    release.wait(release.rolled_out, "with etcd")
    assert (release.pods(), release.sizes(), release.template()) == (pods, sizes, "20Gi")


def test_a_function_that_is_killed_between_leaves_a_copy(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a function that ends when the StatefulSet is gone
    _until_done(50)
    pods = release.pods()
    applies = etcd_volumes._apply

    def ends() -> None:
        raise kubectl.KubectlError("killed")

    monkeypatch.setattr(etcd_volumes, "_apply", ends)
    with pytest.raises(kubectl.KubectlError, match="killed"):
        _until_done(60)
    assert release.api.get("StatefulSet", ETCD, namespace=NAMESPACE) is None
    # WHEN the rollback, or the next deployment, comes
    monkeypatch.setattr(etcd_volumes, "_apply", applies)
    _until_done(50)
    # THEN it is there again, around the same pods, and Helm goes on
    assert release.pods() == pods
    assert release.template() == "50Gi"
    assert release.upgrade(release.with_volumes(50)) == ""
    assert not [
        each for each in release.api.objects("ConfigMap", namespace=NAMESPACE) if "again" in each["metadata"]["name"]
    ]


@pytest.mark.usefixtures("release")
def test_the_functions_may_not_do_what_they_need_not() -> None:
    for verb, what in (
        ("create", "secrets"),
        ("update", "secrets"),
        ("delete", "persistentvolumeclaims"),
        ("patch", "persistentvolumeclaims/data-other-0"),
        ("delete", "statefulsets/other"),
        ("delete", "pods"),
        ("create", "pods/exec"),
        ("delete", "configmaps/other"),
    ):
        with pytest.raises(kubectl.KubectlError):
            kubectl.kubectl("auth", "can-i", verb, what, "--namespace", NAMESPACE)


def _printed(beginning: str) -> str:
    """Return the command of docs/upgrade.md that begins so."""
    lines = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8").splitlines()
    [found] = [line for line in lines if line.startswith(beginning)]
    return found


def _until_done(gib: int) -> None:
    """Look again and again, as the state machine does."""
    for _ in range(60):
        if not etcd_volumes.grow(NAMESPACE, ETCD, gib):
            return
        time.sleep(0.5)
    pytest.fail(f"volumes have not grown to {gib} GiB")


def _kubectl(cluster: ControlPlane, manifest: Mapping[str, Any], folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(manifest))
    command = [str(tool("kubectl")), "apply", "--filename", str(file), "--kubeconfig", str(cluster.kubeconfig)]
    subprocess.run(command, check=True, capture_output=True)


def _nodes(env: Environment) -> Iterator[Node]:
    for name, group in env.cluster.node_groups.items():
        for number in range(6):
            yield Node(
                name=f"{name}-{number}",
                zone=f"{env.region}{env.network.zones[number % 3]}",
                instance=INSTANCE_TYPES[group.instance_types[0]],
                labels={NODE_GROUP_LABEL: name, **group.labels},
            )
