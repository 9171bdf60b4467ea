"""The schemas by which editors complete settings files are what the models say."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from settings import loader
from tests.unit.settings_files import file_with
from tools.docs.settings_schema import FOLDER, SCHEMAS, schema

SHIPPED = {
    "dev": "schema.json",
    "prod": "schema.json",
    "guide": "schema.json",
    "existing-vpc": "schema.json",
    "small": "schema.json",
    "pipeline": "pipeline.schema.json",
}


def errors(data: Any, name: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json.loads(schema(SCHEMAS[name])))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_generated_from_the_models(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == schema(SCHEMAS[name]), f"{name} is stale: run `make docs`"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema(SCHEMAS[name])))


@pytest.mark.parametrize(("file", "name"), SHIPPED.items())
def test_shipped_file_names_its_schema_and_is_valid_by_it(file: str, name: str) -> None:
    text = (loader.ENVIRONMENTS / f"{file}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={name}"
    assert errors(yaml.safe_load(text), name) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("clustr", {}), "$: Additional properties are not allowed ('clustr' was unexpected)"),
        (
            ("milvus.components.query_node", {"replica": 2}),
            "$.milvus.components.query_node: Additional properties are not allowed ('replica' was unexpected)",
        ),
        (("milvus.line", "2.7"), "$.milvus.line: '2.7' is not one of ['2.3', '2.4', '2.5', '2.6', '3.0']"),
        (("queue", {"kind": "woodpecker", "brokers": 3}), "$.queue: {'kind': 'woodpecker', 'brokers': 3} is not valid"),
        (("network.cidr", "everywhere"), "$.network.cidr: 'everywhere' does not match"),
    ],
)
def test_schema_refuses_what_a_single_field_may_not_be(change: tuple[str, Any], message: str) -> None:
    (found,) = errors(file_with(change), "schema.json")
    assert found.startswith(message)
