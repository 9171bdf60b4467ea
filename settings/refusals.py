"""Which changes of settings cannot be: what `plan` shows before a deployment, and the guard in each stack refuses.

Nothing but the standard library: the guard's function runs this file as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Flat = Mapping[str, Any]
"""Settings by their dotted paths."""

_GONE = "nothing"


@dataclass(frozen=True)
class Refusal:
    """One change that cannot be."""

    path: str
    old: Any
    new: Any
    why: str
    remedy: str

    def __str__(self) -> str:
        """Return the line that a person reads: the setting, both values, the reason and the remedy."""
        return f"{self.path}: {shown(self.old)} cannot become {shown(self.new)}: {self.why}; {self.remedy}"


def shown(value: object) -> str:
    """Return a value as a person would write it."""
    if value is None or value == "":
        return _GONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(shown(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(each)}' for key, each in value.items())}}}"
    return str(value)


def refusals(
    old: Flat, new: Flat, rules: Mapping[str, Any], accepted: Sequence[Mapping[str, Any]] = ()
) -> list[Refusal]:
    """Return the changes that cannot be, without those that are accepted by path, old and new value.

    Args:
        old: Settings as they are deployed.
        new: Settings as they are wanted. A setting that one of the two does not have is no change: it belongs to what
            comes or goes.
        rules: What `settings.change_rules` says: ``never``, ``grows``, ``steps``, ``first`` and ``apart``.
        accepted: ``path``, ``old`` and ``new`` of each change that somebody wants in spite of it.
    """
    changed = {path for path in old.keys() & new.keys() if old[path] != new[path]}
    found = [
        *_never(old, new, changed, rules.get("never", {})),
        *_grows(old, new, changed, rules.get("grows", {})),
        *_steps(old, new, changed, rules.get("steps", {})),
        *_first(old, new, changed, rules.get("first", {})),
        *_apart(old, new, changed, rules.get("apart", ())),
    ]
    wanted = {(each["path"], shown(each["old"]), shown(each["new"])) for each in accepted}
    return [each for each in found if (each.path, shown(each.old), shown(each.new)) not in wanted]


def matches(path: str, pattern: str) -> re.Match[str] | None:
    """Return the match of a path with a pattern, in which ``*`` is one name."""
    return _compiled(pattern).fullmatch(path)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", r"([^.]+)"))


def _matching(changed: Iterable[str], patterns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path in sorted(changed):
        for pattern, what in patterns.items():
            if matches(path, pattern):
                yield path, what


def _never(old: Flat, new: Flat, changed: set[str], rules: Mapping[str, str]) -> Iterator[Refusal]:
    for path, remedy in _matching(changed, rules):
        yield Refusal(path, old[path], new[path], "it cannot change once deployed", remedy)


def _grows(old: Flat, new: Flat, changed: set[str], rules: Mapping[str, str]) -> Iterator[Refusal]:
    for path, remedy in _matching(changed, rules):
        if _size(new[path]) < _size(old[path]):
            yield Refusal(path, old[path], new[path], "it only grows", remedy or "leave it as it is")


def _steps(old: Flat, new: Flat, changed: set[str], rules: Mapping[str, Sequence[str]]) -> Iterator[Refusal]:
    for path, order in _matching(changed, rules):
        if old[path] in order and new[path] in order and (was := order.index(old[path])) + 1 < order.index(new[path]):
            yield Refusal(path, old[path], new[path], "it moves one step at a time", f"use {order[was + 1]} first")


def _first(old: Flat, new: Flat, changed: set[str], rules: Mapping[str, Mapping[str, Any]]) -> Iterator[Refusal]:
    """Yield what has to be new enough before another setting may move."""
    for path, needs in _matching(changed, rules):
        setting, least = needs.get(new[path], (None, None))
        if setting in old and old[setting] and _size(old[setting]) < _size(least):
            why = f"{setting} is {old[setting]}, and has to be {least} or newer before"
            yield Refusal(path, old[path], new[path], why, f"deploy {setting}: {least} or newer first")


def _apart(old: Flat, new: Flat, changed: set[str], rules: Sequence[Mapping[str, Any]]) -> Iterator[Refusal]:
    for rule in rules:
        for kinds in combined(changed, rule):
            first, *others = kinds.values()
            for path in (path for paths in others for path in paths):
                why = f"AWS refuses it together with {' and '.join(first)} ({rule['source']})"
                yield Refusal(path, old[path], new[path], why, rule["remedy"])


def combined(changed: set[str], rule: Mapping[str, Any]) -> Iterator[dict[int, list[str]]]:
    """Yield changes that AWS refuses in one update, by the number of their kind, in the order in which they can be.

    ``*`` in the patterns of a rule is the same name in all of them.
    """
    # What names nobody concerns everybody: the version of the cluster rolls every group.
    everybody = _kinds(changed, rule["kinds"]).pop("", {})
    named = {name: each for name, each in _kinds(changed, rule["kinds"]).items() if name}
    replaced = {found[1] for path in changed for pattern in rule["unless"] if (found := matches(path, pattern))}
    for own in [each for name, each in named.items() if name not in replaced] or ([] if named else [{}]):
        kinds = {number: [*everybody.get(number, []), *own.get(number, [])] for number in range(len(rule["kinds"]))}
        kinds = {number: paths for number, paths in kinds.items() if paths}
        if len(kinds) > 1:
            yield kinds


def _kinds(changed: set[str], kinds: Sequence[Sequence[str]]) -> dict[str, dict[int, list[str]]]:
    """Return the changed paths by the name that they are of, and by their kind."""
    found: dict[str, dict[int, list[str]]] = {}
    for number, patterns in enumerate(kinds):
        for path, match in ((path, matches(path, each)) for path in sorted(changed) for each in patterns):
            if match:
                found.setdefault(match[1] if match.re.groups else "", {}).setdefault(number, []).append(path)
    return found


def _size(value: object) -> tuple[float, ...]:
    """Return what makes a value comparable: a number, or the numbers of a version."""
    if isinstance(value, bool) or value is None:
        return ()
    if isinstance(value, int | float):
        return (float(value),)
    return tuple(float(number) for number in re.findall(r"\d+", str(value)))
