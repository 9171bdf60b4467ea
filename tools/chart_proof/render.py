"""One ``helm template`` run: the objects and the Milvus configuration in them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from charts.workloads import fullname
from settings import Environment
from tools.chart_proof.tools import helm_environment, tool


class RenderError(Exception):
    """helm refused the values, or rendered what is not YAML."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice; Milvus would take the last, and nobody would notice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise RenderError(
                f"{node.start_mark.name}, line {node.start_mark.line + 1}: {', '.join(twice)} stands twice"
            )
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Rendered:
    """What the chart makes of an environment's values."""

    env: Environment
    text: str

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """Every object, each key once."""
        return [found for found in yaml.load_all(self.text, Loader=_UniqueKeyLoader) if found]

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        """Deployments and StatefulSets by name."""
        kinds = {"Deployment", "StatefulSet"}
        return {found["metadata"]["name"]: found for found in self.objects if found["kind"] in kinds}

    @property
    def configuration(self) -> dict[str, Any]:
        """The files of Milvus's ConfigMap, parsed, each key once; ``user.yaml`` overrides ``default.yaml``.

        Raises:
            RenderError: A key stands twice in one of them.
        """
        files = next(
            found["data"]
            for found in self.objects
            if found["kind"] == "ConfigMap" and found["metadata"]["name"] == fullname(self.env)
        )
        return {
            name: yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
            for name, text in files.items()
        }


def render(chart: Path, values: dict[str, Any], env: Environment) -> Rendered:
    """Render a release as it is deployed, for the Kubernetes version of the environment's cluster.

    Raises:
        RenderError: Helm's own message.
    """
    command = [
        str(tool("helm")),
        *("template", env.milvus.release_name, str(chart)),
        *("--namespace", env.milvus.namespace),
        *("--kube-version", env.cluster.version),
        # Without it the chart takes the API version of an Ingress that was removed years ago.
        *("--api-versions", "networking.k8s.io/v1/Ingress"),
        *("--values", "-"),
    ]
    done = subprocess.run(
        command,
        input=yaml.safe_dump(values),
        env=helm_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return Rendered(env, done.stdout)
