"""What fails Helm by itself, deployed as a user does: larger volumes of etcd, and an upgrade that is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from charts.workloads import etcd_labels, etcd_name
from rehearsal.full.checks import expect
from rehearsal.full.deployment import Deployment
from rehearsal.full.site import Site
from rehearsal.servers.api import ApiError, Object

_PENDING = "owner=helm,status in (pending-install,pending-upgrade,pending-rollback)"
_HELM = """#!/bin/sh
echo $$ > {pid}
exec {helm} "$@"
"""


class ReleaseChanges:
    """Changes the deployed release in the two ways that Helm cannot.

    Args:
        deployment: what is deployed.
        site: where.
        tools: the folder that the functions see as /opt.
    """

    def __init__(self, deployment: Deployment, site: Site, tools: Path) -> None:
        self._deployment, self._site, self._tools = deployment, site, tools
        self._api = site.cluster.api
        self._namespace = site.env.milvus.namespace

    def grow_etcd(self) -> str:
        """`make deploy` with larger volumes of etcd: they grow, and every member goes on."""
        gib = self._site.env.milvus.etcd.volume_gib + 10
        members, before = self._members(), self._stateful_set()
        self._deployment.change("grown", {"milvus.etcd.volume_gib": gib}, base=True)
        after = self._stateful_set()
        sizes = {
            each["metadata"]["name"]: each["status"]["capacity"]["storage"]
            for each in self._api.objects("PersistentVolumeClaim", namespace=self._namespace)
        }
        [claim] = after["spec"]["volumeClaimTemplates"]
        expect(set(sizes.values()) == {f"{gib}Gi"}, f"the claims have {sizes}")
        expect(claim["spec"]["resources"]["requests"]["storage"] == f"{gib}Gi", f"the template is {claim}")
        expect(before["metadata"]["uid"] != after["metadata"]["uid"], "the StatefulSet was not made again")
        expect(self._members() == members, "members of etcd were restarted")
        return f"{len(sizes)} claims of {gib}Gi, by the driver's simulator; the members are the same pods as before"

    def kill_upgrade(self) -> str:
        """Kill Helm half-way: the stack goes back by itself, and the next `make deploy` passes."""
        replicas = self._site.env.components["data_node"].replicas + 1
        change = {"milvus.components.data_node.replicas": replicas}
        _, cdk = self._deployment.variant("killed", change, base=True)
        with self._killing_helm() as killed:
            found = self._deployment.expect_failure(cdk)
        expect(len(killed) == 1, f"killed in the middle: {killed}")
        status = self._deployment.status(self._site.milvus_stack)
        expect(status == "UPDATE_ROLLBACK_COMPLETE", f"{self._site.milvus_stack} is {status}: {found}")
        self._deployment.checks.workloads()
        self._deployment.change("killed", change, base=True)
        expect(not self._records(), "a record is still pending")
        return f"{killed[0]} was taken away by the rollback; then `make deploy` passed"

    @contextmanager
    def _killing_helm(self) -> Iterator[list[str]]:
        """Kill the first helm whose record is pending, and let the record be older than any function lives."""
        helm, pid = self._tools / "helm" / "helm", self._tools / "helm" / "pid"
        script, real = helm.read_text(encoding="utf-8"), helm.with_name("helm-that-is-killed")
        helm.rename(real)
        helm.write_text(_HELM.format(pid="/opt/helm/pid", helm="/opt/helm/helm-that-is-killed"), encoding="utf-8")
        helm.chmod(0o755)
        killed: list[str] = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                for record in self._records():
                    os.kill(int(pid.read_text()), signal.SIGKILL)
                    killed.append(record)
                    aged = {"metadata": {"labels": {"createdAt": str(int(time.time()) - 3600)}}}
                    self._api.patch("Secret", record, aged, namespace=self._namespace)
                    return

        thread = threading.Thread(target=watch, name="helm-killer", daemon=True)
        thread.start()
        try:
            yield killed
        finally:
            over.set()
            thread.join()
            helm.unlink()
            real.rename(helm)
            expect(helm.read_text(encoding="utf-8") == script, "helm is not what it was")

    def _records(self) -> list[str]:
        try:
            found = self._api.objects("Secret", namespace=self._namespace, labels=_PENDING)
        except ApiError:
            return []
        return [each["metadata"]["name"] for each in found]

    def _members(self) -> dict[str, str]:
        labels = ",".join(f"{key}={value}" for key, value in etcd_labels(self._site.env).items())
        pods = self._api.objects("Pod", namespace=self._namespace, labels=labels)
        return {each["metadata"]["name"]: each["metadata"]["uid"] for each in pods}

    def _stateful_set(self) -> Object:
        found = self._api.get("StatefulSet", etcd_name(self._site.env), namespace=self._namespace)
        expect(found is not None, "etcd has no StatefulSet")
        return found or {}
