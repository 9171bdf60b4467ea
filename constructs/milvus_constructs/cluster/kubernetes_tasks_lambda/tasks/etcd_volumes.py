"""Lets the volumes of etcd grow, which neither Helm nor a StatefulSet can.

Kubernetes lets nobody change the claim templates of a StatefulSet. So the claims are enlarged one by one, and then the
StatefulSet is made again around its pods, which go on: the next upgrade finds the templates that it wants.
"""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

from .kubectl import items, kubectl

_MANIFEST = Path(os.environ.get("TASKS_DIRECTORY", "/tmp")) / "tasks-manifest.json"  # noqa: S108 - Lambda's only one
_CLAIM = "data"
"""The chart's name of the claim of each member."""
_UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_ONCE_IN_SIX_HOURS = "AWS changes a volume once in six hours: deploy again when those are over"
_LONGEST_REASON = 300


def grow(namespace: str, name: str, gib: int) -> list[str]:
    """Bring the volumes of a StatefulSet to a size, and return what has to be waited for.

    Volumes only grow. A smaller size, as a rollback asks for it, changes the templates and no claim. It may be ended at
    any moment and be called again: a copy of the StatefulSet is kept until it is there again.

    Args:
        namespace: Namespace of the StatefulSet.
        name: Its name. One that does not exist yet gets the size from its chart.
        gib: Size of each volume in GiB.
    """
    found = _get(namespace, "statefulset", name)
    if found is None:
        kept = _get(namespace, "configmap", _copy_name(name))
        if kept is None:
            return []
        _write(json.loads(kept["data"]["manifest"]))
        _apply()
        return [f"StatefulSet {name} is made again"]
    if waiting := _claims(namespace, name, gib):
        return waiting
    if _size(_template(found)["spec"]) != gib * _UNITS["Gi"]:
        _recreate(namespace, found, gib)
    return []


def _claims(namespace: str, name: str, gib: int) -> list[str]:
    """Ask for larger volumes where they are smaller, and return those that are not there yet."""
    found = items("persistentvolumeclaims,events", namespace=namespace)
    events = [each for each in found if each["kind"] == "Event" and each.get("type") == "Warning"]
    ours = re.compile(f"{_CLAIM}-{re.escape(name)}-[0-9]+")
    waiting = []
    for claim in (each for each in found if each["kind"] == "PersistentVolumeClaim"):
        claim_name, status = claim["metadata"]["name"], claim["status"]
        # A claim without a volume cannot grow: its pod was never placed.
        if not ours.fullmatch(claim_name) or status.get("phase") != "Bound":
            continue
        if _size(claim["spec"]) < gib * _UNITS["Gi"]:
            patch = json.dumps({"spec": {"resources": {"requests": {"storage": f"{gib}Gi"}}}})
            kubectl("patch", "persistentvolumeclaim", claim_name, "--namespace", namespace, "--patch", patch)
        has = status.get("capacity", {}).get("storage", "0")
        if _bytes(has) < gib * _UNITS["Gi"]:
            waiting.append(f"claim {claim_name} has {has} of {gib}Gi: {_why(claim, events)}")
    return [*waiting, *([_ONCE_IN_SIX_HOURS] if waiting else [])]


def _why(claim: dict[str, Any], events: list[dict[str, Any]]) -> str:
    own = [
        event.get("message", "")
        for event in events
        if event.get("involvedObject", {}).get("name") == claim["metadata"]["name"]
    ]
    told = own or [each.get("message", "") for each in claim["status"].get("conditions", [])]
    text = " ".join(told[-1].split()) if told else ""
    return text[:_LONGEST_REASON] or "the driver is at work"


def _recreate(namespace: str, found: dict[str, Any], gib: int) -> None:
    """Make the StatefulSet again with another size: deleted without its pods, it takes them over."""
    name = found["metadata"]["name"]
    kept = _copy_name(name)
    wanted = _essence(found)
    _template(wanted)["spec"]["resources"]["requests"]["storage"] = f"{gib}Gi"
    _write(wanted)
    kubectl("delete", "configmap", kept, "--namespace", namespace, "--ignore-not-found")
    kubectl("create", "configmap", kept, "--namespace", namespace, "--from-file", f"manifest={_MANIFEST}")
    kubectl("delete", "statefulset", name, "--namespace", namespace, "--cascade=orphan")
    _apply()
    kubectl("delete", "configmap", kept, "--namespace", namespace, "--ignore-not-found")
    print(f"StatefulSet {name} was made again, for volumes of {gib} GiB")  # noqa: T201 - Lambda's log


def _essence(found: dict[str, Any]) -> dict[str, Any]:
    """Return what somebody wants of an object, without what the cluster adds."""
    wanted = copy.deepcopy({key: found[key] for key in ("apiVersion", "kind", "spec")})
    wanted["metadata"] = {
        key: value for key, value in found["metadata"].items() if key in {"name", "namespace", "labels", "annotations"}
    }
    _template(wanted).pop("status", None)
    return wanted


def _write(manifest: dict[str, Any]) -> None:
    _MANIFEST.write_text(json.dumps(manifest), encoding="utf-8")


def _apply() -> None:
    """Apply the object as Helm does, under its name: it refuses to touch what somebody else has written."""
    kubectl("apply", "--server-side", "--field-manager", "helm", "--filename", str(_MANIFEST))


def _get(namespace: str, kind: str, name: str) -> dict[str, Any] | None:
    answer = kubectl("get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "json")
    found: dict[str, Any] | None = json.loads(answer) if answer.strip() else None
    return found


def _copy_name(name: str) -> str:
    return f"{name}-being-made-again"


def _template(stateful_set: dict[str, Any]) -> dict[str, Any]:
    [found] = [each for each in stateful_set["spec"]["volumeClaimTemplates"] if each["metadata"]["name"] == _CLAIM]
    template: dict[str, Any] = found
    return template


def _size(spec: dict[str, Any]) -> int:
    return _bytes(spec["resources"]["requests"]["storage"])


def _bytes(quantity: str) -> int:
    """Return a quantity of Kubernetes in bytes."""
    match = re.fullmatch(r"(\d+)(|Ki|Mi|Gi|Ti)", quantity)
    if match is None:
        raise ValueError(f"size {quantity!r} of a volume: neither bytes nor Ki, Mi, Gi or Ti")
    return int(match[1]) * _UNITS[match[2]]
