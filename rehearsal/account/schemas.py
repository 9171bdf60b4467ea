"""Checks resource properties against the CloudFormation provider schemas that cfn-lint ships."""

from __future__ import annotations

import importlib.util
import json
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from rehearsal.account.refusals import model_fault

Properties = dict[str, Any]

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_BOOLEAN = {"true", "false"}
# The schemas are the same everywhere but for what a region lacks; this one has every type.
_REGION = "us-east-1"


@cache
def _folder() -> Path:
    # Only located, not imported: importing cfn-lint costs more than a second.
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint is not installed: run `make setup`")
    return Path(spec.origin).parent / "data" / "schemas"


@cache
def _index() -> dict[str, str]:
    index: dict[str, str] = json.loads((_folder() / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    return index


@cache
def schema(resource_type: str) -> dict[str, Any] | None:
    """Return the provider schema of a type; None when AWS has no such public type."""
    key = _index().get(resource_type)
    if key is None:
        return None
    found: dict[str, Any] = json.loads((_folder() / "resources" / f"{key}.json").read_text(encoding="utf-8"))
    return found


def _is_boolean(_checker: object, value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in _BOOLEAN)


def _is_number(_checker: object, value: object) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(_checker: object, value: object) -> bool:
    return _is_number(_checker, value) and float(value) == int(float(value))  # type: ignore[arg-type]  # checked before


def _is_string(_checker: object, value: object) -> bool:
    return isinstance(value, str | int | float)


# CloudFormation converts scalars before it validates: "true" is a boolean to it, and 3 a string.
_CHECKER = jsonschema.Draft7Validator.TYPE_CHECKER.redefine_many(
    {"boolean": _is_boolean, "number": _is_number, "integer": _is_integer, "string": _is_string}
)


def _minimum(validator: Any, limit: float, value: object, _rule: Any) -> Iterator[jsonschema.ValidationError]:
    if validator.is_type(value, "number") and float(value) < limit:  # type: ignore[arg-type]  # checked before
        yield jsonschema.ValidationError(f"{value} is not greater or equal to {limit}")


def _maximum(validator: Any, limit: float, value: object, _rule: Any) -> Iterator[jsonschema.ValidationError]:
    if validator.is_type(value, "number") and float(value) > limit:  # type: ignore[arg-type]  # checked before
        yield jsonschema.ValidationError(f"{value} is not less or equal to {limit}")


def _enum(_validator: Any, allowed: list[object], value: object, _rule: Any) -> Iterator[jsonschema.ValidationError]:
    if str(value) not in {str(entry) for entry in allowed}:
        yield jsonschema.ValidationError(f"{value} is not a valid enum value")


def _pattern(_validator: Any, pattern: str, value: object, _rule: Any) -> Iterator[jsonschema.ValidationError]:
    if not re.search(pattern, str(value)):
        yield jsonschema.ValidationError(f"string [{value}] does not match pattern {pattern}")


def _translate(pattern: str) -> str:
    """Return a pattern of a schema in Python's syntax; one that only Java can read matches everything."""
    for java, python in {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Graph}": r"\S"}.items():
        pattern = pattern.replace(java, python)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python reads differently from Java is a warning only
            re.compile(pattern)
    except (re.error, FutureWarning):
        return ""
    return pattern


def _readable(node: Any) -> Any:
    """Return a schema whose patterns Python can read."""
    if isinstance(node, list):
        return [_readable(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    read = {key: _readable(value) for key, value in node.items()}
    if isinstance(read.get("pattern"), str):
        read["pattern"] = _translate(read["pattern"])
    if isinstance(read.get("patternProperties"), dict):
        read["patternProperties"] = {_translate(key): value for key, value in read["patternProperties"].items()}
    return read


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # the stub has no types for it
    jsonschema.Draft7Validator,
    validators={"minimum": _minimum, "maximum": _maximum, "enum": _enum, "pattern": _pattern},
    type_checker=_CHECKER,
)


@cache
def _validator(resource_type: str) -> Validator | None:
    found = schema(resource_type)
    if found is None:
        return None
    read_only = {_top_level(pointer) for pointer in found.get("readOnlyProperties", [])} - {None}
    kept = ("definitions", "properties", "required", "allOf", "anyOf", "oneOf")
    body: dict[str, Any] = {key: found[key] for key in kept if key in found}
    body["properties"] = {name: rule for name, rule in body["properties"].items() if name not in read_only}
    body |= {"type": "object", "additionalProperties": False}
    validator: Validator = _Validator(_readable(body))
    return validator


def _top_level(pointer: str) -> str | None:
    parts = pointer.removeprefix("/properties/").split("/")
    return parts[0] if len(parts) == 1 else None


def attributes(resource_type: str) -> list[str]:
    """Names that ``Fn::GetAtt`` may read: the schema's read-only properties, nested ones with dots."""
    found = schema(resource_type) or {}
    pointers = found.get("readOnlyProperties", [])
    return [pointer.removeprefix("/properties/").replace("/", ".") for pointer in pointers]


def replacing(resource_type: str) -> tuple[str, ...]:
    """Top-level properties whose change makes CloudFormation replace the resource."""
    found = schema(resource_type) or {}
    names = (_top_level(pointer) for pointer in found.get("createOnlyProperties", []))
    return tuple(name for name in names if name)


def perhaps_replacing(resource_type: str) -> tuple[str, ...]:
    """Top-level properties of which some part, when changed, makes CloudFormation replace the resource."""
    found = schema(resource_type) or {}
    pointers = [pointer.removeprefix("/properties/").split("/") for pointer in found.get("createOnlyProperties", [])]
    return tuple(sorted({parts[0] for parts in pointers if len(parts) > 1} - set(replacing(resource_type))))


def problems(resource_type: str, properties: Properties) -> list[str]:
    """Return what CloudFormation's schema check would complain about, in its words; empty when nothing."""
    validator = _validator(resource_type)
    if validator is None:
        return []
    found = sorted(validator.iter_errors(properties), key=lambda error: [str(part) for part in error.absolute_path])
    return [text for error in found for text in _describe(error)]


def check(resource_type: str, logical_id: str, properties: Properties) -> None:
    """Refuses properties that break the type's schema.

    Raises:
        ResourceError: With every problem, worded as CloudFormation does.
    """
    if found := problems(resource_type, properties):
        raise model_fault(logical_id, found)


def _describe(error: Any) -> list[str]:
    pointer = "#" + "".join(f"/{part}" for part in error.absolute_path)
    rule, value, keyword = error.validator_value, error.instance, str(error.validator)
    if keyword == "required":
        return [f"{pointer}: required key [{name}] not found" for name in rule if name not in value]
    if keyword == "additionalProperties":
        allowed = set(error.schema.get("properties", {}))
        patterns = list(error.schema.get("patternProperties", {}))
        extra = [name for name in value if name not in allowed and not any(re.search(p, name) for p in patterns)]
        return [f"{pointer}: extraneous key [{name}] is not permitted" for name in extra]
    words = {
        "enum": f"{value} is not a valid enum value",
        "pattern": f"string [{value}] does not match pattern {rule}",
        "type": f"expected type: {str(rule).capitalize()}, found: {type(value).__name__}",
        "minLength": f"expected minLength: {rule}, actual: {_size(value)}",
        "maxLength": f"expected maxLength: {rule}, actual: {_size(value)}",
        "minItems": f"expected minimum item count: {rule}, found: {_size(value)}",
        "maxItems": f"expected maximum item count: {rule}, found: {_size(value)}",
        "minimum": f"{value} is not greater or equal to {rule}",
        "maximum": f"{value} is not less or equal to {rule}",
        "uniqueItems": "array items are not unique",
    }
    if keyword in {"anyOf", "oneOf", "allOf"} and error.context:
        matched = len(rule) - len({context.schema_path[0] for context in error.context})
        inner = sorted({text for context in error.context for text in _describe(context)})
        return [f"{pointer}: #: {matched} subschemas matched instead of one ({'; '.join(inner)})"]
    return [f"{pointer}: {words.get(keyword, error.message)}"]


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | dict) else len(str(value))
