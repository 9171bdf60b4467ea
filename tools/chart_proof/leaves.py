"""Finds values that a chart ignores: each leaf is changed on its own, and the output has to change with it."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from settings import Environment
from tools.chart_proof.render import RenderError, render

Leaf = tuple[str | int, ...]

# Where the chart compares a text with some it knows, only one of those makes a difference.
_MEANINGFUL = {"standalone.messageQueue": "rocksmq"}

# Large enough to stand nowhere else, small enough for a number of replicas that the chart counts up to.
_FIRST_MARK = 3001


def leaves(values: object, path: Leaf = ()) -> Iterator[Leaf]:
    """Yield the path of every text, number and truth value."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from leaves(value, (*path, index))
    else:
        yield path


def spelled(leaf: Leaf) -> str:
    """Return a path as a person writes it: ``proxy.extraEnv[0].name``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in leaf).lstrip(".")


def changed(values: dict[str, Any], leaf: Leaf) -> dict[str, Any]:
    """Return a copy of the values with this one leaf different.

    Raises:
        TypeError: The leaf is neither text, number nor truth value.
    """
    copied = copy.deepcopy(values)
    place = _at(copied, leaf[:-1])
    value = place[leaf[-1]]
    if isinstance(value, bool):
        place[leaf[-1]] = not value
    elif isinstance(value, int):
        place[leaf[-1]] = value + 1
    elif isinstance(value, str):
        place[leaf[-1]] = _MEANINGFUL.get(spelled(leaf), f"{value}-changed")
    else:
        raise TypeError(f"{spelled(leaf)} is {value!r}; values are text, numbers and truth values")
    return copied


def ignored(chart: Path, values: dict[str, Any], env: Environment) -> list[str]:
    """Return the leaves that make no difference to the chart: misspelt, dropped or of another version.

    A leaf whose mark turns up in the output is honoured: one run proves that for most of them. Each of the others is
    changed on its own.
    """
    original = render(chart, values, env).text
    marks = {leaf: mark for leaf in leaves(values) if (mark := _mark(values, leaf)) is not None}
    try:
        marked = render(chart, _with(values, marks), env).text
    except RenderError:
        marked = ""

    def makes_no_difference(leaf: Leaf) -> bool:
        try:
            return render(chart, changed(values, leaf), env).text == original
        except RenderError:
            return False  # the chart looked at it, and could make nothing of it

    rest = [leaf for leaf in leaves(values) if leaf not in marks or not re.search(rf"\b{marks[leaf]}\b", marked)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [spelled(leaf) for leaf, silent in zip(rest, pool.map(makes_no_difference, rest), strict=True) if silent]


def _mark(values: dict[str, Any], leaf: Leaf) -> str | int | None:
    """Return something for a leaf that stands nowhere else; None for one that can only be switched."""
    if spelled(leaf) in _MEANINGFUL:
        return None
    number = _FIRST_MARK + list(leaves(values)).index(leaf)
    value = _at(values, leaf)
    if isinstance(value, bool):
        return None
    return number if isinstance(value, int) else f"mark{number}"


def _with(values: dict[str, Any], marks: dict[Leaf, str | int]) -> dict[str, Any]:
    copied = copy.deepcopy(values)
    for leaf, mark in marks.items():
        _at(copied, leaf[:-1])[leaf[-1]] = mark
    return copied


def _at(values: Any, path: Leaf) -> Any:  # noqa: ANN401 - any JSON
    for part in path:
        values = values[part]
    return values
