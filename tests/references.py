"""Follows the references of a synthesized assembly: what a property really points at, by the ids of constructs."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STACK = "aws:cloudformation:stack"
_SUFFIXES = ("/Default", "/Resource")


@dataclass(frozen=True)
class Found:
    """A resource of an assembly, its references replaced by the names of what they point at.

    ``${storage/Storage/Data}`` is what CloudFormation knows as ``Ref``, ``${storage/Storage/Data.Arn}`` as
    ``Fn::GetAtt``: part of the environment, path of the construct, attribute. ``Fn::ImportValue`` is followed into the
    exporting stack, and the texts of ``Fn::Join`` and ``Fn::Sub`` are put together.
    """

    name: str
    """Part of the environment and path of the construct, such as ``storage/Storage/Data``."""
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...]
    """Names of the resources that it says it waits for."""
    policies: Mapping[str, str]
    """DeletionPolicy and UpdateReplacePolicy."""

    def at(self, path: str) -> Any:
        """Return the value at a dotted path of the properties, None where there is none; a number is a place in a list.

        Texts that hold JSON (manifests, Helm values, conditions) are entered, and are returned as what they say.
        """
        value: Any = _said(self.properties)
        for step in path.split("."):
            try:
                value = _said(value[int(step)] if isinstance(value, list) else value[step])
            except (LookupError, TypeError):
                return None
        return value

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield the dotted path of each property that holds references, and the property; texts are not entered."""
        yield from _with_references((), self.properties)


class Assembly:
    """All stacks of a folder that `cdk synth` wrote, as one graph of resources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Where the assembly lies, with the assets of its functions."""
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        artifacts = {key: found for key, found in manifest["artifacts"].items() if found["type"] == _STACK}
        self.stacks: dict[str, dict[str, Any]] = {}
        """What the manifest says of each stack, by the last word of its name."""
        self.templates: dict[str, dict[str, Any]] = {}
        """The templates as they are, by the same word."""
        self._parts: dict[str, str] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._exports: dict[str, tuple[str, Any]] = {}
        for key, artifact in artifacts.items():
            part = artifact["properties"].get("stackName", key).rpartition("-")[2]
            self.stacks[part], self._parts[key] = artifact, part
            self.templates[part] = json.loads((folder / artifact["properties"]["templateFile"]).read_text("utf-8"))
            metadata = json.loads((folder / artifact["additionalMetadataFile"]).read_text(encoding="utf-8"))
            root = "/" + artifact["displayName"]
            for path, entries in metadata.items():
                for entry in entries:
                    if entry["type"] == "aws:cdk:logicalId":
                        self._names[part, entry["data"]] = _short(part + path.removeprefix(root))
            for output in self.templates[part].get("Outputs", {}).values():
                if "Export" in output:
                    self._exports[output["Export"]["Name"]] = part, output["Value"]
        self.resources = {found.name: found for found in self._all()}
        """Every resource by its name."""

    def __getitem__(self, name: str) -> Found:
        return self.resources[name]

    def of_type(self, kind: str) -> list[Found]:
        """Return the resources of a type; an empty list is an error, so that no test looks at nothing."""
        found = [each for each in self.resources.values() if each.type == kind]
        if not found:
            raise LookupError(f"no {kind} in {', '.join(self.stacks)}")
        return found

    def code(self, function: str) -> Path:
        """Return the folder with the code of a function, as it is uploaded."""
        return self.folder / f"asset.{str(self[function].at('Code.S3Key')).removesuffix('.zip')}"

    def outputs(self, part: str) -> dict[str, Any]:
        """Return the outputs of a stack that are meant for people."""
        outputs = self.templates[part].get("Outputs", {}).items()
        return {key: self.resolved(part, output["Value"]) for key, output in outputs if "Export" not in output}

    def before(self, name: str) -> set[str]:
        """Return everything that is created before a resource, deleted after it, and so can be relied on.

        That is what it names and what it says it waits for, what those wait for, and whole stacks that its stack waits
        for.
        """
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            found = self.resources[waiting.pop()]
            direct = {*found.depends_on, *(target.partition(".")[0] for target in references(found.properties))}
            new = (direct & self.resources.keys()) - seen
            seen |= new
            waiting += new
        earlier = self.stacks_before(name.partition("/")[0])
        return seen | {each for each in self.resources if each.partition("/")[0] in earlier}

    def stacks_before(self, part: str) -> set[str]:
        """Return the stacks that are deployed before a stack."""
        direct = {self._parts[each] for each in self.stacks[part]["dependencies"] if each in self._parts}
        return direct.union(*(self.stacks_before(other) for other in direct))

    def resolved(self, part: str, value: Any) -> Any:
        """Return a value of a template with its references replaced by names."""
        found = value
        match value:
            case {"Ref": str(target)}:
                found = f"${{{self._name(part, target)}}}"
            case {"Fn::GetAtt": [str(target), str(attribute)]}:
                found = f"${{{self._name(part, target)}.{attribute}}}"
            case {"Fn::ImportValue": str(name)}:
                found = self.resolved(*self._exports[name])
            case {"Fn::Join": [str(delimiter), list(parts)]}:
                texts = [self.resolved(part, each) for each in parts]
                together = all(isinstance(each, str) for each in texts)
                found = delimiter.join(texts) if together else {"Fn::Join": [delimiter, texts]}
            case {"Fn::Select": [int(index), {"Fn::Split": [str(delimiter), cut]}]}:
                found = f"<{index} of {self.resolved(part, cut)} cut at {delimiter}>"
            case {"Fn::Sub": str(text)}:
                found = re.sub(r"\$\{([^!}.]+)", lambda match: "${" + self._name(part, match[1]), text)
            case dict():
                found = {key: self.resolved(part, each) for key, each in value.items()}
            case list():
                found = [self.resolved(part, each) for each in value]
        return found

    def _name(self, part: str, logical_id: str) -> str:
        return logical_id if "::" in logical_id else self._names[part, logical_id]

    def _all(self) -> Iterator[Found]:
        for part, template in self.templates.items():
            for logical_id, resource in template["Resources"].items():
                yield Found(
                    self._names[part, logical_id],
                    resource["Type"],
                    self.resolved(part, resource.get("Properties", {})),
                    tuple(self._names[part, each] for each in resource.get("DependsOn", ())),
                    {key: resource[key] for key in ("DeletionPolicy", "UpdateReplacePolicy") if key in resource},
                )


def references(value: Any) -> set[str]:
    """Return the names that a resolved value holds, with their attributes and without pseudo parameters."""
    found = re.findall(r"\$\{([^{}:]+/[^{}]*)\}", json.dumps(value))
    return set(found)


def _with_references(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if references(value):
            yield ".".join(path), value
    elif isinstance(value, (dict, list)):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _with_references((*path, str(step)), each)


def _said(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value.startswith(("{", "[")) else value


@functools.cache
def assembly_of(folder: Path) -> Assembly:
    """Return the graph of a folder, read once."""
    return Assembly(folder)


def _short(path: str) -> str:
    shorter = path
    for suffix in _SUFFIXES:
        shorter = shorter.removesuffix(suffix)
    return shorter
