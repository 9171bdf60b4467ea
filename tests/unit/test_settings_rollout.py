"""Rolled out is what `kubectl rollout status` waits for: ready pods may be old ones."""

from __future__ import annotations

from typing import Any

import pytest

from settings.rollout import available_pods, is_rolled_out, wanted_pods


def workload(kind: str = "Deployment", **status: int) -> dict[str, Any]:
    done = {
        "observedGeneration": 3,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "readyReplicas": 2,
    }
    return {"kind": kind, "metadata": {"generation": 3}, "spec": {"replicas": 2}, "status": {**done, **status}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_workload_with_only_new_and_available_pods_is_rolled_out(kind: str) -> None:
    assert is_rolled_out(workload(kind))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param("Deployment", {"observedGeneration": 2}, id="the controller has not seen the change"),
        pytest.param("Deployment", {"updatedReplicas": 1}, id="a ready pod is an old one"),
        pytest.param("Deployment", {"replicas": 3}, id="an old pod is still there"),
        pytest.param("Deployment", {"availableReplicas": 1}, id="a pod is not available"),
        pytest.param("StatefulSet", {"readyReplicas": 1}, id="a member is not ready"),
    ],
)
def test_workload_in_the_middle_of_a_roll_is_not_rolled_out(kind: str, status: dict[str, int]) -> None:
    assert not is_rolled_out(workload(kind, **status))


def test_workload_that_nothing_runs_yet_is_not_rolled_out() -> None:
    new = {"kind": "Deployment", "metadata": {"generation": 1}, "spec": {}}

    assert (wanted_pods(new), available_pods(new), is_rolled_out(new)) == (1, 0, False)


def test_workload_that_wants_no_pod_is_rolled_out() -> None:
    none: dict[str, Any] = {"kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 0}}

    assert is_rolled_out({**none, "status": {"observedGeneration": 1}})
