"""The kubectl and Helm custom resources without an API server: what they would apply is checked and written down.

Only the outermost step is missing, the one that needs a server. What kubectl and helm would refuse is refused: unknown
fields and kinds, a namespace or custom kind that does not exist yet, an object that exists already.
"""

from __future__ import annotations

import json

from rehearsal.account import manifests
from rehearsal.account.base import Created, Handler, Properties, Request
from rehearsal.account.kubernetes_records import CONTROLLER, KubernetesRecords, cluster_version, makes_load_balancer
from rehearsal.account.kubernetes_releases import Release
from rehearsal.account.manifests import Manifest, ManifestError
from rehearsal.account.refusals import ResourceError


def kubernetes_handlers(records: KubernetesRecords) -> dict[str, Handler]:
    """Return the custom resources of aws_eks_v2 and of this application that need a Kubernetes API server."""
    prefix = "Custom::AWSCDK-EKS-"
    return {
        f"{prefix}KubernetesResource": _Apply(records),
        f"{prefix}HelmChart": Release(records),
        f"{prefix}KubernetesPatch": _Patch(records),
        f"{prefix}KubernetesObjectValue": _Value(records),
        "Custom::NonDefaultStorageClass": _Task(records),
        "Custom::ReleasePreparation": _Preparation(records),
        "Custom::ReleaseReadiness": _Task(records),
    }


class _Apply(Handler):
    """kubectl create, apply and delete of a list of objects."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records

    def create(self, request: Request) -> Created:
        """As `kubectl create`, or `kubectl apply` where the manifest may overwrite."""
        overwrite = str(request.properties.get("Overwrite", False)).lower() == "true"
        for manifest in self._checked(request):
            key = self._key(request, manifest)
            if not overwrite and self._records.objects.get(key) is not None:
                raise ResourceError(f"Error from server (AlreadyExists): {manifests.identity(manifest)} already exists")
            self._records.objects.put(key, manifest)
        self._write(request)
        return Created(f"{request.stack}-{request.logical_id}", {})

    def update(self, request: Request) -> Created:
        """As `kubectl apply --prune`: what the new list lacks goes."""
        wanted = {self._key(request, manifest): manifest for manifest in self._checked(request)}
        for manifest in manifests.read(request.previous["Manifest"]):
            if (key := self._key(request, manifest)) not in wanted:
                self._records.objects.drop(key)
        for key, manifest in wanted.items():
            self._records.objects.put(key, manifest)
        self._write(request)
        return Created(request.physical_id, {})

    def delete(self, request: Request) -> None:
        """As `kubectl delete`; what made a load balancer cannot go once its controller is gone."""
        cluster = request.properties["ClusterName"]
        for manifest in reversed(manifests.read(request.properties["Manifest"])):
            if makes_load_balancer(manifest) and CONTROLLER not in self._records.charts(cluster):
                raise ResourceError(
                    f"{manifests.identity(manifest)} waits for its finalizer: the chart {CONTROLLER} is gone and "
                    "nobody deletes the load balancer; make the object depend on the controller to be deleted first"
                )
            self._records.objects.drop(self._key(request, manifest))
        self._records.erase(request)

    def _checked(self, request: Request) -> list[Manifest]:
        cluster, version = request.properties["ClusterName"], cluster_version(request)
        try:
            wanted = manifests.read(request.properties["Manifest"])
            namespaces = set(self._records.namespaces(cluster))
            for manifest in wanted:
                manifests.check(manifest, version=version, charts=self._records.charts(cluster))
                if manifest["kind"] == "Namespace":
                    namespaces.add(manifest["metadata"]["name"])
                self._require_namespace(manifest, namespaces)
        except ManifestError as error:
            raise ResourceError(f"error from kubectl: {error}") from error
        return wanted

    @staticmethod
    def _require_namespace(manifest: Manifest, namespaces: set[str]) -> None:
        if manifest["kind"] in manifests.CLUSTER_SCOPED:
            return
        namespace = manifest["metadata"].get("namespace", "default")
        if namespace not in namespaces:
            raise ManifestError(f'Error from server (NotFound): namespaces "{namespace}" not found')

    def _write(self, request: Request) -> None:
        self._records.write(request, "objects", {"objects": manifests.read(request.properties["Manifest"])})

    @staticmethod
    def _key(request: Request, manifest: Manifest) -> str:
        return f"{request.properties['ClusterName']} {manifests.identity(manifest)}"


class _Patch(Handler):
    """kubectl patch, with the reverse patch at deletion."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records

    def create(self, request: Request) -> Created:
        """Check that both patches are JSON, and write them down."""
        cluster_version(request)
        wanted = request.properties
        for key in ("ApplyPatchJson", "RestorePatchJson"):
            try:
                json.loads(wanted[key])
            except ValueError as error:
                raise ResourceError(f"error: unable to parse {key}: {error}") from error
        if wanted["PatchType"] not in {"json", "merge", "strategic"}:
            raise ResourceError(f"error: --type must be one of [json merge strategic], not {wanted['PatchType']!r}")
        fields = ("ResourceName", "ResourceNamespace", "PatchType")
        content = {name: wanted[name] for name in fields} | {"patch": json.loads(wanted["ApplyPatchJson"])}
        self._records.write(request, "patch", content)
        return Created(request.physical_id or f"{request.stack}-{request.logical_id}", {})

    def update(self, request: Request) -> Created:
        """As create."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forgets the patch."""
        self._records.erase(request)


class _Value(Handler):
    """kubectl get with a JSON path, which waits for a value that only a controller would write."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records

    def create(self, request: Request) -> Created:
        """Answers for an object that was recorded; one that was not would be waited for in vain."""
        cluster_version(request)
        wanted = request.properties
        asked = f"{wanted['ObjectType']}/{wanted['ObjectNamespace']}/{wanted['ObjectName']}".lower()
        known = {key.partition(" ")[2].lower() for key in self._records.objects.keys()}  # noqa: SIM118 - a Store
        if asked not in known:
            raise ResourceError(
                f"Timeout waiting for output from kubectl command: {asked} {wanted['JsonPath']} "
                "(last_error=Error from server (NotFound)); make the value depend on the object"
            )
        region = request.aws("eks").meta.region_name
        # The form of a load balancer's name, with a word in it that keeps it from being taken for one.
        value = f"{wanted['ObjectName']}-recorded.elb.{region}.amazonaws.com"
        self._records.write(request, "value", {"asked": asked, "path": wanted["JsonPath"], "answer": value})
        return Created(request.physical_id or f"{request.stack}-{request.logical_id}", {"Value": value})

    def update(self, request: Request) -> Created:
        """As create."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forgets the question."""
        self._records.erase(request)


class _Task(Handler):
    """The application's own tasks in the cluster, whose functions would call kubectl."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records

    def create(self, request: Request) -> Created:
        """Write the task down; a release that nobody has installed can never become ready."""
        cluster_version(request)
        wanted = request.properties
        if "Release" in wanted:
            self._release(wanted)
        content = {key: value for key, value in wanted.items() if key not in {"ServiceToken", "Trigger"}}
        self._records.write(request, "task", {"type": request.type_name, "properties": content})
        return Created(request.physical_id or f"{request.stack}-{request.logical_id}", {})

    def update(self, request: Request) -> Created:
        """As create."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forgets the task."""
        self._records.erase(request)

    def _release(self, wanted: Properties) -> None:
        if self._installed(wanted) is None:
            raise ResourceError(
                f"release {wanted['Release']} in namespace {wanted['Namespace']} is not ready: it was never "
                "installed; make the wait depend on the release"
            )

    def _installed(self, wanted: Properties) -> Properties | None:
        return self._records.releases.get(_key(wanted))


class _Preparation(_Task):
    """What makes etcd's StatefulSet again with volumes of another size, before Helm may ask for it."""

    def _release(self, wanted: Properties) -> None:
        if installed := self._installed(wanted):
            self._records.releases.put(_key(wanted), {**installed, "claims": f"{wanted['VolumeGib']}Gi"})


def _key(wanted: Properties) -> str:
    return f"{wanted['ClusterName']} {wanted['Namespace']}/{wanted['Release']}"
