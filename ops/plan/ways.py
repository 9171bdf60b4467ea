"""How a change is made in several deployments, where one would be refused or would interrupt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict

from settings.record import change_rules
from settings.refusals import Refusal, combined, matches, shown

Flat = Mapping[str, Any]
_GROUPS = "cluster.node_groups."
_EVERY_POD = "milvus.node_group"
_MOVE = "the pods move one after the other, within their disruption budgets"


class Way(BaseModel):
    """A change in several deployments of the file, edited before each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    steps: tuple[str, ...]
    """One deployment each."""


def ways(old: Flat, new: Flat, refused: Sequence[Refusal]) -> Iterator[Way]:
    """Yield the ways to what the file says, for each part of it that one deployment does not do well.

    Args:
        old: Settings as they are deployed.
        new: Settings as the file has them.
        refused: What cannot be in one deployment.
    """
    yield from _one_kind_at_a_time(old, new, {each.path for each in refused})
    for group in _groups(old):
        if group not in _groups(new):
            yield from _removed(old, new, group)
        elif any(_moved(old, new, f"{_GROUPS}{group}.{name}") for name in ("instance_types", "spot")):
            yield _replaced(old, new, group)


def _moved(old: Flat, new: Flat, path: str) -> bool:
    return path in old and path in new and old[path] != new[path]


def _one_kind_at_a_time(old: Flat, new: Flat, refused: set[str]) -> Iterator[Way]:
    changed = {path for path in old.keys() & new.keys() if old[path] != new[path]}
    rules = change_rules()
    seen = set()
    for rule in rules["apart"]:
        kinds: dict[int, list[str]] = {}
        for found in combined(changed, rule):
            for number, paths in found.items():
                kinds[number] = list(dict.fromkeys([*kinds.get(number, []), *paths]))
        stages = [kinds[number] for number in sorted(kinds)]
        # What the file accepts is not refused, and needs no other way.
        if not refused & {path for paths in stages[1:] for path in paths}:
            continue
        seen |= {path for paths in stages for path in paths}
        yield _way(f"AWS takes one kind of these changes at a time ({rule['source']})", _stages(old, new, stages))
    for path in sorted((refused & rules["steps"].keys()) - seen):
        if len(_steps(path, old[path], new[path])) > 1:
            yield _way(f"{path} moves one step at a time", _stages(old, new, [[path]]))


def _way(why: str, steps: Sequence[str]) -> Way:
    return Way(title=f"{len(steps)} deployments, one after the other: {why}", steps=tuple(steps))


def _stages(old: Flat, new: Flat, stages: Sequence[Sequence[str]]) -> list[str]:
    """Return what each deployment changes, and what it leaves for later."""
    found: list[str] = []
    for number, paths in enumerate(stages):
        later = [path for others in stages[number + 1 :] for path in others]
        steps = {path: _steps(path, old[path], new[path]) for path in paths}
        # Nothing but a version takes several steps; what goes with it goes with the last.
        lead = max(paths, key=lambda path: len(steps[path]))
        *before, last = steps[lead]
        rest = [path for path in paths if path != lead]
        found += [_deployment(old, [_step(lead, step, on_the_way=True)], [*rest, *later]) for step in before]
        found.append(_deployment(old, [_step(lead, last), *(_step(path, steps[path][-1]) for path in rest)], later))
    return found


def _deployment(old: Flat, moving: Sequence[str], staying: Sequence[str]) -> str:
    stays = ", ".join(f"{path} stays {shown(old[path])}" for path in staying)
    return f"{', '.join(moving)}{f', while {stays}' * bool(stays)}"


def _step(path: str, step: tuple[object, object], *, on_the_way: bool = False) -> str:
    newest = ", without milvus.version: the newest of the line" * (on_the_way and path == "milvus.line")
    return f"{path}: {shown(step[0])} to {shown(step[1])}{newest}"


def _steps(path: str, before: object, after: object) -> list[tuple[object, object]]:
    """Return the moves from one value to another: several where it moves one step at a time."""
    order = change_rules()["steps"].get(path, ())
    known = before in order and after in order
    return list(pairwise(order[order.index(before) : order.index(after) + 1] if known else ())) or [(before, after)]


def _groups(settings: Flat) -> list[str]:
    return sorted({found[1] for path in settings if (found := matches(path, f"{_GROUPS}*.instance_types"))})


def bound_to(settings: Flat, group: str) -> list[str]:
    """Return the settings that put pods of Milvus onto a node group."""
    return sorted(path for path, value in settings.items() if _binds(path) and value == group)


def may_hold_pods(settings: Flat, group: str) -> bool:
    """Return whether pods of Milvus may be on a node group: bound to it, or to none."""
    return bool(bound_to(settings, group)) or not settings.get(_EVERY_POD)


def _binds(path: str) -> bool:
    return path.startswith("milvus.") and path.endswith(".node_group")


def _replaced(old: Flat, new: Flat, group: str) -> Way:
    """Return the way to other nodes without an interruption: a second group, to which the pods move by themselves."""
    second = next(name for n in range(2, 99) if (name := f"{group}-{n}") not in {*_groups(old), *_groups(new)})
    moves = ", ".join(f"{path}: {shown(old.get(path))} to {second}" for path in bound_to(old, group) or [_EVERY_POD])
    beside = f"leave {_GROUPS}{group} as it is deployed, and add {_GROUPS}{second} with what this file says of {group}"
    quota = "`milvus-ops doctor` says whether the quota has vCPUs for both"
    steps = f"{beside} ({quota})", f"{moves}; {_MOVE}", f"remove {_GROUPS}{group}"
    return _way(f"{_GROUPS}{group} without an interruption", steps)


def _removed(old: Flat, new: Flat, group: str) -> Iterator[Way]:
    if not may_hold_pods(old, group):
        return
    comes = ", ".join(f"{_GROUPS}{name}" for name in _groups(new) if name not in _groups(old))
    moved = [path for path in bound_to(old, group) if new.get(path, group) != group] or _pointers(new)
    moves = ", ".join(f"{path}: {shown(old.get(path))} to {shown(new[path])}" for path in moved)
    yield _way(
        f"{_GROUPS}{group} goes without an interruption",
        (
            *([f"add {comes}, and leave the rest as it is deployed"] if comes else []),
            f"{moves or f'{_EVERY_POD}: nothing to a group that stays'}; {_MOVE}",
            f"remove {_GROUPS}{group}",
        ),
    )


def _pointers(settings: Flat) -> list[str]:
    return sorted(path for path, value in settings.items() if _binds(path) and value)
