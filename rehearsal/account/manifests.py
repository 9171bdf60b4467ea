"""Checks one Kubernetes object as an API server of a given version would, without one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import kubernetes_validate
from kubernetes_validate import utils

Manifest = dict[str, Any]

_CLUSTER_SCOPED_KINDS = """
    Namespace Node PersistentVolume StorageClass ClusterRole ClusterRoleBinding CustomResourceDefinition
    PriorityClass IngressClass CSIDriver RuntimeClass MutatingWebhookConfiguration
    ValidatingWebhookConfiguration APIService VolumeAttachment ClusterSecretStore ClusterExternalSecret
    IngressClassParams VolumeSnapshotClass
"""
CLUSTER_SCOPED = frozenset(_CLUSTER_SCOPED_KINDS.split())
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class ManifestError(ValueError):
    """An object that the API server would refuse, or accept and silently cut."""


@dataclass(frozen=True)
class CustomKind:
    """A kind that a chart brings with a CustomResourceDefinition: what its ``spec`` must and may hold."""

    chart: str | None
    versions: tuple[str, ...]
    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


_STORE = CustomKind(
    chart="external-secrets",
    versions=("v1",),
    required=frozenset({"provider"}),
    allowed=frozenset({"provider", "retrySettings", "refreshInterval", "conditions", "controller"}),
)
CUSTOM_KINDS: Mapping[tuple[str, str], CustomKind] = {
    ("external-secrets.io", "SecretStore"): _STORE,
    ("external-secrets.io", "ClusterSecretStore"): _STORE,
    ("external-secrets.io", "ExternalSecret"): CustomKind(
        chart="external-secrets",
        versions=("v1",),
        required=frozenset({"secretStoreRef"}),
        allowed=frozenset({"secretStoreRef", "target", "data", "dataFrom", "refreshInterval", "refreshPolicy"}),
    ),
    ("elbv2.k8s.aws", "TargetGroupBinding"): CustomKind(
        chart="aws-load-balancer-controller",
        versions=("v1beta1",),
        required=frozenset({"serviceRef"}),
        allowed=frozenset(
            {"serviceRef", "targetGroupARN", "targetGroupName", "targetType", "networking", "ipAddressType", "vpcID"}
        ),
    ),
    ("elbv2.k8s.aws", "IngressClassParams"): CustomKind(
        chart="aws-load-balancer-controller",
        versions=("v1beta1",),
        allowed=frozenset({"scheme", "group", "subnets", "inboundCIDRs", "certificateArn", "tags", "ipAddressType"}),
    ),
    ("monitoring.coreos.com", "ServiceMonitor"): CustomKind(
        chart="kube-prometheus-stack",
        versions=("v1",),
        required=frozenset({"endpoints", "selector"}),
        allowed=frozenset({"endpoints", "selector", "namespaceSelector", "jobLabel", "targetLabels"}),
    ),
    # k3s and RKE2 know this kind, EKS does not: there it must have become a Helm release (docs/adr/0001).
    ("helm.cattle.io", "HelmChart"): CustomKind(chart=None, versions=("v1",)),
}


def identity(manifest: Manifest) -> str:
    """``Kind/namespace/name``, or ``Kind/name`` for what belongs to no namespace."""
    metadata = manifest.get("metadata", {})
    if manifest["kind"] in CLUSTER_SCOPED:
        return f"{manifest['kind']}/{metadata['name']}"
    return f"{manifest['kind']}/{metadata.get('namespace', 'default')}/{metadata['name']}"


def check(manifest: Manifest, *, version: str, charts: frozenset[str]) -> None:
    """Check an object against the schemas of a Kubernetes version; unknown fields and unknown kinds are faults.

    Args:
        manifest: the object.
        version: Kubernetes version of the cluster, such as ``1.36``.
        charts: names of the Helm charts that are installed; their custom kinds exist.

    Raises:
        ManifestError: Worded as kubectl does.
    """
    kind, api_version = manifest.get("kind"), manifest.get("apiVersion")
    name = (manifest.get("metadata") or {}).get("name")
    if not kind or not api_version:
        raise ManifestError("error validating data: [apiVersion not set, kind not set]")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ManifestError(f'The {kind} "{name}" is invalid: metadata.name: must be a lowercase RFC 1123 subdomain')
    group = api_version.rpartition("/")[0]
    if (group, kind) in CUSTOM_KINDS:
        _check_custom(manifest, CUSTOM_KINDS[group, kind], charts)
        return
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except utils.SchemaNotFoundError as error:
        raise ManifestError(
            f'no matches for kind "{kind}" in version "{api_version}" (Kubernetes {version})'
        ) from error
    except utils.ValidationError as error:
        path = ".".join(str(part) for part in error.path)
        raise ManifestError(f'{kind} "{name}" is invalid: {path or "(root)"}: {error.message}') from error


def _check_custom(manifest: Manifest, custom: CustomKind, charts: frozenset[str]) -> None:
    kind, api_version = manifest["kind"], manifest["apiVersion"]
    missing = f'no matches for kind "{kind}" in version "{api_version}"; ensure CRDs are installed first'
    if custom.chart is None or custom.chart not in charts:
        raise ManifestError(f"{missing} (they come with the chart {custom.chart})" if custom.chart else missing)
    if api_version.rpartition("/")[2] not in custom.versions:
        raise ManifestError(missing)
    spec = manifest.get("spec") or {}
    for name in sorted(custom.required - set(spec)):
        raise ManifestError(f'{kind} "{manifest["metadata"]["name"]}" is invalid: spec.{name}: Required value')
    for name in sorted(set(spec) - custom.allowed):
        raise ManifestError(f'{kind} "{manifest["metadata"]["name"]}" is invalid: unknown field "spec.{name}"')


def read(text: str) -> list[Manifest]:
    """Return the objects of a ``Manifest`` property, which is a JSON list.

    Raises:
        ManifestError: It is not.
    """
    try:
        objects = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"the Manifest property is not JSON: {error}") from error
    if not isinstance(objects, list) or not all(isinstance(entry, dict) for entry in objects):
        raise ManifestError("the Manifest property must be a JSON list of objects")
    return objects
