"""Simulated nodes have what EKS leaves, simulated pods fail where told, simulators touch only their own objects."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from rehearsal.run import Run
from rehearsal.servers import netns, stages
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.csi_simulator import CsiSimulator
from rehearsal.servers.lb_simulator import INGRESS_FINALIZER, SERVICE_FINALIZER, LoadBalancerSimulator
from rehearsal.servers.nodes import Node, Taint, ready
from rehearsal.servers.process import ServerError
from settings.instances import INSTANCE_TYPES


class FakeApi:
    """Objects by kind; remembers what was written."""

    def __init__(self, **kinds: list[dict[str, Any]]) -> None:
        self.kinds = kinds
        self.written: list[tuple[str, Any]] = []

    def objects(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[dict[str, Any]]:
        del namespace, labels
        return self.kinds.get(kind, [])

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        del namespace
        return next((item for item in self.objects(kind) if item["metadata"]["name"] == name), None)

    def apply(self, manifest: Mapping[str, Any]) -> None:
        self.written.append(("apply", manifest))

    def patch(self, kind: str, name: str, change: Mapping[str, Any], **where: str) -> None:
        self.written.append((f"patch {kind} {name} {where.get('subresource', '')}".strip(), change))

    def delete(self, kind: str, name: str) -> None:
        self.written.append((f"delete {kind}", name))


def _api(fake: FakeApi) -> Api:
    return cast("Api", fake)


def test_node_offers_its_capacity_less_what_eks_reserves() -> None:
    # GIVEN
    node = Node(name="n", zone="us-east-1a", instance=INSTANCE_TYPES["m6i.2xlarge"])

    # THEN of what a running instance was measured to have, not of the 32 GiB that it is sold with
    assert node.capacity == {"cpu": "8", "memory": "31548Mi", "ephemeral-storage": "80Gi", "pods": "58"}
    assert node.allocatable == {
        "cpu": "7910m",
        "memory": f"{31548 - 255 - 11 * 58 - 100}Mi",
        "ephemeral-storage": "71Gi",
        "pods": "58",
    }


def test_node_has_the_labels_and_taints_of_its_group() -> None:
    # WHEN
    taint = Taint(key="role", value="etcd")
    node = Node(
        name="n", zone="eu-west-1b", instance=INSTANCE_TYPES["m6i.large"],
        labels={"role": "etcd"}, taints=(taint,),
    )  # fmt: skip
    manifest = node.manifest()

    # THEN
    labels = manifest["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "eu-west-1b"
    assert labels["topology.kubernetes.io/region"] == "eu-west-1"
    assert labels["role"] == "etcd"
    assert manifest["spec"]["taints"] == [{"key": "role", "value": "etcd", "effect": "NoSchedule"}]


def test_node_is_ready_only_when_it_says_so() -> None:
    assert not ready({})
    assert not ready({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    assert ready({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})


def test_pods_with_a_failing_image_are_left_to_the_failing_stage(tmp_path: Path) -> None:
    # GIVEN kwok's stages, of which only pod-ready is changed
    for path in stages._STAGES:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        stage = {"metadata": {"name": file.stem}, "spec": {"selector": {"matchExpressions": [{"key": "k"}]}}}
        file.write_text(yaml.safe_dump(stage))

    # WHEN
    written = {s["metadata"]["name"]: s for s in yaml.safe_load_all(stages.stages(tmp_path, ("example:broken",)))}

    # THEN
    excluded = [e["key"] for e in written["pod-ready"]["spec"]["selector"]["matchExpressions"][1:]]
    failing = [s for name, s in written.items() if name.startswith("pod-never-ready")]
    assert [s["spec"]["selector"]["matchExpressions"][-1]["key"] for s in failing] == excluded
    assert any('"example:broken"' in key for key in excluded)
    assert any("never-ready" in key for key in excluded)
    assert len(written["pod-delete"]["spec"]["selector"]["matchExpressions"]) == 1


def test_missing_stage_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="remove the cache folder of kwok"):
        stages.stages(tmp_path)


def _claim(*, annotations: dict[str, str], storage_class: str = "ebs-sc") -> dict[str, Any]:
    return {
        "metadata": {"name": "data", "namespace": "milvus", "uid": "1-2", "annotations": annotations},
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "20Gi"}},
        },
        "status": {"phase": "Pending"},
    }


def _csi(tmp_path: Path, claim: dict[str, Any]) -> list[tuple[str, Any]]:
    storage_class = {
        "metadata": {"name": "ebs-sc"},
        "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
    }
    node = {"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "us-east-1c"}}}
    fake = FakeApi(StorageClass=[storage_class], PersistentVolumeClaim=[claim], Node=[node])
    with Run(root=tmp_path) as run:
        CsiSimulator(run=run, api=_api(fake)).step()
    return fake.written


def test_claim_waits_for_the_scheduler_to_choose_a_node(tmp_path: Path) -> None:
    assert _csi(tmp_path, _claim(annotations={})) == []


def test_claim_of_another_driver_is_left_alone(tmp_path: Path) -> None:
    selected = {"volume.kubernetes.io/selected-node": "n"}
    assert _csi(tmp_path, _claim(annotations=selected, storage_class="efs")) == []


def test_volume_is_made_in_the_zone_of_the_chosen_node_and_for_its_claim_alone(tmp_path: Path) -> None:
    # WHEN
    ((_, volume),) = _csi(tmp_path, _claim(annotations={"volume.kubernetes.io/selected-node": "n"}))

    # THEN
    expression = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
    assert expression["values"] == ["us-east-1c"]
    assert volume["spec"]["claimRef"]["uid"] == "1-2"
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


def test_released_volume_is_deleted_only_where_its_class_says_so(tmp_path: Path) -> None:
    # GIVEN
    volumes = [
        {
            "metadata": {"name": policy},
            "spec": {"persistentVolumeReclaimPolicy": policy},
            "status": {"phase": "Released"},
        }
        for policy in ("Delete", "Retain")
    ]
    fake = FakeApi(PersistentVolume=volumes)

    # WHEN
    with Run(root=tmp_path) as run:
        CsiSimulator(run=run, api=_api(fake)).step()

    # THEN
    assert fake.written == [("delete PersistentVolume", "Delete")]


def _balanced(tmp_path: Path, kind: str, item: dict[str, Any]) -> list[tuple[str, Any]]:
    fake = FakeApi(**{kind: [item]})
    with Run(root=tmp_path) as run:
        LoadBalancerSimulator(run=run, api=_api(fake), region="eu-west-1").step()
    return fake.written


def test_service_gets_its_finalizer_before_its_address(tmp_path: Path) -> None:
    # GIVEN
    service = {
        "metadata": {"name": "milvus-service", "namespace": "milvus"},
        "spec": {"loadBalancerClass": "service.k8s.aws/nlb"},
    }

    # WHEN
    (finalizer, address) = _balanced(tmp_path, "Service", service)

    # THEN
    assert finalizer[1] == {"metadata": {"finalizers": [SERVICE_FINALIZER]}}
    assert address[0] == "patch Service milvus-service status"
    host = address[1]["status"]["loadBalancer"]["ingress"][0]["hostname"]
    assert host.startswith("k8s-milvus-milvusse-")
    assert host.endswith(".elb.eu-west-1.amazonaws.com")


def test_service_of_another_class_and_ingress_of_another_class_are_left_alone(tmp_path: Path) -> None:
    plain = {"metadata": {"name": "a", "namespace": "b"}, "spec": {"type": "LoadBalancer"}}
    assert _balanced(tmp_path, "Service", plain) == []
    nginx = {"metadata": {"name": "a", "namespace": "b"}, "spec": {"ingressClassName": "nginx"}}
    assert _balanced(tmp_path, "Ingress", nginx) == []


def test_deleted_ingress_loses_only_the_controllers_finalizer(tmp_path: Path) -> None:
    # GIVEN
    ingress = {
        "metadata": {
            "name": "attu",
            "namespace": "milvus",
            "deletionTimestamp": "now",
            "finalizers": ["other", INGRESS_FINALIZER],
        },
        "spec": {"ingressClassName": "alb"},
    }

    # WHEN THEN
    assert _balanced(tmp_path, "Ingress", ingress) == [("patch Ingress attu", {"metadata": {"finalizers": ["other"]}})]


def test_simulator_goes_on_after_a_refused_request(tmp_path: Path) -> None:
    # GIVEN an API server that refuses once
    class Flaky(FakeApi):
        calls = 0

        def objects(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[dict[str, Any]]:
            self.calls += 1
            if self.calls == 1:
                raise ApiError("the API server cannot be reached", status=0)
            return super().objects(kind, namespace=namespace, labels=labels)

    flaky = Flaky()
    with Run(root=tmp_path) as run:
        # WHEN
        with LoadBalancerSimulator(run=run, api=_api(flaky)) as simulator:
            deadline = time.monotonic() + 30
            while flaky.calls < 3:
                assert time.monotonic() < deadline, "the simulator gave up"
                simulator._stopped.wait(0.05)

        # THEN
        assert "will try again: the API server cannot be reached" in run.log("lb-simulator").read_text()


def test_machine_without_namespaces_is_told_so_and_runs_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN
    ran: list[list[str]] = []
    monkeypatch.delenv(netns.STATE_VARIABLE, raising=False)
    monkeypatch.setattr(netns, "unshare_command", lambda: None)
    monkeypatch.setattr("os.execvp", lambda _file, command: ran.append(command))

    # WHEN
    netns.main(["--", "true"])

    # THEN
    assert ran == [["true"]]
    assert "permits no network namespace" in capsys.readouterr().err


def test_command_is_run_again_inside_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    ran: list[list[str]] = []

    def replace(_file: str, command: list[str]) -> None:
        ran.append(command)
        raise SystemExit

    monkeypatch.delenv(netns.STATE_VARIABLE, raising=False)
    monkeypatch.setattr(netns, "unshare_command", lambda: ["unshare", "--net"])
    monkeypatch.setattr("os.execvp", replace)

    # WHEN
    with pytest.raises(SystemExit):
        netns.main(["--", "pytest", "-q"])

    # THEN
    assert ran[0][:2] == ["unshare", "--net"]
    assert ran[0][-4:] == ["--inside", "--", "pytest", "-q"]


def test_namespace_command_without_a_command_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"usage: python -m rehearsal.servers.netns"):
        netns.main(["--"])
