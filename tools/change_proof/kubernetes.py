"""What a change of the objects in the cluster does: by the rules of Kubernetes, Helm and the controllers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from settings.changes import Effect
from tools.change_proof.stacks import differing, text

Found = tuple[Effect, str]

Object = dict[str, Any]

_MILVUS = "milvus"
"""Name of the chart; all others are controllers."""

# https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ : "updates to statefulset spec for fields other
# than 'replicas', 'template', ... are forbidden" (milvus-operator#351).
_CLAIMS = ("etcd", "persistence")
# But for the size: Custom::ReleasePreparation lets the claims grow before the release, and makes the StatefulSet again.
_SIZE_OF_CLAIMS = (*_CLAIMS, "size")
# Where Milvus looks for what it has written: another value finds nothing.
_PLACES_OF_DATA = (("externalS3", "rootPath"), ("externalS3", "bucketName"))
_PLACES_IN_CONFIGURATION = (("msgChannel", "chanNamePrefix"), ("minio", "rootPath"))
# milvus#26002: Milvus keeps its queue in etcd.
_QUEUES = ("pulsar", "pulsarv3", "kafka", "externalKafka", "woodpecker")
_QUEUE_SWITCHES = ("enabled",)
# Values of which no pod template is made.
_BESIDE_PODS = ("metrics", "service")
_BESIDE_A_COMPONENTS_PODS = ("replicas", "strategy")
# What the load balancer controller makes another load balancer for.
# https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
_ANOTHER_BALANCER = ("aws-load-balancer-scheme", "aws-load-balancer-type", "ingress.kubernetes.io/scheme")


def release(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Found]:
    """Yield what a changed Helm release does (`Custom::AWSCDK-EKS-HelmChart`)."""
    if any(before.get(key) != after.get(key) for key in ("Release", "Namespace")):
        yield Effect.NEVER, "Helm installs another release beside the old one (aws-cdk#24063)"
    if before.get("Chart") != _MILVUS:
        yield Effect.IN_PLACE, f"the controller {before.get('Chart')} is upgraded"
        return
    if before.get("Version") != after.get("Version"):
        yield Effect.RESTARTS_PODS, "another version of the chart"
    if before.get("Repository") != after.get("Repository"):
        yield Effect.IN_PLACE, "the chart comes from elsewhere"
    old, new = (json.loads(text(each.get("Values", "{}"))) for each in (before, after))
    yield from values_effects(old, new)


def values_effects(before: Object, after: Object) -> Iterator[Found]:
    """Yield what changed values of the Milvus chart do."""
    for path in differing(before, after):
        yield _value(path, before, after)


def _value(path: tuple[str, ...], before: Object, after: Object) -> Found:
    key = ".".join(path)
    if path[:2] == _CLAIMS and path != _SIZE_OF_CLAIMS:
        return Effect.NEVER, f"{key}: Kubernetes forbids another volumeClaimTemplate"
    if path in _PLACES_OF_DATA:
        return Effect.NEVER, f"{key}: the data is looked for elsewhere"
    if path[0] in _QUEUES and path[1:] == _QUEUE_SWITCHES:
        return Effect.NEVER, f"{key}: Milvus keeps its queue in etcd (milvus#26002)"
    if path[0] == "extraConfigFiles":
        old, new = (_configuration(each) for each in (before, after))
        for place in differing(old, new):
            if any(place[: len(each)] == each for each in _PLACES_IN_CONFIGURATION):
                return Effect.NEVER, f"{'.'.join(place)}: the data is looked for elsewhere"
    if path == _SIZE_OF_CLAIMS or path[0] in _BESIDE_PODS or (path[1:2] and path[1] in _BESIDE_A_COMPONENTS_PODS):
        return Effect.IN_PLACE, key
    return Effect.RESTARTS_PODS, key


def _configuration(values: Object) -> Object:
    found: Object = yaml.safe_load(values.get("extraConfigFiles", {}).get("user.yaml", "")) or {}
    return found


def manifest(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Iterator[Found]:
    """Yield what a changed, added or removed manifest does (`Custom::AWSCDK-EKS-KubernetesResource`)."""
    old, new = (_objects(each) for each in (before, after))
    for key in sorted(old.keys() | new.keys()):
        yield from _object(key, old.get(key), new.get(key))


def _objects(properties: dict[str, Any] | None) -> dict[str, Object]:
    listed = json.loads(text(properties["Manifest"])) if properties else []
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in listed}


def _object(key: str, before: Object | None, after: Object | None) -> Iterator[Found]:
    one = before or after or {}
    if before == after:
        return
    if before is None or after is None:
        if before is not None and one["kind"] == "Namespace":
            yield Effect.NEVER, f"{key} goes, with everything in it"
        elif before is not None and _balances(one):
            yield Effect.REPLACES, f"{key} goes, with its load balancer"
        else:
            yield Effect.IN_PLACE, f"{key} {'comes' if after else 'goes'}"
        return
    for path in differing(before, after):
        yield _field(key, one["kind"], path)


def _field(key: str, kind: str, path: tuple[str, ...]) -> Found:
    where = f"{key}: {'.'.join(path)}"
    if kind == "StorageClass" and path[0] in {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"}:
        return Effect.NEVER, f"{where}: Kubernetes forbids updates to parameters"
    if kind == "Deployment" and path[:2] == ("spec", "selector"):
        return Effect.NEVER, f"{where}: Kubernetes forbids another selector"
    if kind == "Deployment" and path[:2] == ("spec", "template"):
        return Effect.RESTARTS_PODS, where
    if kind in {"Service", "Ingress"} and any(path[-1].endswith(each) for each in _ANOTHER_BALANCER):
        return Effect.REPLACES, f"{where}: another load balancer"
    return Effect.IN_PLACE, where


def _balances(one: Object) -> bool:
    return bool(one["kind"] == "Ingress" or one.get("spec", {}).get("type") == "LoadBalancer")
