"""Writes the settings reference (docs/settings.md) from the models: `python -m tools.docs.settings_reference`."""

from __future__ import annotations

import json
from typing import Any

from _paths import ROOT
from settings.changes import KEY
from settings.environment import Environment
from settings.milvus import Component, Components
from settings.pipeline import Pipeline
from settings.releases import RELEASE_LINES

PAGE = ROOT / "docs" / "settings.md"

_INTRODUCTION = """# Settings

Everything that is built is decided by one file under `environments/`; `-c env=NAME` (or `make ... ENV=NAME`) selects
it; without it, it is `dev`. An empty name, or another key such as `-c environment=`, is refused. A setting that is not
given has the default below. Unknown keys are errors. The variable `MILVUS_ENVIRONMENTS` names another folder to read,
and `MILVUS_TODAY=2027-12-31` judges the versions of Kubernetes as on that day.

The last column says what a change does to a deployment that runs: [docs/changes.md](changes.md) explains the words.

This page is generated from the models in `settings/` by `make docs`; edit those.
"""


def settings_reference() -> str:
    """Return the Markdown page: one table for each model, reached from the file's own settings downwards."""
    lines = [_INTRODUCTION]
    for root, title in ((Environment, "An environment"), (Pipeline, "The pipeline (`environments/pipeline.yaml`)")):
        schema = root.model_json_schema()
        lines += _tables("", schema, schema.get("$defs", {}), title=title)
    return "\n".join(lines).rstrip() + "\n"


def _tables(
    path: str,
    model: dict[str, Any],
    definitions: dict[str, Any],
    *,
    title: str = "",
    differing: frozenset[str] = frozenset(),
) -> list[str]:
    lines = [
        f"## {title}" if title else f"### `{path}`",
        "",
        model.get("description", "").split("\n")[0].replace("``", "`"),
        "",
    ]
    changes = any(KEY in field for field in model["properties"].values())
    lines += [
        f"| setting | type | default | meaning |{' a change |' * changes}",
        f"|---|---|---|---|{'---|' * changes}",
    ]
    deeper: dict[tuple[str, str], dict[str, Any]] = {}
    required = model.get("required", [])
    for name, field in model["properties"].items():
        default = "**required**" if name in required else _default(field)
        default = "see below" if name in differing else default
        cells = [f"`{name}`", _cell(_type(field, definitions)), default, _cell(field["description"])]
        lines.append(f"| {' | '.join([*cells, *([_change(field)] if changes else [])])} |")
        for suffix, found in _models(field, definitions):
            deeper[f".{name}", suffix] = found
    if path.endswith("components"):
        return [*lines, "", *_components(path, list(deeper.values()), definitions)]
    below = [
        line
        for (name, suffix), each in deeper.items()
        for line in _tables(f"{path}{name}{suffix}".lstrip("."), each, definitions)
    ]
    return [*lines, "", *below]


def _components(path: str, models: list[dict[str, Any]], definitions: dict[str, Any]) -> list[str]:
    """Return one table for the settings that every component has, and one for the defaults in which they differ."""
    differing = frozenset(
        name for name in models[0]["properties"] if len({json.dumps(each["properties"][name]) for each in models}) > 1
    )
    common = {**models[0], "description": Component.__doc__ or ""}
    columns = [name for name in models[0]["properties"] if name in differing]
    lines = [f"| NAME | of Milvus | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for name, field in Components.model_fields.items():
        values = field.get_default(call_default_factory=True)
        cells = " | ".join(f"`{getattr(values, column):g}`" for column in columns)
        where = ", ".join(line for line, release in RELEASE_LINES.items() if name in release.components)
        lines.append(f"| `{name}` | {where or 'every line, mode standalone'} | {cells} |")
    return [
        *_tables(f"{path}.NAME", common, definitions, differing=differing),
        "Defaults, field by field: one that is given leaves the others as they are.",
        "",
        *lines,
        "",
    ]


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


def _change(field: dict[str, Any]) -> str:
    declared = field.get(KEY)
    return f"{declared['effect']}{', only grows' * ('only_grows' in declared)}" if declared else "below"


def _bounded(field: dict[str, Any]) -> str:
    text = str(field.get("type", "any"))
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        text += f", {low} to {high}"
    if "pattern" in field:
        text += f", `{field['pattern']}`"
    return text


def _default(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return "as below"
    if field.get("default") in (None, [], {}):
        return "-"
    return f"`{json.dumps(field['default'])}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\\\\|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(settings_reference(), encoding="utf-8")
