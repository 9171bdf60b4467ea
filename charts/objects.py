"""Custom resources, whose classes no library brings: their kinds come with an operator, not with Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cdk8s
from constructs import Construct


def custom_resource(
    scope: Construct,
    construct_id: str,
    *,
    api_version: str,
    kind: str,
    name: str,
    namespace: str,
    spec: Mapping[str, Any],
) -> cdk8s.ApiObject:
    """Return an object of an operator's API. Built-in kinds are made by their classes in `cdk8s_plus_27.k8s`."""
    found = cdk8s.ApiObject(
        scope,
        construct_id,
        api_version=api_version,
        kind=kind,
        metadata=cdk8s.ApiObjectMetadata(name=name, namespace=namespace),
    )
    # cdk8s for Python takes no further fields in the constructor.
    found.add_json_patch(cdk8s.JsonPatch.add("/spec", spec))
    return found
