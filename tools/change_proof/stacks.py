"""An environment's stacks as they are synthesized: what CloudFormation would be given."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import Environment
from tools.context import CONTEXT

Template = dict[str, Any]

_STACK = "aws:cloudformation:stack"


@dataclass(frozen=True)
class Stacks:
    """The templates of an environment, and what the assembly says of each stack beside them."""

    templates: Mapping[str, Template]
    about: Mapping[str, Mapping[str, Any]]
    """Account, region, protection and tags, by stack."""

    @classmethod
    def of(cls, env: Environment) -> Stacks:
        """Synthesize an environment in this process, without cdk-nag."""
        import aws_cdk as cdk  # noqa: PLC0415 - the first import takes seconds

        from stacks.build import build_environment  # noqa: PLC0415 - imports aws_cdk

        with tempfile.TemporaryDirectory() as folder:
            app = cdk.App(outdir=folder, context=CONTEXT)
            build_environment(app, env)
            app.synth()
            return cls.read(Path(folder))

    @classmethod
    def read(cls, folder: Path) -> Stacks:
        """Read an assembly."""
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        # By the stack's name, which in a stage is another than that of its artifact.
        found = {
            each["properties"].get("stackName", key): each
            for key, each in manifest["artifacts"].items()
            if each["type"] == _STACK
        }
        templates = {
            key: json.loads((folder / each["properties"]["templateFile"]).read_text(encoding="utf-8"))
            for key, each in found.items()
        }
        about = {
            key: {
                "environment": each["environment"],
                "protected": each["properties"].get("terminationProtection", False),
                "tags": each["properties"].get("tags", {}),
            }
            for key, each in found.items()
        }
        return cls(templates, about)

    def imported(self) -> set[str]:
        """Return the names of the exports that a stack imports."""
        return {
            each["Fn::ImportValue"]
            for template in self.templates.values()
            for each in nodes(template)
            if isinstance(each.get("Fn::ImportValue"), str)
        }


def nodes(value: object) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a value, itself included."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def references(value: object) -> Iterator[tuple[str, str]]:
    """Yield the logical id and the attribute of everything that a value refers to; ``Ref`` has no attribute."""
    for each in nodes(value):
        match each:
            case {"Ref": str(target)}:
                yield target, ""
            case {"Fn::GetAtt": [str(target), str(attribute)]}:
                yield target, attribute


def text(value: object) -> str:
    """Return a text with what only AWS knows replaced by a word for it, always the same for the same."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(text(part) for part in parts)
        case _:
            return json.dumps(value, sort_keys=True).replace('"', "'")


def differing(before: object, after: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths at which two values differ; an item of a list is ``*``."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and not _intrinsic(before) and not _intrinsic(after):
        for key in sorted(before.keys() | after.keys()):
            yield from differing(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differing(one, other, (*path, "*"))
    else:
        yield path


def _intrinsic(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))
