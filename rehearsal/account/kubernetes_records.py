"""What clusters without an API server would hold: objects and Helm releases, in memory and as files."""

from __future__ import annotations

import json
from pathlib import Path

from botocore.exceptions import ClientError

from rehearsal.account import manifests
from rehearsal.account.base import Properties, Request
from rehearsal.account.manifests import Manifest
from rehearsal.account.options import AccountOptions
from rehearsal.account.refusals import ResourceError
from rehearsal.account.state import Store

NOTE = "recorded, not applied: no Kubernetes API server in this rehearsal"
CONTROLLER = "aws-load-balancer-controller"
_EVERY_CLUSTER = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


class KubernetesRecords:
    """What one account's clusters would hold: objects and releases, per cluster."""

    def __init__(self, options: AccountOptions) -> None:
        self._folder = options.records
        self.objects = Store()
        self.releases = Store()

    def write(self, request: Request, kind: str, content: Properties) -> None:
        """Keep a record as a file: one per custom resource."""
        self._folder.mkdir(parents=True, exist_ok=True)
        body = {"kind": kind, "cluster": request.properties["ClusterName"], "note": NOTE, **content}
        self._file(request).write_text(json.dumps(body, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def erase(self, request: Request) -> None:
        """Remove the record's file."""
        self._file(request).unlink(missing_ok=True)

    def released(self, cluster: str) -> list[Properties]:
        """Return the Helm releases of a cluster."""
        return self._of(self.releases, cluster)

    def charts(self, cluster: str) -> frozenset[str]:
        """Names of the charts that are released in a cluster."""
        return frozenset(str(release["chart"]) for release in self._of(self.releases, cluster))

    def namespaces(self, cluster: str) -> frozenset[str]:
        """Return the namespaces that exist in a cluster."""
        made = {entry["metadata"]["name"] for entry in self._of(self.objects, cluster) if entry["kind"] == "Namespace"}
        released = {release["namespace"] for release in self._of(self.releases, cluster) if release["create_namespace"]}
        return _EVERY_CLUSTER | made | released

    def load_balancers(self, cluster: str) -> list[str]:
        """Objects for which the load balancer controller has made something in AWS."""
        return [manifests.identity(entry) for entry in self._of(self.objects, cluster) if makes_load_balancer(entry)]

    def _file(self, request: Request) -> Path:
        return self._folder / f"{request.logical_id}.json"

    @staticmethod
    def _of(store: Store, cluster: str) -> list[Properties]:
        keys = [key for key in store.keys() if key.startswith(f"{cluster} ")]  # noqa: SIM118 - a Store, no mapping
        return [entry for entry in map(store.get, keys) if entry is not None]


def makes_load_balancer(manifest: Manifest) -> bool:
    """Whether the load balancer controller answers this object with a load balancer."""
    if manifest["kind"] == "Service":
        return bool(manifest.get("spec", {}).get("type") == "LoadBalancer")
    return bool(manifest["kind"] == "Ingress")


def cluster_version(request: Request) -> str:
    """Kubernetes version of the resource's cluster; a cluster that does not exist fails `aws eks update-kubeconfig`."""
    name = request.properties["ClusterName"]
    try:
        return str(request.aws("eks").describe_cluster(name=name)["cluster"]["version"])
    except ClientError as error:
        raise ResourceError(f"Command 'aws eks update-kubeconfig --name {name}' failed: {error}") from error
