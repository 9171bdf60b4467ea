"""Derives what a change of settings does from the stacks before and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.gate.stateful import LOST_WITH
from settings.changes import Effect
from tools.change_proof import kubernetes
from tools.change_proof.schemas import recreates
from tools.change_proof.stacks import Stacks, Template, differing, references

RELEASE = "Custom::AWSCDK-EKS-HelmChart"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
GUARD = "Custom::ChangeGuard"
"""Keeps the settings: that it is updated when they change is no change of what runs."""

_NODE_GROUP = "AWS::EKS::Nodegroup"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-nodegroup.html
_ROLLS_NODES = frozenset({"Version", "ReleaseVersion", "LaunchTemplate"})
# https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html and .../msk-update-operations.html
_MSK = "AWS::MSK::Cluster"
_ROLLS_BROKERS = (("KafkaVersion",), ("ConfigurationInfo",), ("BrokerNodeGroupInfo", "InstanceType"))
# Attributes that another value of a property moves, although the resource stays.
_MOVING = {"AWS::EC2::LaunchTemplate": "LatestVersionNumber", "AWS::MSK::Configuration": "LatestRevision.Revision"}
# A new subnet is created before the old one goes, and may not overlap it.
_TAKES_PLACE = "AWS::EC2::Subnet"


@dataclass
class _Stack:
    """One stack: which of its resources get another id, and which attributes another value."""

    before: Template
    after: Template
    moved: set[tuple[str, str]] = field(default_factory=set)
    recreated: set[str] = field(default_factory=set)

    def changed(self, logical_id: str) -> set[tuple[str, ...]]:
        """Return the paths at which a resource's properties change, by themselves or by what they refer to."""
        old, new = (each["Resources"][logical_id].get("Properties", {}) for each in (self.before, self.after))
        paths = set(differing(old, new))
        for name, value in new.items():
            if any(
                target in self.recreated or (target, attribute) in self.moved for target, attribute in references(value)
            ):
                paths.add((name,))
        return paths

    def settle(self) -> None:
        """Follow replaced resources and moved attributes to whatever refers to them."""
        stays = self.before["Resources"].keys() & self.after["Resources"].keys()
        known = -1
        while known != len(self.moved) + len(self.recreated):
            known = len(self.moved) + len(self.recreated)
            for logical_id in stays - self.recreated:
                kind = self.after["Resources"][logical_id]["Type"]
                changed = self.changed(logical_id)
                if changed and kind in _MOVING:
                    self.moved.add((logical_id, _MOVING[kind]))
                if kind.startswith("AWS::") and any(recreates(kind, path) for path in changed):
                    self.recreated.add(logical_id)


def derive(before: Stacks, after: Stacks) -> dict[str, Effect]:
    """Return everything that the change does, each with its effect; the worst is what a person has to know."""
    found: dict[str, Effect] = {}
    for effect, what in _all(before, after):
        found[what] = max(effect, found.get(what, effect), key=RANK.__getitem__)
    return found


RANK: Mapping[Effect, int] = {effect: number for number, effect in enumerate(Effect)}


def worst(found: Mapping[str, Effect]) -> Effect:
    """Return the effect of the whole change."""
    return max(found.values(), key=RANK.__getitem__, default=Effect.NONE)


def _all(before: Stacks, after: Stacks) -> Iterator[tuple[Effect, str]]:
    imported = before.imported()
    for name in sorted(before.templates.keys() | after.templates.keys()):
        old, new = before.templates.get(name), after.templates.get(name)
        if old is None or new is None:
            yield from _whole(name, old or new or {}, comes=old is None)
            continue
        if before.about[name]["environment"] != after.about[name]["environment"]:
            yield Effect.NEVER, f"{name}: another account or region"
        if before.about[name] != after.about[name]:
            yield Effect.IN_PLACE, f"{name}: protection or tags of the stack"
        stack = _Stack(old, new)
        stack.settle()
        for effect, what in _stack(stack, imported):
            yield effect, f"{name}: {what}"


def _whole(name: str, template: Template, *, comes: bool) -> Iterator[tuple[Effect, str]]:
    holds = [each["Type"] for each in template["Resources"].values() if each["Type"] in LOST_WITH]
    if holds and not comes:
        yield Effect.NEVER, f"{name} goes, with {', '.join(sorted(set(holds)))}"
    else:
        yield Effect.IN_PLACE, f"{name} {'comes' if comes else 'goes'}"


def _stack(stack: _Stack, imported: set[str]) -> Iterator[tuple[Effect, str]]:
    old, new = stack.before["Resources"], stack.after["Resources"]
    for logical_id in sorted(old.keys() | new.keys()):
        before, after = old.get(logical_id), new.get(logical_id)
        if before is None or after is None:
            yield from _came_or_went(logical_id, before, after)
            continue
        paths = stack.changed(logical_id)
        if logical_id in stack.recreated:
            yield _recreated(logical_id, after["Type"])
        elif paths:
            yield from _changed(logical_id, before, after, paths)
        if {key: before.get(key) for key in _POLICIES} != {key: after.get(key) for key in _POLICIES}:
            yield Effect.IN_PLACE, f"{logical_id}: what becomes of it later"
    yield from _outputs(stack, imported)


_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def _came_or_went(
    logical_id: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> Iterator[tuple[Effect, str]]:
    kind = (before or after or {})["Type"]
    if kind == MANIFEST:
        yield from kubernetes.manifest(*(each.get("Properties") if each else None for each in (before, after)))
    elif before is None:
        yield Effect.IN_PLACE, f"{logical_id} comes"
    elif kind in LOST_WITH or kind == RELEASE:
        yield Effect.NEVER, f"{logical_id} ({kind}) goes"
    elif kind == _NODE_GROUP:
        yield Effect.REPLACES_NODE_GROUP, f"{logical_id} goes"
    else:
        yield Effect.IN_PLACE, f"{logical_id} goes"


def _recreated(logical_id: str, kind: str) -> tuple[Effect, str]:
    if kind in LOST_WITH or kind == _TAKES_PLACE:
        return Effect.NEVER, f"{logical_id} ({kind}) is replaced"
    if kind == _NODE_GROUP:
        return Effect.REPLACES_NODE_GROUP, f"{logical_id} is replaced"
    return Effect.IN_PLACE, f"{logical_id} ({kind}), which holds nothing, is made again"


def _changed(
    logical_id: str, before: dict[str, Any], after: dict[str, Any], paths: set[tuple[str, ...]]
) -> Iterator[tuple[Effect, str]]:
    kind = after["Type"]
    old, new = before.get("Properties", {}), after.get("Properties", {})
    if kind == RELEASE:
        yield from kubernetes.release(old, new)
    elif kind == MANIFEST:
        yield from kubernetes.manifest(old, new)
    elif kind == GUARD:
        yield Effect.NONE, f"{logical_id} keeps what is deployed"
    elif kind == _NODE_GROUP and _ROLLS_NODES & {path[0] for path in paths}:
        yield Effect.ROLLS_NODES, f"{logical_id} rolls its nodes"
    elif kind == _MSK and any(path[: len(each)] == each for path in paths for each in _ROLLS_BROKERS):
        yield Effect.BROKER_BY_BROKER, f"{logical_id} restarts its brokers"
    else:
        yield Effect.IN_PLACE, f"{logical_id}: {', '.join(sorted('.'.join(path) for path in paths))}"


def _outputs(stack: _Stack, imported: set[str]) -> Iterator[tuple[Effect, str]]:
    old, new = (each.get("Outputs", {}) for each in (stack.before, stack.after))
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        export = ((before or {}).get("Export") or {}).get("Name")
        moved = after is not None and any(target in stack.recreated for target, _ in references(after.get("Value")))
        if export in imported and (before != after or moved):
            # "Export ... cannot be updated as it is in use by ..."
            yield Effect.NEVER, f"the export {export} is in use"
        elif before != after or moved:
            yield Effect.IN_PLACE, f"the output {key}"
