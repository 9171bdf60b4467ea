"""Writes the JSON schemas of the settings files, by which editors complete: `python -m tools.docs.settings_schema`."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from _paths import ROOT
from settings.environment import Environment
from settings.pipeline import Pipeline

FOLDER = ROOT / "environments"
SCHEMAS: dict[str, type[BaseModel]] = {"schema.json": Environment, "pipeline.schema.json": Pipeline}
"""The model of each schema, by the schema's file in environments/."""


def schema(model: type[BaseModel]) -> str:
    """Return the schema of a file: fields, types and bounds; rules across fields are the loader's alone."""
    generated = {"$schema": GenerateJsonSchema.schema_dialect, **_without_titles(model.model_json_schema())}
    return json.dumps(generated, indent=2) + "\n"


def _without_titles(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema without the titles that pydantic makes of names: an editor shows the names anyway."""
    if isinstance(node, list):
        return [_without_titles(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_titles(each) for key, each in node.items() if key != "title" or not isinstance(each, str)}


if __name__ == "__main__":
    for name, model in SCHEMAS.items():
        (FOLDER / name).write_text(schema(model), encoding="utf-8")
