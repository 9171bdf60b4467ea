"""Kubernetes' own kinds are made by the classes of cdk8s-plus-27, and nowhere but in charts."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator

import cdk8s
import pytest
from cdk8s_plus_27 import k8s

import charts
from _paths import ROOT
from charts.milvus import MilvusChart
from charts.storage_class import StorageClassChart
from charts.tasks_access import TasksAccessChart
from tests.assemblies import EVERY_FIXTURE, OWN_ENVIRONMENTS, environment
from tests.unit.chart_objects import chart_of

# Custom resources, whose kinds come with an operator. A built-in kind that the classes lack would be named here too.
CUSTOM = {"helm.cattle.io/v1", "external-secrets.io/v1"}


def made_otherwise(chart: cdk8s.Chart) -> list[str]:
    """Return the objects whose kind is Kubernetes' own, and that no class of cdk8s-plus-27 has made."""
    return [
        f"{found.api_version} {found.kind}"
        for found in chart.node.find_all()
        if isinstance(found, cdk8s.ApiObject)
        and found.api_version not in CUSTOM
        and type(found).__module__ != k8s.__name__
    ]


def manifests_by_hand(source: str) -> Iterator[str]:
    """Yield where a source writes a Kubernetes object as a dictionary, or applies one without a chart."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if {"apiVersion", "kind"} <= keys:
                yield f"line {node.lineno}: an object"
        elif isinstance(node, ast.Attribute) and node.attr in {"KubernetesManifest", "KubernetesPatch", "add_manifest"}:
            yield f"line {node.lineno}: {node.attr}"


@pytest.mark.parametrize("name", [*EVERY_FIXTURE, *OWN_ENVIRONMENTS])
def test_built_in_kinds_of_the_release_are_typed(name: str) -> None:
    assert made_otherwise(chart_of(environment(name))) == []


def test_built_in_kinds_of_the_cluster_are_typed() -> None:
    assert made_otherwise(StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=None)) == []
    assert made_otherwise(TasksAccessChart(cdk8s.App(), "tasks", group="tasks", storage_class="gp2")) == []


def test_no_chart_is_forgotten_here() -> None:
    # GIVEN every module of the package
    for module in pkgutil.walk_packages(charts.__path__, "charts."):
        importlib.import_module(module.name)
    # THEN it has no chart beyond those above
    ours = {each for each in cdk8s.Chart.__subclasses__() if each.__module__.startswith("charts.")}
    assert ours == {MilvusChart, StorageClassChart, TasksAccessChart}


def test_object_of_a_built_in_kind_that_is_made_otherwise_is_found() -> None:
    # GIVEN one object of each sort, deeper in the tree than the chart itself
    chart = cdk8s.Chart(cdk8s.App(), "chart")
    inside = cdk8s.Chart(chart, "inside")
    k8s.KubeConfigMap(inside, "typed")
    cdk8s.ApiObject(inside, "custom", api_version="helm.cattle.io/v1", kind="HelmChart")
    cdk8s.ApiObject(inside, "core", api_version="v1", kind="ConfigMap")
    cdk8s.ApiObject(inside, "group", api_version="batch/v1", kind="CronJob")
    # THEN the built-in ones without their class are named
    assert sorted(made_otherwise(chart)) == ["batch/v1 CronJob", "v1 ConfigMap"]


def test_constructs_and_stacks_make_no_objects_themselves() -> None:
    by_hand = {
        path.name: found
        for folder in ("constructs/milvus_constructs", "stacks")
        for path in (ROOT / folder).rglob("*.py")
        if (found := [each.split(": ")[1] for each in manifests_by_hand(path.read_text(encoding="utf-8"))])
    }
    # THEN objects get into the cluster through the one place that applies a chart's
    assert by_hand == {"attached_chart.py": ["KubernetesManifest"]}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('made = [{"apiVersion": "v1", "kind": "ConfigMap"}]', ["line 1: an object"]),
        ("\neks.KubernetesManifest(scope, id, manifest=[])", ["line 2: KubernetesManifest"]),
        ("cluster.add_manifest('id', made)", ["line 1: add_manifest"]),
        ('reference = {"kind": "SecretStore", "name": "store"}', []),
    ],
)
def test_object_that_is_made_by_hand_is_found(source: str, found: list[str]) -> None:
    assert list(manifests_by_hand(source)) == found


def test_names_labels_and_values_load_no_library_for_objects() -> None:
    # GIVEN what commands take from charts that make no object
    program = "import sys, charts.context, charts.names, charts.values, charts.workloads; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    # THEN no jsii kernel is started for it
    assert not {"jsii", "cdk8s", "cdk8s_plus_27"} & set(done.stdout.split())
