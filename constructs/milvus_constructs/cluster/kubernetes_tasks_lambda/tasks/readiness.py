"""Tells whether the workloads of a Helm release are rolled out, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settings.rollout import available_pods, is_rolled_out, wanted_pods

from .kubectl import items

# What Kubernetes says of a container that is only on its way.
_ON_ITS_WAY = {"ContainerCreating", "PodInitializing"}
_LONGEST_REASON = 300


def not_ready(namespace: str, release: str) -> list[str]:
    """Return a line for each workload of a release that is not rolled out; an empty list means that it is ready."""
    selector = f"app.kubernetes.io/instance={release}"
    workloads = items("deployments,statefulsets", namespace=namespace, selector=selector)
    if not workloads:
        return [f"no deployment with the label {selector} in the namespace {namespace}"]
    waiting = [workload for workload in workloads if not is_rolled_out(workload)]
    if not waiting:
        return []
    pods = items("pods", namespace=namespace, selector=selector)
    return [_describe(workload, pods) for workload in waiting]


def _describe(workload: dict[str, Any], pods: list[dict[str, Any]]) -> str:
    name, wanted = workload["metadata"]["name"], wanted_pods(workload)
    labels = workload["spec"]["selector"]["matchLabels"].items()
    own = [pod for pod in pods if labels <= pod["metadata"].get("labels", {}).items()]
    reasons = sorted({reason for pod in own for reason in _reasons(pod)})
    why = "; ".join(reasons) if reasons else "no pod says why" if own else "it has no pod"
    return f"{workload['kind']} {name} {available_pods(workload)}/{wanted} ready: {why}"


def _reasons(pod: dict[str, Any]) -> Iterator[str]:
    """Yield why a pod is not ready: not scheduled, no image, a missing Secret, a crash, or a failing probe."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            yield f"pod {name} is not scheduled: {_short(condition.get('message', 'no reason given'))}"
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        state = container.get("state", {})
        waiting, ended = state.get("waiting"), container.get("lastState", {}).get("terminated")
        if waiting and waiting.get("reason") not in _ON_ITS_WAY:
            text = _short(waiting.get("message", ""))
            last = f", last exit code {ended['exitCode']} ({ended.get('reason', '')})" if ended else ""
            yield f"pod {name} container {container['name']}: {waiting.get('reason')}{last} {text}".rstrip()
        elif "running" in state and not container.get("ready", False):
            yield f"pod {name} container {container['name']}: running, but its readiness probe fails"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."
