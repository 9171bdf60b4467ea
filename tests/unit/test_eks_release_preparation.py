"""What stands before Helm: records of killed upgrades go, and the volumes of etcd grow."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milvus_constructs.cluster.kubernetes_tasks_lambda.tasks import etcd_volumes, handler, kubectl, pending

GIB = 2**30
COPY = "milvus-etcd-being-made-again"
HINT = "AWS changes a volume once in six hours: deploy again when those are over"


class Cluster:
    """Answers the commands of the functions' code from what it holds, and writes down what they change."""

    def __init__(self) -> None:
        self.stateful_set: dict[str, Any] | None = None
        self.copy: dict[str, Any] | None = None
        self.claims: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.records = ""
        self.changes: list[str] = []
        self.commands: list[tuple[str, ...]] = []
        self.grows = True
        self.fails_at = ""

    def kubectl(self, *arguments: str) -> str:
        self.commands.append(arguments)
        verb, kind, *rest = arguments
        if verb == "get":
            return self.get(kind)
        done = f"{verb} {kind} {rest[0]}" if verb != "apply" else "apply"
        if done == self.fails_at:
            raise kubectl.KubectlError("killed")
        self.changes.append(done)
        if verb == "patch":
            self.patch(rest[0], json.loads(rest[-1]))
        elif verb == "apply":
            self.stateful_set = self.manifest()
        elif verb == "create":
            self.copy = {"data": {"manifest": json.dumps(self.manifest())}}
        elif kind == "statefulset":
            assert "--cascade=orphan" in rest
            self.stateful_set = None
        elif kind == "configmap":
            self.copy = None
        return ""

    def get(self, kind: str) -> str:
        if kind == "secrets":
            return self.records
        if kind == "persistentvolumeclaims,events":
            return json.dumps({"items": [*self.claims, *self.events]})
        found = {"statefulset": self.stateful_set, "configmap": self.copy}[kind]
        return json.dumps(found) if found else ""

    def patch(self, name: str, change: dict[str, Any]) -> None:
        [claim] = [each for each in self.claims if each["metadata"]["name"] == name]
        claim["spec"] |= change["spec"]
        if self.grows:
            claim["status"]["capacity"] = change["spec"]["resources"]["requests"]

    @staticmethod
    def manifest() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(etcd_volumes._MANIFEST.read_text())
        return found

    def sizes(self) -> list[str]:
        return [each["spec"]["resources"]["requests"]["storage"] for each in self.claims]


def stateful_set(size: str = "20Gi") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": "milvus-etcd",
            "namespace": "milvus",
            "uid": "1",
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "milvus"},
        },
        "spec": {
            "replicas": 3,
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"resources": {"requests": {"storage": size}}},
                    "status": {"phase": "Pending"},
                }
            ],
        },
        "status": {"replicas": 3},
    }


def claim(name: str, size: str = "20Gi", *, phase: str = "Bound", **status: Any) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": phase, "capacity": {"storage": size}, **status},
    }


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    # GIVEN etcd with three members of 20 GiB, and a claim of somebody else
    made = Cluster()
    made.stateful_set = stateful_set()
    made.claims = [*(claim(f"data-milvus-etcd-{number}") for number in range(3)), claim("data-other-0")]
    monkeypatch.setattr(kubectl, "kubectl", made.kubectl)
    for module in (pending, etcd_volumes):
        monkeypatch.setattr(module, "kubectl", made.kubectl)
    monkeypatch.setattr(handler, "log_in", lambda _name: None)
    monkeypatch.setattr(etcd_volumes, "_MANIFEST", tmp_path / "manifest.json")
    return made


def grow(gib: int) -> list[str]:
    return etcd_volumes.grow("milvus", "milvus-etcd", gib)


def test_claims_grow_before_the_stateful_set_is_made_again(cluster: Cluster) -> None:
    # WHEN larger volumes are asked for
    first = grow(50)
    # THEN etcd's claims ask for them, and nothing else is touched before they are there
    assert first == [
        *(f"claim data-milvus-etcd-{number} has 20Gi of 50Gi: the driver is at work" for number in range(3)),
        HINT,
    ]
    assert cluster.sizes() == ["50Gi", "50Gi", "50Gi", "20Gi"]
    assert not [each for each in cluster.changes if not each.startswith("patch")]
    # WHEN they are there
    assert grow(50) == []
    # THEN it is deleted without its pods and made again as Helm left it, but for the size; the copy goes
    assert cluster.changes[3:] == [
        f"delete configmap {COPY}",
        f"create configmap {COPY}",
        "delete statefulset milvus-etcd",
        "apply",
        f"delete configmap {COPY}",
    ]
    expected = stateful_set("50Gi")
    del expected["status"], expected["metadata"]["uid"], expected["metadata"]["resourceVersion"]
    del expected["spec"]["volumeClaimTemplates"][0]["status"]
    assert cluster.stateful_set == expected
    # AND a third look finds nothing to do
    cluster.changes.clear()
    assert grow(50) == []
    assert cluster.changes == []


def test_every_command_names_the_namespace_the_object_and_its_file(cluster: Cluster) -> None:
    # GIVEN volumes that are as large as asked for, and a StatefulSet that still says less
    cluster.claims = [claim("data-milvus-etcd-0", "50Gi")]
    # WHEN
    grow(50)
    # THEN these are all commands, whole
    there = ("--namespace", "milvus")
    file = str(etcd_volumes._MANIFEST)
    items = "persistentvolumeclaims,events"
    assert cluster.commands == [
        ("get", "statefulset", "milvus-etcd", *there, "--ignore-not-found", "--output", "json"),
        ("get", items, *there, "--output", "json"),
        ("delete", "configmap", COPY, *there, "--ignore-not-found"),
        ("create", "configmap", COPY, *there, "--from-file", f"manifest={file}"),
        ("delete", "statefulset", "milvus-etcd", *there, "--cascade=orphan"),
        ("apply", "--server-side", "--field-manager", "helm", "--filename", file),
        ("delete", "configmap", COPY, *there, "--ignore-not-found"),
    ]
    # AND a claim that is too small is patched by name
    cluster.commands.clear()
    grow(60)
    change = '{"spec": {"resources": {"requests": {"storage": "60Gi"}}}}'
    assert cluster.commands[2:] == [("patch", "persistentvolumeclaim", "data-milvus-etcd-0", *there, "--patch", change)]


def test_records_of_a_release_are_asked_for_by_owner_name_and_state(cluster: Cluster) -> None:
    # GIVEN a record that was left longer ago than a function lives
    cluster.records = "sh.helm.release.v1.blue.v2 pending-upgrade 1000\n"
    # WHEN
    assert pending.take_up("milvus", "blue") == []
    # THEN
    there = ("--namespace", "milvus")
    selector = "owner=helm,name=blue,status in (pending-install,pending-upgrade,pending-rollback)"
    asked, taken = cluster.commands
    # Labels alone: the data of these Secrets are the release itself.
    label = "{.metadata.labels."
    columns = "{.metadata.name} " + label + "status} " + label + 'createdAt}{"\\n"}'
    printed = "jsonpath={range .items[*]}" + columns + "{end}"
    assert asked == ("get", "secrets", *there, "--selector", selector, "--output", printed)
    assert taken == ("delete", "secret", "sh.helm.release.v1.blue.v2", *there, "--ignore-not-found")


def test_a_smaller_size_changes_no_volume(cluster: Cluster) -> None:
    # GIVEN volumes that have grown, and a rollback
    cluster.claims = [claim("data-milvus-etcd-0", "50Gi")]
    cluster.stateful_set = stateful_set("50Gi")
    # WHEN
    assert grow(20) == []
    # THEN the templates alone go back
    assert cluster.sizes() == ["50Gi"]
    assert "patch" not in " ".join(cluster.changes)
    assert cluster.stateful_set["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"] == {
        "storage": "20Gi"
    }


def test_what_keeps_a_volume_is_said(cluster: Cluster) -> None:
    # GIVEN a volume that AWS does not change, and one whose file system is not yet larger
    cluster.grows = False
    refused = "VolumeModificationRateExceeded: wait at least 6 hours"
    cluster.events = [
        {"kind": "Event", "type": "Normal", "message": "other", "involvedObject": {"name": "data-milvus-etcd-0"}},
        {"kind": "Event", "type": "Warning", "message": refused, "involvedObject": {"name": "data-milvus-etcd-0"}},
    ]
    waits = [{"type": "FileSystemResizePending", "message": "Waiting for user to (re-)start a pod"}]
    cluster.claims = [claim("data-milvus-etcd-0"), claim("data-milvus-etcd-1", conditions=waits)]
    # WHEN THEN
    assert grow(50) == [
        f"claim data-milvus-etcd-0 has 20Gi of 50Gi: {refused}",
        "claim data-milvus-etcd-1 has 20Gi of 50Gi: Waiting for user to (re-)start a pod",
        HINT,
    ]


def test_a_claim_without_a_volume_is_left_alone(cluster: Cluster) -> None:
    cluster.claims = [claim("data-milvus-etcd-0", "50Gi"), claim("data-milvus-etcd-1", phase="Pending")]
    assert grow(50) == []
    assert cluster.sizes() == ["50Gi", "20Gi"]


def test_a_first_deployment_has_nothing_to_grow(cluster: Cluster) -> None:
    cluster.stateful_set, cluster.claims = None, []
    assert grow(50) == []
    assert cluster.changes == []


def test_a_function_that_is_killed_between_leaves_what_the_next_needs(cluster: Cluster) -> None:
    # GIVEN one that ends when the StatefulSet is gone
    cluster.claims = []
    cluster.fails_at = "apply"
    with pytest.raises(kubectl.KubectlError):
        grow(50)
    assert cluster.stateful_set is None
    # WHEN the next comes, which wants the old size
    cluster.fails_at = ""
    assert grow(20) == ["StatefulSet milvus-etcd is made again"]
    # THEN it is there, and gets that size
    assert grow(20) == []
    assert cluster.stateful_set == etcd_volumes._essence(stateful_set("20Gi"))


@pytest.mark.parametrize(("quantity", "size"), [("1Ti", 1024 * GIB), ("20Gi", 20 * GIB), ("1024Mi", GIB), ("5", 5)])
def test_sizes_are_compared_by_what_they_are(quantity: str, size: int) -> None:
    assert etcd_volumes._bytes(quantity) == size


def test_a_size_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"^size '1\.5G' of a volume: neither bytes nor Ki, Mi, Gi or Ti$"):
        etcd_volumes._bytes("1.5G")


def test_a_killed_upgrade_is_taken_away_when_no_function_can_be_at_work(cluster: Cluster) -> None:
    # GIVEN one of a minute ago, one of twenty, and one that does not say when
    now = int(time.time())
    cluster.records = f"v3 pending-upgrade {now - 60}\nv2 pending-upgrade {now - 1200}\nv1 pending-install \n"
    # WHEN
    waiting = pending.take_up("milvus", "milvus")
    # THEN
    assert waiting == ["v3 is pending-upgrade: the function that runs Helm may still be at work"]
    assert cluster.changes == ["delete secret v2", "delete secret v1"]


def event(*, deadline: float, request: str = "Update") -> dict[str, Any]:
    return {
        "RequestType": request,
        "ResourceType": handler.PREPARATION,
        "StackId": "stack",
        "Deadline": deadline,
        "ResourceProperties": {
            "ClusterName": "milvus-dev",
            "Namespace": "milvus",
            "Release": "milvus",
            "Etcd": "milvus-etcd",
            "VolumeGib": "50",
            "TimeoutSeconds": "1500",
        },
    }


def states(*found: str) -> Callable[..., str]:
    told = iter(found)
    return lambda *_command: next(told)


def test_preparation_waits_until_its_time_is_up(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN volumes that do not grow
    cluster.grows = False
    cluster.claims = [claim("data-milvus-etcd-0")]
    # WHEN there is time THEN it is looked again
    assert handler.is_complete(event(deadline=time.time() + 60), None) == {"IsComplete": False}
    # WHEN there is none, THEN the stack fails with what is missing; a rollback goes on
    monkeypatch.setattr(handler, "run", states("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"))
    expected = (
        "release milvus in namespace milvus cannot be upgraded yet after 25 minutes: claim data-milvus-etcd-0 has 20Gi "
        f"of 50Gi: the driver is at work; {HINT}"
    )
    with pytest.raises(handler.NotReadyError) as failure:
        handler.is_complete(event(deadline=0), None)
    assert str(failure.value) == expected
    assert handler.is_complete(event(deadline=0), None) == {"IsComplete": True}


def test_preparation_is_over_when_nothing_is_in_the_way(cluster: Cluster) -> None:
    cluster.claims, cluster.stateful_set = [], copy.deepcopy(stateful_set("50Gi"))
    assert handler.is_complete(event(deadline=0), None) == {"IsComplete": True}
    assert handler.on_event(event(deadline=0), None)["PhysicalResourceId"] == "ReleasePreparation-milvus/milvus"
    # AND its deletion asks nobody
    cluster.records = "v1 pending-install 0\n"
    assert handler.is_complete(event(deadline=0, request="Delete"), None) == {"IsComplete": True}
    assert cluster.changes == []


def test_a_pending_upgrade_is_waited_for_before_a_volume_is_touched(cluster: Cluster) -> None:
    cluster.records = f"v3 pending-upgrade {int(time.time())}\n"
    assert handler.is_complete(event(deadline=time.time() + 60), None) == {"IsComplete": False}
    assert cluster.changes == []
