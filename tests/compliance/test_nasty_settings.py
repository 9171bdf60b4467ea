"""A settings file, however odd, is refused by the settings or becomes templates: never an error of jsii or the CDK."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings import SettingsError, loader, parse_environment
from tests.assemblies import EVERY_FIXTURE
from tools.context import CONTEXT
from tools.docs.settings_schema import SCHEMAS, schema

# What the patterns of the schema are looked up in: long, short, alike but for one sign, and what means something else.
WORDS = (
    *(
        "a",
        "ab",
        "a1",
        "a-b",
        "a--b",
        "a-b-c",
        "b-a",
        "resource",
        "default-a",
        "x" * 26,
        "x" * 42,
        "x" * 63,
        "1",
        "0-0",
    ),
    *(
        "A",
        "A_b.c",
        "a.b/c",
        "a b",
        "a/b",
        "a-b/c",
        "true",
        "null",
        "1.36",
        "1.35",
        "2.6.25",
        "2.6.10",
        "3.0.2",
        "v2.6.5",
    ),
    *("", "-", "${AWS::Region}", "{{x}}", "%s", "Name", "name", "kubernetes.io/role/elb", "Owner:team@example.com"),
    *("m7g.2xlarge", "m7g.large", "m6i.4xlarge", "t3.large", "r8g.16xlarge", "kafka.m5.large", "kafka.m7g.16xlarge"),
    *(
        "10.0.0.0/16",
        "10.0.0.0/24",
        "10.1.0.0/16",
        "100.64.0.0/16",
        "192.168.0.0/24",
        "203.0.113.5/32",
        "172.16.0.0/12",
    ),
    *("arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x/y", "arn:aws:iam::111122223333:role/x-y"),
    *(f"arn:aws:iam::111122223333:role/{'p/' * 20}{'r' * 64}", "arn:aws:iam::444455556666:role/aws-reserved/a=b,c.d@e"),
    "arn:aws:acm:us-east-2:111122223333:certificate/00000000-0000-0000-0000-000000000000",
    "arn:aws:secretsmanager:us-east-2:111122223333:secret:a/b+c=d-AbCdEf",
    "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000000",
    "arn:aws:cognito-idp:us-east-2:111122223333:userpool/us-east-2_x",
    *(
        "https://a.example.com/b",
        "oci://registry.example.com/charts",
        "a.example.com",
        "example.com:5000/a/b",
        "111122223333",
    ),
    *("vpc-0123456789abcdef0", "rtb-01234567", "rtb-0123456789abcdef0", "us-east-2", "eu-west-1", "us-gov-west-1"),
    *(f"subnet-0{n}aaaaaaaaaaaaaa{n}" for n in range(6)),
)
SCHEMA = json.loads(schema(SCHEMAS["schema.json"]))
# For what may be any value at all, such as one that a change is accepted from.
ANYTHING = [None, True, 0, "a", [1], {"a": 1}]
# Its own table, and the schema's only free form: the rules of the configuration have tests of their own.
LEFT_OUT = "configuration"


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def settings_of(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the schema of every setting, those of sections before what is in them."""
    node = resolved(node)
    if path and not path.endswith(LEFT_OUT):
        yield path, node
    for branch in (node, *node.get("anyOf", ()), *node.get("oneOf", ())):
        for name, below in resolved(branch).get("properties", {}).items():
            yield from settings_of(below, f"{path}.{name}" if path else name)


SETTINGS = list(settings_of(SCHEMA))


def made_up(rng: random.Random, node: dict[str, Any]) -> Any:
    """Return a value that the schema allows, the odder the better."""
    node = resolved(node)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return made_up(rng, rng.choice(branches))
    if constants := node.get("enum", [node["const"]] if "const" in node else [] if "type" in node else ANYTHING):
        return rng.choice(constants)
    match node.get("type"):
        case "object":
            return section(rng, node)
        case "array":
            several = [made_up(rng, node["items"]) for _ in range(rng.randint(node.get("minItems", 0), 3))]
            return several * rng.choice([1, 1, 1, 2])
        case "string":
            return rng.choice(words(node.get("pattern", "")) or ["a"])
    bounds: list[Any] = [node.get("minimum", 0), node.get("maximum", 100), 1, 2, 3, 16]
    return rng.choice([None] if node["type"] == "null" else [True, False] if node["type"] == "boolean" else bounds)


def section(rng: random.Random, node: dict[str, Any]) -> dict[str, Any]:
    if "properties" in node:
        open_to_choice = [name for name in node["properties"] if name != LEFT_OUT]
        wanted = [name for name in open_to_choice if name in node.get("required", ()) or rng.random() < 0.3]
        return {name: made_up(rng, node["properties"][name]) for name in wanted}
    ((pattern, below),) = (node.get("patternProperties") or {"": node["additionalProperties"]}).items()
    return {rng.choice(words(pattern)): made_up(rng, below) for _ in range(rng.randint(1, 4))}


def words(pattern: str) -> list[str]:
    return [word for word in WORDS if re.search(pattern, word)]


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    *parents, leaf = path.split(".")
    place = data
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            return data
    place[leaf] = value
    return data


def sound(data: dict[str, Any]) -> bool:
    try:
        parse_environment(data, source="odd.yaml")
    except SettingsError:
        return False
    return True


def odd_file(data: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return a sound file after some hundred changes, of which those stay that the settings accept."""
    rng = random.Random(seed)  # noqa: S311 - no secret: the same file for the same seed
    for _ in range(300):
        path, node = rng.choice(SETTINGS)
        other = changed(data, path, made_up(rng, node))
        if sound(other):
            data = other
    return data


def synthesize(data: dict[str, Any], folder: Path) -> None:
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    from stacks.build import build_environment

    app = cdk.App(outdir=str(folder), context=CONTEXT)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    build_environment(app, parse_environment(data, source="odd.yaml"))
    app.synth()


@pytest.mark.parametrize(("name", "seed"), [(name, 0) for name in EVERY_FIXTURE] + [("dev", 1), ("existing-vpc", 2)])
def test_whatever_the_settings_accept_becomes_templates(name: str, seed: int, tmp_path: Path) -> None:
    # GIVEN a file with dozens of odd settings
    given = loader.read_yaml(loader.ENVIRONMENTS / f"{name}.yaml", name)
    assert isinstance(given, dict)
    data = odd_file(given, seed)
    assert data != given
    # THEN the CDK has nothing against it
    synthesize(data, tmp_path)
