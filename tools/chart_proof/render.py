"""One ``helm template`` run: the objects and the Milvus configuration in them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from charts.workloads import fullname
from settings import Environment
from settings.loader import UniqueKeyLoader
from tools.chart_proof.tools import helm_environment, tool


class RenderError(Exception):
    """helm refused the values, or rendered what is not YAML."""


@dataclass(frozen=True)
class Rendered:
    """What the chart makes of an environment's values."""

    env: Environment
    text: str

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """Every object, each key once."""
        return [found for found in _parsed(self.text) if found]

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        """Deployments and StatefulSets by name."""
        kinds = {"Deployment", "StatefulSet"}
        return {found["metadata"]["name"]: found for found in self.objects if found["kind"] in kinds}

    @property
    def pods(self) -> dict[str, dict[str, Any]]:
        """Replicas of each workload, and what the containers of a pod request."""
        return {
            name: {
                "replicas": found["spec"].get("replicas", 1),
                "requests": [
                    each.get("resources", {}).get("requests", {})
                    for each in found["spec"]["template"]["spec"]["containers"]
                ],
            }
            for name, found in self.workloads.items()
        }

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        """Volumes that workloads claim, one for each replica, and those that are claimed by themselves."""
        found = {
            name: {
                "number": each["spec"].get("replicas", 1),
                "sizes": [_size(claim) for claim in each["spec"]["volumeClaimTemplates"]],
            }
            for name, each in self.workloads.items()
            if each["spec"].get("volumeClaimTemplates")
        }
        alone = [each for each in self.objects if each["kind"] == "PersistentVolumeClaim"]
        return found | {each["metadata"]["name"]: {"number": 1, "sizes": [_size(each)]} for each in alone}

    @property
    def configuration(self) -> dict[str, Any]:
        """The files of Milvus's ConfigMap, parsed, each key once; ``user.yaml`` overrides ``default.yaml``.

        Raises:
            RenderError: A key appears twice in one of them.
        """
        files = next(
            found["data"]
            for found in self.objects
            if found["kind"] == "ConfigMap" and found["metadata"]["name"] == fullname(self.env)
        )
        return {name: next(_parsed(text)) for name, text in files.items()}


def _size(claim: dict[str, Any]) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of a text, each key once: Milvus would take the last, and nobody would notice.

    Raises:
        RenderError: It is not YAML, or a key appears twice.
    """
    try:
        yield from yaml.load_all(text, Loader=UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise RenderError(str(error)) from error


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
