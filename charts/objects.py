"""Kubernetes objects from plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cdk8s
from constructs import Construct


def api_object(
    scope: Construct,
    construct_id: str,
    *,
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,  # noqa: ANN401 - a Kubernetes object's fields are any JSON
) -> cdk8s.ApiObject:
    """Return an object with a fixed name; ``fields`` are its top-level fields, such as ``spec``.

    The typed classes of cdk8s-plus-27 are not used: they stop at Kubernetes 1.27, and loading them alone takes 0.7 s of
    every synth. The rendered objects are validated against the cluster's version in tests instead.
    """
    found = cdk8s.ApiObject(
        scope,
        construct_id,
        api_version=api_version,
        kind=kind,
        metadata=cdk8s.ApiObjectMetadata(
            name=name,
            namespace=namespace,
            labels=dict(labels) if labels else None,
            annotations=dict(annotations) if annotations else None,
        ),
    )
    # cdk8s for Python takes no further fields in the constructor.
    found.add_json_patch(*(cdk8s.JsonPatch.add(f"/{field}", value) for field, value in fields.items()))
    return found
