"""A small client of the Kubernetes API: plain HTTPS with a client certificate or a token."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from rehearsal.servers.process import ServerError

Object = dict[str, Any]
# kind -> (path prefix, plural); namespaced unless in _CLUSTER_SCOPED. Custom resources are given by path.
_RESOURCES = {
    "Namespace": ("api/v1", "namespaces"),
    "Node": ("api/v1", "nodes"),
    "Pod": ("api/v1", "pods"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Secret": ("api/v1", "secrets"),
    "ConfigMap": ("api/v1", "configmaps"),
    "Event": ("api/v1", "events"),
    "PersistentVolume": ("api/v1", "persistentvolumes"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "StatefulSet": ("apis/apps/v1", "statefulsets"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "Job": ("apis/batch/v1", "jobs"),
    "CronJob": ("apis/batch/v1", "cronjobs"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "IngressClass": ("apis/networking.k8s.io/v1", "ingressclasses"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
    "StorageClass": ("apis/storage.k8s.io/v1", "storageclasses"),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "SecretStore": ("apis/external-secrets.io/v1", "secretstores"),
    "ClusterSecretStore": ("apis/external-secrets.io/v1", "clustersecretstores"),
    "ExternalSecret": ("apis/external-secrets.io/v1", "externalsecrets"),
}
_CLUSTER_SCOPED = {
    "Namespace",
    "Node",
    "PersistentVolume",
    "IngressClass",
    "StorageClass",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ClusterSecretStore",
}
_FIELD_MANAGER = "rehearsal"


class ApiError(ServerError):
    """The API server refused a request.

    Attributes:
        status: the HTTP status code; 429 for an eviction that a disruption budget forbids.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Reads and writes objects as the user of a client certificate."""

    def __init__(self, *, endpoint: str, authority: Path, certificate: Path, key: Path) -> None:
        self.endpoint = endpoint
        self.tls = ssl.create_default_context(cafile=str(authority))
        self.tls.load_cert_chain(certificate, key)

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, content: str = "application/json"
    ) -> Object:
        """One call. ``ApiError`` with the server's own message when it refuses or cannot be reached (status 0)."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/{path}", data=data, method=method)
        request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as response:
                return cast("Object", json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise ApiError(f"{method} {path}: {_reason(text)}", status=error.code) from None
        except OSError as error:
            raise ApiError(f"{method} {path}: the API server cannot be reached: {error}", status=0) from error

    def objects(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        """Return the objects of ``kind`` in ``namespace`` (None: in all), with the ``labels`` selector."""
        query = f"?labelSelector={urllib.parse.quote(labels)}" if labels else ""
        items = self.request("GET", _path(kind, namespace) + query)["items"]
        return cast("list[Object]", items)

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """Return the object, or None when it does not exist."""
        try:
            return self.request("GET", f"{_path(kind, namespace)}/{name}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, manifest: Mapping[str, Any]) -> Object:
        """Create or update by server-side apply, as helm 4 does; unknown fields are refused."""
        metadata = manifest["metadata"]
        path = f"{_path(manifest['kind'], metadata.get('namespace'))}/{metadata['name']}"
        query = f"?fieldManager={_FIELD_MANAGER}&force=true&fieldValidation=Strict"
        return self.request("PATCH", path + query, manifest, content="application/apply-patch+yaml")

    def create(self, manifest: Mapping[str, Any]) -> Object:
        """Create the object, for kinds that take it along with its status; ``ApiError`` (409) when it exists."""
        return self.request("POST", _path(manifest["kind"], manifest["metadata"].get("namespace")), manifest)

    def patch(
        self, kind: str, name: str, change: Mapping[str, Any], *, namespace: str | None = None, subresource: str = ""
    ) -> Object:
        """Merge ``change`` into the object, or into its ``subresource`` such as status."""
        path = f"{_path(kind, namespace)}/{name}" + (f"/{subresource}" if subresource else "")
        return self.request("PATCH", path, change, content="application/merge-patch+json")

    def delete(self, kind: str, name: str, *, namespace: str | None = None) -> None:
        """Ask for deletion; an object that is already gone is no error."""
        try:
            self.request("DELETE", f"{_path(kind, namespace)}/{name}")
        except ApiError as error:
            if error.status != 404:
                raise

    def evict(self, pod: str, *, namespace: str) -> None:
        """Evict as a node drain does. ``ApiError`` with status 429 when a PodDisruptionBudget forbids it."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        self.request("POST", f"{_path('Pod', namespace)}/{pod}/eviction", eviction)


def _path(kind: str, namespace: str | None) -> str:
    if kind not in _RESOURCES:
        raise ServerError(f"kind {kind!r} is unknown to the rehearsal's API client: add it to _RESOURCES in api.py")
    prefix, plural = _RESOURCES[kind]
    inside = f"/namespaces/{namespace}" if namespace and kind not in _CLUSTER_SCOPED else ""
    return f"{prefix}{inside}/{plural}"


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
