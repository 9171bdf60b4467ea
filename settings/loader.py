"""Reads an environment file: first its fields are validated, then the rules across them."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings import rules
from settings.base import Problem, Rule
from settings.environment import Environment
from settings.queue import Msk, Woodpecker

ENVIRONMENTS = Path(__file__).parent.parent / "environments"

# The only union of models in the settings; pydantic puts the kind into an error's location.
_QUEUE_KINDS = tuple(typing.get_args(kind.model_fields["kind"].annotation)[0] for kind in (Msk, Woodpecker))

Model = TypeVar("Model", bound=BaseModel)


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
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key has to be plain text, not a list or mapping", key_node.start_mark
                )
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
        SettingsError: The file is missing, is not YAML, or breaks a rule.
    """
    path = ENVIRONMENTS / f"{name}.yaml"
    source = f"environments/{name}.yaml"
    if not path.is_file() or name not in available():
        raise SettingsError(source, [Problem("env", no_environment(name))])
    return parse_environment(read_yaml(path, source), source=source, today=today)


def parse_environment(data: object, *, source: str, today: date | None = None) -> Environment:
    """Validate what an environment file holds.

    Raises:
        SettingsError: It breaks a rule.
    """
    day = today or datetime.now(tz=UTC).date()
    return validate(Environment, data, source, [*rules.RULES, lambda env: rules.refusals(env, day)])


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
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} is no UTF-8 text; save the file as UTF-8"
        raise SettingsError(source, [Problem("file", message)]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        raise SettingsError(source, [Problem(where, f"{error.problem}; mend the YAML there")]) from error
    except yaml.reader.ReaderError as error:
        message = f"character {error.position + 1} is a control character, which YAML forbids; remove it"
        raise SettingsError(source, [Problem("file", message)]) from error


def validate(model: type[Model], data: object, source: str, rules: Sequence[Rule]) -> Model:
    """Validate data by a model, and then by the rules across its fields.

    A rule is judged only when every field is valid: it would judge a default that nobody meant.

    Raises:
        SettingsError: With every wrong field; where there is none, with every broken rule.
    """
    if not isinstance(data, dict):
        given = "nothing" if data is None else type(data).__name__
        raise SettingsError(source, [Problem("file", f"must be a mapping of settings, got {given}")])
    try:
        settings = model.model_validate(data)
    except ValidationError as error:
        wrong = [_problem(model, details) for details in _without_echoes(error.errors())]
        raise SettingsError(source, _by_path(wrong)) from error
    broken = [problem for rule in rules for problem in rule(settings)]
    if broken:
        raise SettingsError(source, _by_path(broken))
    return settings


def _by_path(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.path)


def _without_echoes(wrong: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop what pydantic says of a list that lacks entries only because they are wrong."""
    parents = {details["loc"][:-1] for details in wrong}
    return [details for details in wrong if details["type"] != "too_short" or details["loc"] not in parents]


def _nearest(name: object, known: list[str]) -> list[str]:
    return difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)


def _problem(model: type[BaseModel], details: ErrorDetails) -> Problem:
    location = _without_union_tags(details["loc"])
    path = ".".join(str(part) for part in location)
    given = details["input"]
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            message = f"unknown setting; {_remedy_of_unknown(model, details['loc'])}"
        case "missing":
            message = f"missing; {_field_at(model, location) or 'add it'}"
        case "written":
            message = context["text"]
        case "union_tag_not_found":
            message = f"needs `kind`, one of {', '.join(_QUEUE_KINDS)}; add it"
        case "union_tag_invalid":
            message = f"kind: must be one of {context['expected_tags']}, got {context['tag']!r}"
        case "string_pattern_mismatch":
            field = _field_at(model, location)
            message = f"got {given!r}, which does not match {context['pattern']}" + (f"; {field}" if field else "")
        case _:
            message = _of_another_type(details)
    return Problem(path, message)


def _of_another_type(details: ErrorDetails) -> str:
    given = details["input"]
    match details["type"]:
        case "model_type" | "model_attributes_type" | "dict_type":
            what = "nothing" if given is None else repr(given)
            return f"must be a mapping of settings, got {what}; write them below it, indented, or remove it"
        case "tuple_type":
            return f"must be a list, got {given!r}; write [{'' if given is None else given}]"
    text = details["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    message = f"must be {text}, got {given!r}" if text != details["msg"] else f"{text}, got {given!r}"
    unquoted = details["type"] in {"string_type", "literal_error"} and isinstance(given, int | float)
    return f"{message}; put it in quotes, as it is written" if unquoted else message


def _remedy_of_unknown(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return what to do about an unknown setting; ``location`` is pydantic's, with the kind of a union."""
    name = location[-1]
    if len(location) == 3 and location[0] == "queue":
        others = [kind for kind in _QUEUE_KINDS if name in _fields_at(model, ("queue", kind))]
        if others:
            return f"it belongs to kind: {others[0]}, and this is kind: {location[1]}; remove it"
    known = _fields_at(model, location[:-1])
    close = _nearest(name, known)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


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
        ] or [each for each in models if part in typing.get_args(_kind_of(each))]
        # A key of a dictionary or an index of a list leads to the same models.
        models = deeper or models
    return [name for each in models for name in each.model_fields]


def _kind_of(model: type[BaseModel]) -> object:
    field = model.model_fields.get("kind")
    return field.annotation if field else None


def _field_at(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Return the description of a field, or of the list or mapping that an entry is in; empty where there is none."""
    models = [model]
    description = ""
    for part in location:
        fields = [each.model_fields[str(part)] for each in models if part in each.model_fields]
        if fields:
            description = (fields[0].description or "").rstrip(".")
        models = [found for field in fields for found in _models(field.annotation)] or models
    return description
