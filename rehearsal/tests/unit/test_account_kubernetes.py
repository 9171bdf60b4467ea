"""Without an API server, manifests and releases are checked as kubectl and helm would, and written down."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.kubernetes import ClusterAccess, KubernetesUnreachableError, read_workloads
from rehearsal.account import manifests
from rehearsal.account.base import Handler, Request
from rehearsal.account.kubernetes_api import KubernetesApis, answer
from rehearsal.account.kubernetes_handlers import kubernetes_handlers
from rehearsal.account.kubernetes_records import NOTE, KubernetesRecords
from rehearsal.account.manifests import ManifestError
from rehearsal.account.options import AccountOptions
from rehearsal.account.refusals import ResourceError

_SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "milvus-service", "namespace": "milvus"},
    "spec": {"type": "LoadBalancer", "ports": [{"port": 19530}]},
}
_NAMESPACE: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "milvus"}}
_STORE: dict[str, Any] = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "SecretStore",
    "metadata": {"name": "aws", "namespace": "milvus"},
    "spec": {"provider": {}},
}


class Cluster:
    """The custom resources of one recorded cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = KubernetesRecords(AccountOptions(run_dir=folder, region="eu-central-1"))
        self._handlers = kubernetes_handlers(self.records)

    def handler(self, kind: str) -> Handler:
        return self._handlers[kind if kind.startswith("Custom::") else f"Custom::AWSCDK-EKS-{kind}"]

    def request(self, logical_id: str, **properties: Any) -> Request:
        described = {"cluster": {"version": "1.36"}}
        eks = SimpleNamespace(describe_cluster=lambda **_: described, meta=SimpleNamespace(region_name="eu-central-1"))
        return Request(
            type_name="T",
            logical_id=logical_id,
            stack="milvus-dev-milvus",
            properties={"ClusterName": "milvus", **properties},
            aws=lambda _service: eks,
            physical_id=logical_id,
        )

    def apply(self, logical_id: str, *objects: dict[str, Any], **more: Any) -> Request:
        request = self.request(logical_id, Manifest=json.dumps(objects), **more)
        self.handler("KubernetesResource").create(request)
        return request

    def install(self, logical_id: str, chart: str, **more: Any) -> Request:
        properties = {"Release": chart, "Chart": chart, "Version": "1.0.0", "Namespace": "kube-system"} | more
        request = self.request(logical_id, **properties)
        self.handler("HelmChart").create(request)
        return request


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_a_record_says_that_nothing_was_applied(cluster: Cluster) -> None:
    cluster.apply("Ns", _NAMESPACE)
    record = json.loads((cluster.folder / "kubernetes" / "Ns.json").read_text())
    assert record["objects"] == [_NAMESPACE]
    assert record["note"] == NOTE


def test_an_unknown_field_fails(cluster: Cluster) -> None:
    bad = {**_NAMESPACE, "spec": {"finalizer": []}}
    with pytest.raises(ResourceError, match=r'Namespace "milvus" is invalid: spec: .*finalizer'):
        cluster.apply("Ns", bad)


@pytest.mark.parametrize(
    ("kind", "version"), [("PodSecurityPolicy", "policy/v1beta1"), ("Ingress", "extensions/v1beta1"), ("Pood", "v1")]
)
def test_an_unknown_or_removed_kind_fails(kind: str, version: str) -> None:
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
    with pytest.raises(ManifestError, match=f'no matches for kind "{kind}" in version "{version}"'):
        manifests.check(manifest, version="1.36", charts=frozenset())


def test_an_object_without_kind_or_with_a_bad_name_fails() -> None:
    with pytest.raises(ManifestError, match="apiVersion not set, kind not set"):
        manifests.check({"metadata": {"name": "x"}}, version="1.36", charts=frozenset())
    with pytest.raises(ManifestError, match="lowercase RFC 1123"):
        manifests.check({**_NAMESPACE, "metadata": {"name": "Upper"}}, version="1.36", charts=frozenset())


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("{}", "must be a JSON list")])
def test_a_manifest_property_must_be_a_json_list(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        manifests.read(text)


def test_an_object_needs_its_namespace(cluster: Cluster) -> None:
    with pytest.raises(ResourceError, match='namespaces "milvus" not found'):
        cluster.apply("Service", _SERVICE)


def test_an_object_exists_once_unless_it_may_overwrite(cluster: Cluster) -> None:
    cluster.apply("Ns", _NAMESPACE)
    cluster.apply("Again", _NAMESPACE, Overwrite=True)
    with pytest.raises(ResourceError, match="AlreadyExists"):
        cluster.apply("Third", _NAMESPACE)


def test_a_custom_kind_needs_its_chart_first(cluster: Cluster) -> None:
    cluster.apply("Ns", _NAMESPACE)
    with pytest.raises(ResourceError, match=r"ensure CRDs are installed first .*external-secrets"):
        cluster.apply("Store", _STORE)
    cluster.install("Eso", "external-secrets")
    cluster.apply("Store", _STORE)


@pytest.mark.parametrize(
    ("spec", "message"),
    [({}, "spec.provider: Required value"), ({"provider": {}, "typo": 1}, 'unknown field "spec.typo"')],
)
def test_a_custom_object_is_checked_in_its_structure(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        manifests.check({**_STORE, "spec": spec}, version="1.36", charts=frozenset({"external-secrets"}))


def test_a_helm_chart_object_is_unknown_to_eks() -> None:
    manifest = {"apiVersion": "helm.cattle.io/v1", "kind": "HelmChart", "metadata": {"name": "milvus"}}
    with pytest.raises(ManifestError, match='no matches for kind "HelmChart"'):
        manifests.check(manifest, version="1.36", charts=frozenset())


def test_the_load_balancer_controller_goes_last(cluster: Cluster) -> None:
    # GIVEN a controller and a Service that it made a load balancer for
    controller = cluster.install("Lbc", "aws-load-balancer-controller")
    cluster.apply("Ns", _NAMESPACE)
    service = cluster.apply("Service", _SERVICE)
    # WHEN the controller would be deleted first, THEN it is refused
    with pytest.raises(ResourceError, match=r"uninstalled before Service/milvus/milvus-service"):
        cluster.handler("HelmChart").delete(controller)
    # AND in the right order both go
    cluster.handler("KubernetesResource").delete(service)
    cluster.handler("HelmChart").delete(controller)


def test_a_service_cannot_lose_its_load_balancer_without_the_controller(cluster: Cluster) -> None:
    cluster.apply("Ns", _NAMESPACE)
    service = cluster.apply("Service", _SERVICE)
    with pytest.raises(ResourceError, match="waits for its finalizer"):
        cluster.handler("KubernetesResource").delete(service)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Release": "Upper"}, 'release name "Upper" is invalid'),
        ({"Version": None}, "no chart version is given"),
        ({"Namespace": "missing"}, 'namespaces "missing" not found'),
        ({"Wait": True, "Timeout": "1200s"}, "longer than the function"),
        ({"Timeout": "ten"}, 'invalid duration "ten"'),
        ({"Values": "["}, "failed to parse values.yaml"),
        ({"Values": "[]"}, "not a mapping"),
        ({"Chart": None}, "chart or chartAsset must be specified"),
    ],
)
def test_a_release_that_helm_refuses_is_refused(cluster: Cluster, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        cluster.install("Release", "some-chart", **change)


def test_workloads_of_a_recorded_release_are_served_as_if_every_pod_were_ready(cluster: Cluster) -> None:
    # GIVEN a recorded release, and the API of its cluster
    values = {"cluster": {"enabled": True}, "proxy": {"replicas": 2}, "indexNode": {"enabled": False}}
    release = cluster.install("Milvus", "milvus", Values=json.dumps(values))
    apis = KubernetesApis(cluster.records)
    endpoint = apis.open("milvus")
    access = ClusterAccess(
        endpoint=endpoint.url,
        ca_pem=base64.b64decode(endpoint.certificate_authority).decode(),
        token="k8s-aws-v1.made-up",
    )
    # WHEN the day-2 commands read it as they read any cluster, THEN they see it rolled out
    found = read_workloads(access, namespace="kube-system")
    assert [(each.kind, each.name, each.ready, each.wanted, each.healthy) for each in found] == [
        ("Deployment", "milvus-proxy", 2, 2, True),
        ("StatefulSet", "milvus-etcd", 3, 3, True),
    ]
    assert read_workloads(access, namespace="other") == ()
    # WHEN the release is uninstalled, THEN nothing is left
    cluster.handler("HelmChart").delete(release)
    assert read_workloads(access, namespace="kube-system") == ()
    # AND with the cluster goes its API
    apis.close("milvus")
    with pytest.raises(KubernetesUnreachableError, match="cannot be reached"):
        read_workloads(access, namespace="kube-system")


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        ("/apis/apps/v1/namespaces/milvus/deployments?limit=250", "Bearer k8s-aws-v1.x", 200),
        ("/apis/apps/v1/namespaces/milvus/deployments", "", 401),
        ("/apis/apps/v1/namespaces/milvus/deployments", "Bearer something-else", 401),
        ("/api/v1/namespaces/milvus/secrets", "Bearer k8s-aws-v1.x", 404),
    ],
)
def test_recorded_api_wants_a_token_of_eks_and_serves_workloads_only(
    cluster: Cluster, path: str, authorization: str, status: int
) -> None:
    assert answer(cluster.records, "milvus", path, authorization=authorization).status == status


def test_a_patch_must_be_json(cluster: Cluster) -> None:
    wanted = {"ResourceName": "sc/gp2", "ResourceNamespace": "default", "PatchType": "merge"}
    good = cluster.request("Patch", ApplyPatchJson="{}", RestorePatchJson="{}", **wanted)
    cluster.handler("KubernetesPatch").create(good)
    with pytest.raises(ResourceError, match="unable to parse ApplyPatchJson"):
        cluster.handler("KubernetesPatch").create(
            cluster.request("Patch", ApplyPatchJson="{", RestorePatchJson="{}", **wanted)
        )
    with pytest.raises(ResourceError, match="--type must be one of"):
        cluster.handler("KubernetesPatch").create(
            cluster.request("Patch", ApplyPatchJson="{}", RestorePatchJson="{}", **(wanted | {"PatchType": "other"}))
        )


def test_a_value_of_an_object_that_was_never_applied_times_out(cluster: Cluster) -> None:
    asked = {"ObjectType": "service", "ObjectName": "milvus-service", "ObjectNamespace": "milvus", "JsonPath": ".x"}
    with pytest.raises(ResourceError, match=r"Timeout waiting for output .*NotFound"):
        cluster.handler("KubernetesObjectValue").create(cluster.request("Value", **asked))
    cluster.apply("Ns", _NAMESPACE)
    cluster.apply("Service", _SERVICE)
    created = cluster.handler("KubernetesObjectValue").create(cluster.request("Value", **asked))
    assert created.attributes["Value"] == "milvus-service-recorded.elb.eu-central-1.amazonaws.com"


def test_a_release_that_was_never_installed_is_never_ready(cluster: Cluster) -> None:
    wait = cluster.request("Wait", Namespace="kube-system", Release="milvus")
    with pytest.raises(ResourceError, match="never installed"):
        cluster.handler("Custom::ReleaseReadiness").create(wait)
    cluster.install("Milvus", "milvus")
    cluster.handler("Custom::ReleaseReadiness").create(wait)


def test_volumes_of_etcd_change_only_where_the_way_was_prepared(cluster: Cluster) -> None:
    # GIVEN a release, whose way was prepared before there was one
    def release(gib: int) -> dict[str, Any]:
        return {"Values": json.dumps({"etcd": {"persistence": {"size": f"{gib}Gi"}}})}

    def prepare(gib: int) -> None:
        wanted = cluster.request("Prepare", Namespace="kube-system", Release="milvus", VolumeGib=str(gib))
        cluster.handler("Custom::ReleasePreparation").update(wanted)

    prepare(20)
    cluster.install("Milvus", "milvus", **release(20))
    cluster.install("Milvus", "milvus", **release(20))
    # WHEN Helm alone asks for another size, THEN it is refused as Kubernetes does, and after the preparation it is not
    with pytest.raises(
        ResourceError, match=r"updates to statefulset spec for fields other than 'replicas', .* are forb"
    ):
        cluster.install("Milvus", "milvus", **release(50))
    prepare(50)
    cluster.install("Milvus", "milvus", **release(50))
    with pytest.raises(ResourceError, match='cannot patch "milvus-etcd" with kind StatefulSet'):
        cluster.install("Milvus", "milvus", **release(20))


def test_an_update_prunes_what_the_manifest_lost(cluster: Cluster) -> None:
    # GIVEN two objects
    first = cluster.apply("Objects", _NAMESPACE, {**_SERVICE, "metadata": {"name": "a", "namespace": "default"}})
    # WHEN the second is taken out
    update = Request(
        type_name="T",
        logical_id="Objects",
        stack="s",
        properties={"ClusterName": "milvus", "Manifest": json.dumps([_NAMESPACE])},
        previous=first.properties,
        aws=first.aws,
        physical_id="Objects",
    )
    cluster.handler("KubernetesResource").update(update)
    # THEN it may be created again
    cluster.apply("Other", {**_SERVICE, "metadata": {"name": "a", "namespace": "default"}})
