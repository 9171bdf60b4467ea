"""Compares what is deployed with a settings file: what each change does, to how much, and for about how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from ops.plan.amounts import HOLDS, affected, creation_takes, takes
from ops.plan.deployed import Deployed
from ops.plan.ways import Way, may_hold_pods, ways
from settings import Environment
from settings.changes import Change as Declared
from settings.changes import Effect
from settings.parts import Part, parts, stack_name
from settings.record import change_rules, declaration, owner, record
from settings.refusals import Refusal, refusals, shown
from settings.version import version


class Change(BaseModel):
    """One setting that differs from what is deployed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    old: Any
    new: Any
    effect: str
    of: str
    """What it happens to."""
    affected: str
    """How many pods, nodes or brokers, where the file says."""
    takes: str
    refused: str = ""
    """Why it is refused; empty where it is not."""
    remedy: str = ""
    accepted: str = ""
    """Why it is accepted in spite of a refusal."""


class Creation(BaseModel):
    """A stack that is not there yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    holds: str
    takes: str


class Plan(BaseModel):
    """What a deployment would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    changes: tuple[Change, ...]
    created: tuple[Creation, ...]
    creation_takes: str
    ways: tuple[Way, ...]
    """How in several deployments, where one is refused, or interrupts."""
    notes: tuple[str, ...]

    @property
    def refused(self) -> tuple[Change, ...]:
        """The changes that cannot be."""
        return tuple(each for each in self.changes if each.refused)


def make_plan(env: Environment, deployed: Deployed) -> Plan:
    """Return what a deployment of the settings would do to what is deployed."""
    wanted = record(env)
    accepted = [each.model_dump(mode="json") for each in env.changes.accept]
    refused = refusals(deployed.settings, wanted, change_rules(), accepted)
    missing = [part for part in parts(env) if part not in deployed.parts]
    # What belongs to a stack that is not there is created with it; what one does not say is not known.
    unknown = {*missing, *(part for part in Part if stack_name(env, part) in deployed.silent)}
    changes = [
        each
        for each in _changes(env, deployed.settings, wanted, refused)
        if each.refused or owner(each.setting) not in unknown
    ]
    changes.sort(key=lambda each: (not each.refused, each.setting))
    return Plan(
        environment=env.name,
        changes=tuple(changes),
        created=tuple(_creation(env, part) for part in missing),
        creation_takes=creation_takes(missing),
        ways=tuple(ways(deployed.settings, wanted, refused)),
        notes=tuple(_notes(env, deployed)),
    )


def _changes(
    env: Environment, old: Mapping[str, Any], new: Mapping[str, Any], refused: list[Refusal]
) -> Iterator[Change]:
    reasons = {each.path: each for each in refused}
    wanted = {each.path: each.reason for each in env.changes.accept}
    for path in sorted(_differing(old, new)):
        whole = path == _whole(path)
        declared = _declared_whole(path, old, comes=_holds(new, path)) if whole else _declared(path)
        refusal = reasons.get(path)
        yield Change(
            setting=path,
            old=_there(old, path) if whole else old.get(path),
            new=_there(new, path) if whole else new.get(path),
            effect=f"{declared.effect}{', only grows' * declared.only_grows}",
            of=declared.of,
            affected=affected(env, path, declared),
            takes=takes(env, path, declared),
            refused=refusal.why if refusal else "",
            remedy=refusal.remedy if refusal else "",
            accepted="" if refusal else wanted.get(path, ""),
        )


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths that differ; a group or component that comes or goes is one path, with all that it has."""
    seen = set()
    for path in old.keys() | new.keys():
        whole = _whole(path)
        if whole and (_holds(old, whole) != _holds(new, whole)):
            if whole not in seen:
                seen.add(whole)
                yield whole
        elif old.get(path) != new.get(path):
            yield path


def _whole(path: str) -> str:
    """Return the path of the node group or component that a setting is of; nothing where it is of none."""
    steps = path.split(".")
    return ".".join(steps[:3]) if steps[:2] in (["cluster", "node_groups"], ["milvus", "components"]) else ""


def _holds(settings: Mapping[str, Any], whole: str) -> bool:
    return any(path.startswith(f"{whole}.") for path in settings)


def _there(settings: Mapping[str, Any], whole: str) -> str | None:
    return "there" if _holds(settings, whole) else None


def _declared_whole(path: str, old: Mapping[str, Any], *, comes: bool) -> Declared:
    """Return what happens when a node group or a component comes or goes."""
    if path.startswith("cluster."):
        if comes:
            return Declared(Effect.IN_PLACE, "a new group beside the others")
        pods = "all its pods with its nodes" if may_hold_pods(old, path.split(".")[2]) else "no pod of Milvus is on it"
        return Declared(Effect.REPLACES_NODE_GROUP, f"the group goes: {pods}")
    return Declared(Effect.IN_PLACE, "new pods") if comes else Declared(Effect.RESTARTS_PODS, "its pods go")


def _declared(path: str) -> Declared:
    try:
        return declaration(path)
    except KeyError:
        return Declared(Effect.IN_PLACE, "a setting that only one of the two versions of this project has")


def _creation(env: Environment, part: Part) -> Creation:
    return Creation(stack=stack_name(env, part), holds=HOLDS[part], takes=creation_takes([part]))


def _notes(env: Environment, deployed: Deployed) -> Iterator[str]:
    for name in deployed.silent:
        yield f"{name} was deployed before stacks kept their settings: what changes there is not known"
    if env.queue.kind != "msk" and Part.STREAMING in deployed.parts:
        yield f"{stack_name(env, Part.STREAMING)} is deployed, but the file has no brokers any more; nothing deletes it"
    for other in sorted(set(deployed.versions.values()) - {version()}):
        yield f"deployed by version {other} of this project, this is {version()}: `make diff` shows what else changes"


def values(change: Change) -> tuple[str, str]:
    """Return the old and the new value as a person reads them."""
    return shown(change.old), shown(change.new)
