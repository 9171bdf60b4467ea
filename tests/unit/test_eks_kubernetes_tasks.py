from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from milvus_constructs.cluster.kubernetes_tasks_lambda.tasks import handler, kubectl
from milvus_constructs.cluster.kubernetes_tasks_lambda.tasks.readiness import not_ready

STACK = "arn:aws:cloudformation:us-east-2:111122223333:stack/milvus-dev-milvus/0a1b2c3d"

# Answers from files named after the first words of the command; writes down what it was asked.
FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$ANSWERS/asked"
case "$*" in
  *update-kubeconfig*) while [ "$1" != "--kubeconfig" ]; do shift; done; : > "$2"; exit 0 ;;
  *describe-stacks*) name=stack ;;
  *"get deployments"*) name=workloads ;;
  *"get pods"*) name=pods ;;
  *"get storageclass"*) name=storageclass ;;
  *"patch storageclass"*) name=patch ;;
esac
[ -f "$ANSWERS/$name.error" ] && { cat "$ANSWERS/$name.error" >&2; exit 1; }
cat "$ANSWERS/$name"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # GIVEN programs kubectl and aws that answer what a test lays down
    for name in ("kubectl", "aws"):
        program = tmp_path / name
        program.write_text(FAKE)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(kubectl, "_PROGRAMS", str(tmp_path))
    monkeypatch.setattr(kubectl, "_KUBECONFIG", tmp_path / "kubeconfig")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    for name in ("workloads", "pods"):
        (tmp_path / name).write_text('{"items": []}')
    for name in ("storageclass", "patch"):
        (tmp_path / name).write_text("")
    (tmp_path / "stack").write_text("UPDATE_IN_PROGRESS\n")
    return tmp_path


def lay_down(folder: Path, name: str, *objects: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps({"items": objects}))


def workload(name: str = "milvus-proxy", *, kind: str = "Deployment", wanted: int = 2, **status: Any) -> dict[str, Any]:
    rolled_out = {
        "observedGeneration": 3,
        "replicas": wanted,
        "updatedReplicas": wanted,
        "availableReplicas": wanted,
        "readyReplicas": wanted,
    }
    return {
        "kind": kind,
        "metadata": {"name": name, "generation": 3},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": name}}},
        "status": {**rolled_out, **status},
    }


def pod(owner: str = "milvus-proxy", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": f"{owner}-0", "labels": {"app": owner, "hash": "1"}}, "status": status}


def event(
    kind: str = handler.READINESS, request: str = "Create", *, deadline: float = 0, **more: str
) -> dict[str, Any]:
    properties = {
        "ClusterName": "milvus-dev",
        "Namespace": "milvus",
        "Release": "milvus",
        "StorageClass": "gp2",
        "TimeoutSeconds": "1800",
    }
    return {
        "RequestType": request,
        "ResourceType": kind,
        "StackId": STACK,
        "Deadline": deadline,
        "ResourceProperties": {**properties, **more},
    }


def test_release_is_ready_when_every_workload_is_rolled_out(cluster: Path) -> None:
    lay_down(cluster, "workloads", workload(), workload("milvus-etcd", kind="StatefulSet", wanted=3))
    # WHEN asked in time THEN
    assert handler.is_complete(event(deadline=time.time() + 60), None) == {"IsComplete": True}
    asked = (cluster / "asked").read_text()
    assert "aws eks update-kubeconfig --name milvus-dev --kubeconfig" in asked
    assert "get deployments,statefulsets --namespace milvus --selector app.kubernetes.io/instance=milvus" in asked


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 2},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"replicas": 3},
    ],
    ids=["not seen by the controller", "old pods only", "not available", "old pods are still there"],
)
def test_release_is_not_ready_while_a_roll_out_lasts(cluster: Path, status: dict[str, Any]) -> None:
    lay_down(cluster, "workloads", workload(**status))
    assert handler.is_complete(event(deadline=time.time() + 60), None) == {"IsComplete": False}


def test_stateful_set_is_judged_by_ready_replicas(cluster: Path) -> None:
    lay_down(cluster, "workloads", workload("milvus-etcd", kind="StatefulSet", wanted=3, readyReplicas=2))
    assert not_ready("milvus", "milvus") == ["StatefulSet milvus-etcd 2/3 ready: it has no pod"]


def test_release_without_any_workload_is_not_ready(cluster: Path) -> None:
    lay_down(cluster, "workloads")
    [reason] = not_ready("milvus", "milvus")
    assert reason == "no deployment with the label app.kubernetes.io/instance=milvus in the namespace milvus"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient memory."}]},
            "pod milvus-proxy-0 is not scheduled: 0/3 nodes: Insufficient memory.",
        ),
        (
            {
                "containerStatuses": [
                    {"name": "proxy", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}}
                ]
            },
            "pod milvus-proxy-0 container proxy: ImagePullBackOff no such tag",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "name": "proxy",
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                        "lastState": {"terminated": {"exitCode": 134, "reason": "Error"}},
                    }
                ]
            },
            "pod milvus-proxy-0 container proxy: CrashLoopBackOff, last exit code 134 (Error) back-off 40s",
        ),
        (
            {
                "initContainerStatuses": [
                    {"name": "config", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}
                ]
            },
            "pod milvus-proxy-0 container config: CreateContainerConfigError",
        ),
        (
            {"containerStatuses": [{"name": "proxy", "ready": False, "state": {"running": {}}}]},
            "pod milvus-proxy-0 container proxy: running, but its readiness probe fails",
        ),
        (
            {"containerStatuses": [{"name": "proxy", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
            "no pod says why",
        ),
    ],
)
def test_reason_says_what_keeps_a_pod(cluster: Path, status: dict[str, Any], reason: str) -> None:
    # GIVEN a deployment that is not available, its pod, and a pod of another one
    other = pod("milvus-datanode", conditions=[{"type": "PodScheduled", "status": "False", "message": "other"}])
    lay_down(cluster, "workloads", workload(availableReplicas=0))
    lay_down(cluster, "pods", pod(**status), other)
    # WHEN asked THEN
    assert not_ready("milvus", "milvus") == [f"Deployment milvus-proxy 0/2 ready: {reason}"]


def test_release_that_is_not_ready_in_time_fails_with_the_reason(cluster: Path) -> None:
    lay_down(cluster, "workloads", workload(availableReplicas=0))
    lay_down(cluster, "pods", pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "no room"}]))
    expected = (
        r"release milvus in namespace milvus is not ready after 30 minutes: Deployment milvus-proxy 0/2 .*no room"
    )
    with pytest.raises(handler.NotReadyError, match=expected):
        handler.is_complete(event(deadline=time.time() - 1), None)


def test_reason_is_cut_to_what_cloudformation_shows(cluster: Path) -> None:
    lay_down(cluster, "workloads", *(workload(f"deployment-{number}", availableReplicas=0) for number in range(100)))
    with pytest.raises(handler.NotReadyError, match=r"is not ready after") as failure:
        handler.is_complete(event(deadline=0), None)
    assert len(str(failure.value)) < 1600


def test_rollback_goes_on_although_the_old_release_is_not_ready(cluster: Path) -> None:
    # GIVEN a stack that is being rolled back: a failure would leave it in UPDATE_ROLLBACK_FAILED
    lay_down(cluster, "workloads", workload(availableReplicas=0))
    (cluster / "stack").write_text("UPDATE_ROLLBACK_IN_PROGRESS\n")
    assert handler.is_complete(event(request="Update", deadline=0), None) == {"IsComplete": True}


def test_release_fails_where_the_state_of_the_stack_is_unknown(cluster: Path) -> None:
    lay_down(cluster, "workloads", workload(availableReplicas=0))
    (cluster / "stack.error").write_text("Could not connect to the endpoint URL")
    with pytest.raises(handler.NotReadyError, match="is not ready after"):
        handler.is_complete(event(deadline=0), None)


def test_api_server_that_refuses_is_asked_again_until_the_deadline(cluster: Path) -> None:
    (cluster / "workloads.error").write_text("connection refused")
    assert handler.is_complete(event(deadline=time.time() + 60), None) == {"IsComplete": False}
    with pytest.raises(handler.NotReadyError, match="the cluster did not answer: connection refused"):
        handler.is_complete(event(deadline=0), None)


def test_deletion_asks_nobody(cluster: Path) -> None:
    assert handler.is_complete(event(request="Delete"), None) == {"IsComplete": True}
    assert not (cluster / "asked").exists()


def test_deadline_starts_with_the_event() -> None:
    started = handler.on_event(event(), None)
    assert started["PhysicalResourceId"] == "ReleaseReadiness-milvus/milvus"
    assert 1790 < started["Deadline"] - time.time() <= 1800


def test_unknown_resource_type_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown resource type Custom::Other; known: Custom::ReleasePreparation, "):
        handler.on_event(event("Custom::Other"), None)


@pytest.mark.parametrize(
    ("found", "patched"),
    [
        (None, False),
        ({}, False),
        ({"storageclass.kubernetes.io/is-default-class": "false"}, False),
        ({"storageclass.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.beta.kubernetes.io/is-default-class": "true"}, True),
    ],
    ids=["no such class", "no annotation", "not the default", "the default", "the default in the old way"],
)
def test_gp2_is_made_non_default_where_it_is_one(cluster: Path, found: dict[str, str] | None, patched: bool) -> None:
    if found is not None:
        (cluster / "storageclass").write_text(json.dumps({"metadata": {"name": "gp2", "annotations": found}}))
    # WHEN done THEN it succeeds in every case, and patches only where there is a mark to take away
    started = handler.on_event(event(handler.STORAGE_CLASS), None)
    assert started["PhysicalResourceId"] == "NonDefaultStorageClass-gp2"
    assert handler.is_complete(event(handler.STORAGE_CLASS), None) == {"IsComplete": True}
    asked = (cluster / "asked").read_text()
    assert "get storageclass gp2 --ignore-not-found --output json" in asked
    assert ("patch storageclass gp2 --type merge" in asked) is patched


def test_cluster_that_does_not_answer_yet_is_asked_again(cluster: Path) -> None:
    (cluster / "storageclass.error").write_text("error: You must be logged in to the server (Unauthorized)")
    started = handler.on_event(event(handler.STORAGE_CLASS, TimeoutSeconds="300"), None)
    waiting = event(handler.STORAGE_CLASS, deadline=started["Deadline"])
    assert handler.is_complete(waiting, None) == {"IsComplete": False}
    # WHEN the access entry has arrived THEN
    (cluster / "storageclass.error").unlink()
    assert handler.is_complete(waiting, None) == {"IsComplete": True}


def test_failure_of_a_program_says_what_it_said(cluster: Path) -> None:
    (cluster / "storageclass.error").write_text("forbidden")
    with pytest.raises(kubectl.KubectlError, match="forbidden"):
        handler.is_complete(event(handler.STORAGE_CLASS), None)


def test_program_that_says_nothing_is_named(cluster: Path) -> None:
    (cluster / "storageclass.error").write_text("")
    with pytest.raises(kubectl.KubectlError, match="kubectl get ended with code 1"):
        handler.is_complete(event(handler.STORAGE_CLASS), None)


def test_program_that_hangs_is_given_up(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cluster / "aws").write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(kubectl, "_SECONDS", 0.1)
    with pytest.raises(kubectl.KubectlError, match=r"aws eks gave no answer within 0\.1 s"):
        kubectl.log_in("milvus-dev")
