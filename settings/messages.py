"""Says what is wrong with a field in a user's words: its path, what was given, what is allowed and what to do."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings.base import Problem
from settings.queue import Msk, Woodpecker

# The only union of models in the settings; pydantic puts the kind into an error's location.
_QUEUE_KINDS = tuple(typing.get_args(kind.model_fields["kind"].annotation)[0] for kind in (Msk, Woodpecker))


def _without_echoes(wrong: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop what pydantic says of a list that lacks entries only because they are wrong."""
    parents = {details["loc"][:-1] for details in wrong}
    return [details for details in wrong if details["type"] != "too_short" or details["loc"] not in parents]


def _nearest(name: object, known: list[str]) -> list[str]:
    return difflib.get_close_matches(str(name), known, cutoff=0.5)


def wrong_fields(model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """Return a problem for each field that pydantic refuses."""
    return [_problem(model, details) for details in _without_echoes(error.errors())]


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
