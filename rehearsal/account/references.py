"""References in a template: CloudFormation refuses one to nothing, in words of its own, before it creates anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_PSEUDO_PARAMETERS = {
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
}
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class Reference(NamedTuple):
    """What ``function`` names: a resource or a parameter, or an attribute of a resource."""

    function: str
    name: str
    attribute: str = ""


def check(template: dict[str, Any]) -> None:
    """Refuses a reference to what the template does not have.

    A template that a macro has still to rewrite is left alone, as in AWS.

    Raises:
        ValueError: CloudFormation's message.
    """
    if template.get("Transform"):
        return
    resources = template.get("Resources") or {}
    known = {*resources, *(template.get("Parameters") or {}), *_PSEUDO_PARAMETERS}
    for block in ("Resources", "Outputs"):
        found = list(references(template.get(block) or {}))
        for function, name, attribute in found:
            if attribute and name not in resources:
                what = f"invalid resource attribute {name}.{attribute}"
                if function == "Fn::GetAtt":
                    what = f"undefined resource {name}"
                raise ValueError(f"Template error: instance of {function} references {what}")
        if missing := ", ".join(dict.fromkeys(entry.name for entry in found if entry.name not in known)):
            raise ValueError(
                f"Template format error: Unresolved resource dependencies [{missing}] in the {block} block of the "
                "template"
            )


def references(node: Any) -> Iterator[Reference]:
    """Every ``Ref``, ``Fn::GetAtt``, ``DependsOn`` and variable of ``Fn::Sub`` in a block of a template."""
    if isinstance(node, list):
        for entry in node:
            yield from references(entry)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield Reference(key, value)
            elif key == "Fn::GetAtt" and value:
                name, *attribute = value.split(".", 1) if isinstance(value, str) else value
                yield Reference(key, name, str(attribute[0]) if attribute else "")
                yield from references(attribute)
            elif key == "DependsOn":
                yield from (Reference(key, name) for name in ([value] if isinstance(value, str) else value))
            elif key == "Fn::Sub":
                yield from _of_text(value)
            else:
                yield from references(value)


def _of_text(value: Any) -> Iterator[Reference]:
    text, given = value if isinstance(value, list) else (value, {})
    for variable in _VARIABLE.findall(text):
        name, _, attribute = variable.strip().partition(".")
        if variable.strip() not in given:
            yield Reference("Fn::Sub", name, attribute)
    yield from references(list(given.values()))
