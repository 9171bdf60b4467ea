"""Environments and the chart objects made of them, for tests of `charts`."""

from __future__ import annotations

import dataclasses
from typing import Any

import cdk8s

from charts.context import ReleaseContext
from charts.milvus import MilvusChart
from charts.values import helm_values
from settings import Environment, parse_environment
from settings.releases import ADVISORIES
from tests.unit.settings_files import file_with


def environment(*changes: tuple[str, Any]) -> Environment:
    """Return a valid environment with settings changed, each given as a dotted path and its value."""
    return parse_environment(file_with(*changes), source="test")


def on_line(line: str, *changes: tuple[str, Any]) -> Environment:
    """Return an environment on a release line, with the advisories accepted that the line has no fix for."""
    accepted = [advisory.name for advisory in ADVISORIES if advisory.fix(line) is None]
    return environment(("milvus.line", line), ("milvus.acknowledge", accepted), *changes)


def context_of(env: Environment, **changes: Any) -> ReleaseContext:
    """Return a context with placeholders, and some fields changed."""
    return dataclasses.replace(ReleaseContext.placeholders(env), **changes)


def values_of(env: Environment, **changes: Any) -> dict[str, Any]:
    """Return the Helm values of an environment; ``changes`` are fields of the context."""
    return helm_values(env, context_of(env, **changes))


def chart_of(env: Environment, **changes: Any) -> MilvusChart:
    """Return the chart of an environment; ``changes`` are fields of the context."""
    return MilvusChart(cdk8s.App(), "milvus", env=env, context=context_of(env, **changes))


def objects_of(env: Environment, **changes: Any) -> dict[str, dict[str, Any]]:
    """Return the objects of an environment's chart as ``Kind/name``, in the order in which they are applied."""
    found = chart_of(env, **changes).to_json()
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}
