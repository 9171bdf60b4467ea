"""How simulated pods behave: kwok's own stages, and one of ours for pods whose image cannot be pulled."""

from __future__ import annotations

from pathlib import Path

import yaml

from rehearsal.servers.api import Object
from rehearsal.servers.process import ServerError

# A pod fails when one of its images contains this text, or when it has this annotation.
NEVER_READY = "never-ready"
NEVER_READY_ANNOTATION = "rehearsal/never-ready"

_FAILING_IMAGE = f'.spec.containers.[] | select( .image | contains( "{NEVER_READY}" ) ) | .name'
_FAILING_ANNOTATION = f'.metadata.annotations["{NEVER_READY_ANNOTATION}"]'
_STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)

_IMAGE_PULL_STATUS = """
{{ $now := Now }}
phase: Pending
conditions:
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: Initialized}
- {lastTransitionTime: {{ $now | Quote }}, status: "False", type: Ready, reason: ContainersNotReady}
- {lastTransitionTime: {{ $now | Quote }}, status: "False", type: ContainersReady, reason: ContainersNotReady}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state:
    waiting: {reason: ImagePullBackOff, message: "Back-off pulling image"}
{{ end }}
"""


def stages(folder: Path, failing_images: tuple[str, ...] = ()) -> str:
    """Return the stages as one YAML text. ``folder`` holds kwok's; ``failing_images`` name more that never start."""
    loaded = [_load(folder / name) for name in _STAGES]
    selectors = [_FAILING_IMAGE, _FAILING_ANNOTATION]
    selectors += [f'.spec.containers.[] | select( .image == "{image}" ) | .name' for image in failing_images]
    for stage in loaded:
        if stage["metadata"]["name"] == "pod-ready":
            expressions = stage["spec"]["selector"]["matchExpressions"]
            expressions += [{"key": key, "operator": "DoesNotExist"} for key in selectors]
    loaded += [_never_ready(number, key) for number, key in enumerate(selectors)]
    return yaml.safe_dump_all(loaded)


def _never_ready(number: int, selector: str) -> Object:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": f"pod-never-ready-{number}"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {
                "matchExpressions": [
                    {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
                    {"key": ".status.containerStatuses.[].state.waiting.reason", "operator": "DoesNotExist"},
                    {"key": selector, "operator": "Exists"},
                ]
            },
            "next": {"statusTemplate": _IMAGE_PULL_STATUS},
        },
    }


def _load(path: Path) -> Object:
    try:
        loaded = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ServerError(
            f"kwok's stage {path} cannot be read: remove the cache folder of kwok and start again"
        ) from error
    if not isinstance(loaded, dict):
        raise ServerError(f"kwok's stage {path} is not one YAML object: pin the version of kwok again")
    return loaded
