"""Judges requests by the policies of a synthesized template, as IAM does for the operators that are used here."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any


def allows(document: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """Return whether a policy allows a request.

    Args:
        document: The policy, with every ARN as text (see `with_arns`).
        action: Action of the request, such as ``s3:GetObject``.
        resource: ARN of what it is about.
        context: Condition keys of the request by name, ``__`` for the colon: ``s3__prefix="milvus/"``.
    """
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    matching = [
        statement
        for statement in document["Statement"]
        if any(_like(action, pattern) for pattern in _list(statement["Action"]))
        and any(_like(resource, pattern) for pattern in _list(statement["Resource"]))
        and _holds(statement.get("Condition", {}), keys)
    ]
    effects = {statement["Effect"] for statement in matching}
    return effects == {"Allow"}


def with_arns(document: dict[str, Any], arns: dict[str, str]) -> dict[str, Any]:
    """Return a policy in which every value that CloudFormation fills in is an ARN.

    Args:
        document: The policy as it stands in a template.
        arns: What to put in, by a part of the logical id or export that the value names.
    """
    return {**document, "Statement": [_filled(statement, arns) for statement in document["Statement"]]}


def _filled(value: Any, arns: dict[str, str]) -> Any:
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_filled(part, arns) for part in parts)
        case dict() if any(key == "Ref" or key.startswith("Fn::") for key in value):
            text = json.dumps(value)
            [arn] = [arn for name, arn in arns.items() if re.search(name, text)]
            return arn
        case dict():
            return {key: _filled(each, arns) for key, each in value.items()}
        case list():
            return [_filled(each, arns) for each in value]
        case _:
            return value


def _holds(conditions: dict[str, dict[str, Any]], keys: dict[str, str]) -> bool:
    for operator, wanted in conditions.items():
        if_exists = operator.endswith("IfExists")
        compare = {"StringEquals": str.__eq__, "StringLike": _like}[operator.removesuffix("IfExists")]
        for key, patterns in wanted.items():
            if key not in keys:
                if if_exists:
                    continue
                return False
            if not any(compare(keys[key], pattern) for pattern in _list(patterns)):
                return False
    return True


def _like(value: str, pattern: str) -> bool:
    # In IAM a bracket is a character like any other.
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
