"""What was learned from the real chart, as plain data: it stands in where no chart is at hand."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from _paths import ROOT
from charts.values import helm_values
from settings import Environment
from tools.chart_proof.cases import context
from tools.chart_proof.leaves import ignored, leaves, spelled
from tools.chart_proof.render import render

RECORDS = ROOT / "tests" / "chart_records"


class IgnoredValuesError(Exception):
    """The chart ignores values, so there is nothing worth recording."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One environment on one chart version."""

    chart: str
    environment: str
    values_sha256: str
    """Of the values as JSON; another hash means that this record proves nothing any more."""
    honoured: list[str]
    """Keys that the chart reads; list items are written without their number."""
    configuration: dict[str, Any]
    """The files of Milvus's configuration as the chart renders them, parsed."""
    objects: list[str]
    """Kind and name of every object."""
    pods: dict[str, dict[str, Any]]
    """Of each workload: replicas, and what a pod of it requests."""
    volumes: dict[str, dict[str, Any]]
    """Of each workload that claims volumes: how many, and their size."""

    @classmethod
    def make(cls, chart: Path, name: str, env: Environment) -> Self:
        """Render an environment with the chart in a folder.

        Raises:
            IgnoredValuesError: The chart ignores a value.
            RenderError: Helm refuses the values, or a key appears twice in what it renders.
        """
        values = helm_values(env, context(env))
        unread = ignored(chart, values, env)
        if unread:
            raise IgnoredValuesError(f"{name}: chart {env.release.chart} ignores {', '.join(unread)}")
        rendered = render(chart, values, env)
        return cls(
            chart=env.release.chart,
            environment=name,
            values_sha256=digest(values),
            honoured=keys(values),
            configuration=rendered.configuration,
            objects=sorted(f"{found['kind']}/{found['metadata']['name']}" for found in rendered.objects),
            pods=rendered.pods,
            volumes=rendered.volumes,
        )

    @classmethod
    def read(cls, name: str, env: Environment) -> Self:
        """Read the record of an environment.

        Raises:
            FileNotFoundError: There is none; the message says how to make it.
        """
        path = _path(env.release.chart, name)
        if not path.is_file():
            raise FileNotFoundError(f"no record {path.relative_to(ROOT)}: run `make chart-record`")
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self) -> Path:
        """Write the record, and return where it is."""
        path = _path(self.chart, self.environment)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return path


def keys(values: dict[str, Any]) -> list[str]:
    """Return the keys of all leaves, list items without their number: ``proxy.extraEnv[].name``."""
    return sorted({re.sub(r"\[\d+]", "[]", spelled(leaf)) for leaf in leaves(values)})


def digest(values: dict[str, Any]) -> str:
    """Return a hash that is the same for the same values, in whatever order they stand."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _path(chart: str, name: str) -> Path:
    return RECORDS / chart / f"{name}.json"
