"""Judges what CDK's functions keep in the cluster: the namespace that holds etcd's volumes, and Helm releases."""

from __future__ import annotations

import json
import re
from typing import Any

from ops.gate.changeset import Change

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
RELEASE = "Custom::AWSCDK-EKS-HelmChart"

# A change set names the objects of a manifest only where its property values were asked for. The logical id names them
# always: an object of a chart has the id `<Kind>-<name>` (`milvus_constructs.cluster.attached_chart`), and CDK leaves
# letters, digits and its hash of the path. Names are lower case, so that the kind cannot be mistaken.
_NAMESPACE_ID = re.compile(r"Namespace[a-z0-9]+[0-9A-F]{8}$")

# CDK's function runs `helm upgrade --install` with what the change says, and forgets a release of another name or in
# another namespace (aws-cdk#24063).
_IDENTITY = ("Namespace", "Release")

_NAMESPACE_LOST = (
    "everything in the namespace, with etcd's volumes: without them Milvus knows none of its collections, whatever the "
    "bucket still holds"
)
_RELEASE_LOST = (
    "what its release runs; a Milvus in another release starts with an empty etcd, and after a day it deletes the "
    "files in the bucket that it does not know"
)


def lost_in_cluster(change: Change) -> str | None:
    """Return what goes with a manifest or release that leaves its stack; None for one that holds nothing."""
    if change.resource_type == RELEASE:
        return _RELEASE_LOST
    if change.resource_type != MANIFEST:
        return None
    holds = _NAMESPACE_ID.search(change.logical_id) or _namespaces(change.before)
    return _NAMESPACE_LOST if holds else None


def changed_in_cluster(change: Change) -> tuple[str, str] | None:
    """Return what a change in place does to a manifest or release, and what is lost; None when nothing is.

    Replacement says nothing here: CloudFormation calls the function, which changes the object in place.
    """
    if change.resource_type == RELEASE:
        changed = {detail.target.property_name for detail in change.details}
        names = [name for name in _IDENTITY if name in changed]
        return (f"would be left behind for another one ({' and '.join(names)} changes)", "") if names else None
    gone = sorted(_namespaces(change.before) - _namespaces(change.after)) if change.after else []
    return (f"would no longer hold the namespace {', '.join(gone)}", _NAMESPACE_LOST) if gone else None


def _namespaces(context: str | None) -> frozenset[str]:
    """Return the namespaces in a resource's context: JSON with the manifest's JSON as one of its properties."""
    try:
        manifest = json.loads(json.loads(context or "{}")["Properties"]["Manifest"])
    except (KeyError, TypeError, ValueError):
        return frozenset()  # not asked for, or with a value that is known only while the change runs
    objects: list[Any] = manifest if isinstance(manifest, list) else [manifest]
    return frozenset(
        str(found["metadata"]["name"])
        for found in objects
        if isinstance(found, dict) and found.get("kind") == "Namespace" and "name" in found.get("metadata", {})
    )
