"""The templates of an environment as one: what a property points at, through the exports of other stacks too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

Properties = dict[str, Any]

_HASH = re.compile(r"[0-9A-F]{8}$")


class Resource(NamedTuple):
    """A resource of some template."""

    identifier: str
    """Template and logical id, as `Templates.target` writes them."""
    properties: Properties

    @property
    def name(self) -> str:
        """Return the logical id without template and hash, for people."""
        return short(self.identifier)


class Templates:
    """All templates of one environment."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates = templates
        self._exports: dict[str, tuple[str, Any]] = {
            output["Export"]["Name"]: (key, output["Value"])
            for key, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the templates of a folder that `cdk synth` wrote."""
        files = sorted(folder.glob("*.template.json"))
        return cls({path.name.partition(".")[0]: json.loads(path.read_text(encoding="utf-8")) for path in files})

    def of_type(self, kind: str) -> Iterator[Resource]:
        """Yield the resources of a type, their references replaced by what they point at."""
        for key, template in self._templates.items():
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield Resource(f"{key}:{logical_id}", self._resolved(key, resource.get("Properties", {})))

    def objects(self) -> Iterator[dict[str, Any]]:
        """Yield the Kubernetes objects that are applied, what only AWS knows replaced by what it points at."""
        for resource in self.of_type("Custom::AWSCDK-EKS-KubernetesResource"):
            yield from json.loads(resource.properties["Manifest"])

    def target(self, key: str, value: Any) -> str:  # noqa: ANN401 - whatever stands in a template
        """Return what a value of a template points at: its template, logical id and attribute; a text is itself."""
        match value:
            case {"Ref": str(name)}:
                return f"{key}:{name}"
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                # A group of the template is the same by Ref and by its only identifier.
                return f"{key}:{name}" + ("" if attribute == "GroupId" else f".{attribute}")
            case {"Fn::ImportValue": str(name)} if name in self._exports:
                return self.target(*self._exports[name])
            case {"Fn::Join": [str(delimiter), list(parts)]}:
                return delimiter.join(str(self._resolved(key, part)) for part in parts)
            case str():
                return value
        return json.dumps(value)

    def _resolved(self, key: str, value: Any) -> Any:  # noqa: ANN401 - the same
        if isinstance(value, list):
            return [self._resolved(key, each) for each in value]
        if isinstance(value, dict):
            if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
                return self.target(key, value)
            return {name: self._resolved(key, each) for name, each in value.items()}
        return value


def short(identifier: str) -> str:
    """Return an identifier for people: without the template, the hash and the attribute."""
    logical_id, _, attribute = identifier.rpartition(":")[2].partition(".")
    return _HASH.sub("", logical_id) + (" of EKS" if attribute == "ClusterSecurityGroupId" else "")
