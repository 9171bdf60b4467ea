"""Takes the mark of the default from a StorageClass, where there is one."""

from __future__ import annotations

import json

from .kubectl import kubectl

_MARKS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def make_non_default(name: str) -> str:
    """Mark a StorageClass as not the default one, and return what was done.

    A class that does not exist is left alone: EKS creates no ``gp2`` in every cluster.
    """
    found = kubectl("get", "storageclass", name, "--ignore-not-found", "--output", "json")
    if not found.strip():
        return f"there is no StorageClass {name}"
    annotations = json.loads(found)["metadata"].get("annotations", {})
    marked = {mark: "false" for mark in _MARKS if annotations.get(mark) == "true"}
    if not marked:
        return f"StorageClass {name} is not the default"
    patch = json.dumps({"metadata": {"annotations": marked}})
    kubectl("patch", "storageclass", name, "--type", "merge", "--patch", patch)
    return f"StorageClass {name} is the default no longer"
