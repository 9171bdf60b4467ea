"""What a change of the release's values does, by what the real chart renders before and after it."""

from __future__ import annotations

from collections.abc import Iterator

from settings.changes import Effect
from tools.change_proof.stacks import differing
from tools.chart_proof.render import Rendered

# "Forbidden: updates to statefulset spec for fields other than ... are forbidden":
# https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#limitations
_MAY_CHANGE = frozenset(
    {"replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}
)
# What stands before the release makes the StatefulSet again for it (Custom::ReleasePreparation).
_PREPARED = ("volumeClaimTemplates", "*", "spec", "resources", "requests", "storage")


def rendered_effects(before: Rendered, after: Rendered) -> Iterator[tuple[Effect, str]]:
    """Yield what a release's upgrade does to the workloads of the chart."""
    old, new = before.workloads, after.workloads
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield Effect.RESTARTS_PODS, f"{name} {'comes' if name in new else 'goes'}"
            continue
        for path in differing(old[name]["spec"], new[name]["spec"]):
            fixed = path[0] == "selector" or (old[name]["kind"] == "StatefulSet" and path[0] not in _MAY_CHANGE)
            if fixed and path != _PREPARED:
                yield Effect.NEVER, f"{name}: {'.'.join(path)} is immutable"
            elif path[0] == "template":
                yield Effect.RESTARTS_PODS, f"{name}: {'.'.join(path)}"
            else:
                yield Effect.IN_PLACE, f"{name}: {'.'.join(path)}"
    if before.text != after.text:
        yield Effect.IN_PLACE, "other objects"
