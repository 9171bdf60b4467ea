"""Generates the settings reference (docs/settings.md) from the models."""

from __future__ import annotations

import json
from typing import Any

from settings.environment import Environment
from settings.pipeline import Pipeline

_INTRODUCTION = """# Settings

Everything that is built is decided by one file under `environments/`; `-c env=NAME` (or `make ... ENV=NAME`) selects
it; without it, it is `dev`. An empty name, or another key such as `-c environment=`, is refused. A setting that is not
given has the default below. Unknown keys are errors.

This page is generated from the models in `settings/` by `make docs`; edit those.
"""


def settings_reference() -> str:
    """Return the Markdown page: one table for each model, reached from the file's own settings downwards."""
    lines = [_INTRODUCTION]
    for root, title in ((Environment, "An environment"), (Pipeline, "The pipeline (`environments/pipeline.yaml`)")):
        schema = root.model_json_schema()
        lines += _tables("", schema, schema.get("$defs", {}), title=title)
    return "\n".join(lines).rstrip() + "\n"


def _tables(path: str, model: dict[str, Any], definitions: dict[str, Any], *, title: str = "") -> list[str]:
    lines = [
        f"## {title}" if title else f"### `{path}`",
        "",
        model.get("description", "").split("\n")[0].replace("``", "`"),
        "",
    ]
    lines += ["| setting | type | default | meaning |", "|---|---|---|---|"]
    deeper: dict[tuple[str, str], dict[str, Any]] = {}
    required = model.get("required", [])
    for name, field in model["properties"].items():
        default = "**required**" if name in required else _default(field)
        lines.append(f"| `{name}` | {_cell(_type(field, definitions))} | {default} | {_cell(field['description'])} |")
        for suffix, found in _models(field, definitions):
            same = [key for key, known in deeper.items() if known is found]
            if same:  # such as the components: one table serves them all
                deeper = {(".NAME", "") if key in same else key: each for key, each in deeper.items()}
            else:
                deeper[f".{name}", suffix] = found
    below = [
        line
        for (name, suffix), each in deeper.items()
        for line in _tables(f"{path}{name}{suffix}".lstrip("."), each, definitions)
    ]
    return [*lines, "", *below]


def _models(field: dict[str, Any], definitions: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the models that a field holds, each with what comes after the field's name in its path."""
    if "$ref" in field:
        model = definitions[field["$ref"].rsplit("/", 1)[1]]
        return [("", model)] if "properties" in model else []  # any JSON is no settings of ours
    branches = field.get("oneOf") or field.get("anyOf") or []
    found = []
    for branch in branches:
        for suffix, model in _models(branch, definitions):
            kind = model["properties"].get("kind", {}).get("const") if "oneOf" in field else None
            found.append((f"{suffix} (kind: {kind})" if kind else suffix, model))
    if "items" in field:
        found += [(f"[]{suffix}", model) for suffix, model in _models(field["items"], definitions)]
    for values in (field.get("additionalProperties"), *field.get("patternProperties", {}).values()):
        if isinstance(values, dict):
            found += [(f".NAME{suffix}", model) for suffix, model in _models(values, definitions)]
    return found


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        return "settings, see below"
    if values := [field["const"]] if "const" in field else field.get("enum"):
        return " \\| ".join(f"`{value}`" for value in values)
    if branches := field.get("oneOf") or field.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(each, definitions) for each in branches if each.get("type") != "null"))
    if field.get("type") == "array":
        return f"list of {_type(field['items'], definitions)}"
    return "map" if field.get("type") == "object" else _bounded(field)


def _bounded(field: dict[str, Any]) -> str:
    text = str(field.get("type", "any"))
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        text += f", {low} to {high}"
    if "pattern" in field:
        text += f", `{field['pattern']}`"
    return text


def _default(field: dict[str, Any]) -> str:
    if "default" not in field or field["default"] is None or field["default"] in ([], {}):
        return "as below" if "$ref" in field else "-"
    return f"`{json.dumps(field['default'])}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\\\\|", "\\|").replace("\n", " ")
