"""Reads an environment file and reports everything that is wrong with it at once."""

from __future__ import annotations

import copy
import difflib
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings import rules
from settings.base import Problem, Settings
from settings.environment import Environment
from settings.queue import Msk, Woodpecker

ENVIRONMENTS = Path(__file__).parent.parent / "environments"

# The only union of models in the settings; pydantic puts the kind into an error's location.
_QUEUE_KINDS = tuple(typing.get_args(kind.model_fields["kind"].annotation)[0] for kind in (Msk, Woodpecker))

# What the rules across fields are judged with where a file lacks these or has them wrong; no rule depends on them.
_STAND_INS = {"name": "stand-in", "region": "us-east-1"}

Model = TypeVar("Model", bound=Settings)


class SettingsError(Exception):
    """A settings file that cannot be used.

    Attributes:
        source: The file, as the user would name it.
        problems: Everything that is wrong with it.
    """

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {problem}" for problem in problems)]))


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice: YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value} stands twice; keep one", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def available() -> list[str]:
    """Return the names that ``-c env=`` takes: the environment files without their ending."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml") if not path.stem.startswith("pipeline"))


def no_environment(name: str) -> str:
    """Return what to tell somebody who asked for an environment that is not there."""
    known = available()
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? There are" if close else "there are"
    return f"no environment {name}; {hint}: {', '.join(known)}"


def load_environment(name: str, *, today: date | None = None) -> Environment:
    """Load ``environments/<name>.yaml``.

    Args:
        name: Name of the environment, as given to ``-c env=``.
        today: Day by which support dates are judged; the current day if not given.

    Raises:
        SettingsError: The file is missing, is not YAML, or breaks a rule; it holds every problem of the file.
    """
    path = ENVIRONMENTS / f"{name}.yaml"
    source = f"environments/{name}.yaml"
    if not path.is_file() or name not in available():
        raise SettingsError(source, [Problem("env", no_environment(name))])
    return parse_environment(read_yaml(path, source), source=source, today=today)


def parse_environment(data: object, *, source: str, today: date | None = None) -> Environment:
    """Validate what an environment file holds.

    Raises:
        SettingsError: It breaks a rule; it holds every problem.
    """
    env = validate(Environment, data, source)
    refused = rules.refusals(env, today or datetime.now(tz=UTC).date())
    if refused:
        raise SettingsError(source, refused)
    return env


def load_warnings(env: Environment, *, today: date | None = None) -> list[Problem]:
    """Return what an operator should know about a valid environment; see `settings.rules.warnings`."""
    return rules.warnings(env, today or datetime.now(tz=UTC).date())


def read_yaml(path: Path, source: str) -> object:
    """Read a YAML file, each key once.

    Raises:
        SettingsError: It is not YAML, or a key stands twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        raise SettingsError(source, [Problem(where, f"{error.problem}; mend the YAML there")]) from error


def validate(model: type[Model], data: object, source: str) -> Model:
    """Validate data by a model; wrong fields and broken rules across fields are reported together.

    Raises:
        SettingsError: With every problem found.
    """
    if not isinstance(data, dict):
        given = "nothing" if data is None else type(data).__name__
        raise SettingsError(source, [Problem("file", f"must be a mapping of settings, got {given}")])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = list(_problems(model, error))
    found += _rules_behind_field_errors(model, data, found)
    raise SettingsError(source, sorted(set(found), key=lambda problem: problem.path))


def _rules_behind_field_errors(model: type[Model], data: dict[str, Any], found: list[Problem]) -> list[Problem]:
    """Return broken rules that wrong fields hide: those fields are left out, and what remains is judged."""
    trimmed = copy.deepcopy(data)
    for problem in found:
        _remove(trimmed, problem.path.split("."))
    for name, value in _STAND_INS.items():
        trimmed.setdefault(name, value)
    try:
        model.model_validate(trimmed)
    except ValidationError as error:
        shown = {problem.path for problem in found}
        # A field that is missing now was removed just above, or has been reported already.
        kept = [details for details in error.errors() if details["type"] != "missing"]
        return [
            problem
            for details in kept
            for problem in _problem(model, details)
            if not any(path.startswith(problem.path) or problem.path.startswith(path) for path in shown)
        ]
    return []


def _remove(data: object, path: list[str]) -> None:
    for part in path[:-1]:
        if not isinstance(data, dict) or part not in data:
            return
        data = data[part]
    if isinstance(data, dict):
        data.pop(path[-1], None)


def _problems(model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    for details in error.errors():
        yield from _problem(model, details)


def _problem(model: type[BaseModel], details: ErrorDetails) -> Iterator[Problem]:
    if details["type"] == "rules":
        yield from details["ctx"]["problems"]
        return
    location = _without_union_tags(details["loc"])
    path = ".".join(str(part) for part in location)
    given = details["input"]
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            known = _fields_at(model, location[:-1])
            close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
            remedy = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            message = f"unknown setting; {remedy}"
        case "missing":
            field = _field_at(model, location)
            message = f"missing; {field}" if field else "missing; add it"
        case "union_tag_not_found":
            message = f"needs `kind`, one of {', '.join(_QUEUE_KINDS)}; add it"
        case "union_tag_invalid":
            message = f"kind: must be one of {context['expected_tags']}, got {context['tag']!r}"
        case "string_pattern_mismatch":
            field = _field_at(model, location)
            message = f"got {given!r}, which does not match {context['pattern']}" + (f"; {field}" if field else "")
        case _:
            text = details["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
            message = f"must be {text}, got {given!r}" if text != details["msg"] else f"{text}, got {given!r}"
    yield Problem(path, message)


def _without_union_tags(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Drop what pydantic adds for a union's branch: a user knows ``queue.brokers``, not ``queue.msk.brokers``."""
    kept: list[int | str] = []
    for index, part in enumerate(location):
        before = kept[-1] if kept else None
        if part == "[key]":
            continue
        if index and before == "queue" and part in _QUEUE_KINDS:
            continue
        kept.append(part)
    return tuple(kept)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation: its own, or those of its optional, union or container form."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from _models(arguments[0])
    elif origin in {typing.Union, types.UnionType, tuple, list}:
        for argument in arguments:
            yield from _models(argument)
    elif origin is dict:
        yield from _models(arguments[1])


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    models = [model]
    for part in location:
        deeper = [
            found
            for each in models
            if part in each.model_fields
            for found in _models(each.model_fields[str(part)].annotation)
        ]
        # A key of a dictionary or an index of a list leads to the same models.
        models = deeper or models
    return [name for each in models for name in each.model_fields]


def _field_at(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return the description of a field, without its final full stop; empty where there is none."""
    models = [model]
    for part in location:
        fields = [each.model_fields[str(part)] for each in models if part in each.model_fields]
        if part == location[-1] and fields:
            return (fields[0].description or "").rstrip(".")
        models = [found for field in fields for found in _models(field.annotation)] or models
    return ""
