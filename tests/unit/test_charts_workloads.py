"""Names and labels that the chart gives its workloads, and what a context has to hold."""

from __future__ import annotations

import pytest

from charts.context import ReleaseContext, require
from charts.workloads import attu_name, component_labels, etcd_name, front_door, fullname, workloads
from settings.releases import RELEASE_LINES
from tests.unit.chart_objects import environment, on_line


@pytest.mark.parametrize(
    ("release", "service", "etcd"),
    [
        ("milvus", "milvus", "milvus-etcd"),
        ("my-milvus", "my-milvus", "my-milvus-etcd"),
        ("blue", "blue-milvus", "blue-etcd"),
        ("etcd-backed", "etcd-backed-milvus", "etcd-backed"),
    ],
)
def test_names_are_those_that_the_chart_makes_of_the_release(release: str, service: str, etcd: str) -> None:
    # Compared with the real chart: tests/compliance/test_real_chart.py
    env = environment(("milvus.release_name", release))
    assert (fullname(env), etcd_name(env), attu_name(env)) == (service, etcd, f"{service}-attu")


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_workloads_are_etcd_and_every_component_of_the_line(line: str) -> None:
    env = on_line(line)
    found = {each.component: each for each in workloads(env)}
    assert tuple(found) == ("etcd", *RELEASE_LINES[line].components)
    assert found["etcd"].kind == "StatefulSet"
    assert {each.kind for name, each in found.items() if name != "etcd"} == {"Deployment"}
    assert {name: found[name].replicas for name in env.components} == {
        name: component.replicas for name, component in env.components.items()
    }


def test_workloads_include_attu_where_it_is_on() -> None:
    env = environment(("milvus.attu.exposure", "internal"), ("milvus.mode", "standalone"))
    assert [(each.name, each.replicas) for each in workloads(env)] == [
        ("milvus-etcd", 3),
        ("milvus-standalone", 1),
        ("milvus-attu", 1),
    ]


def test_front_door_is_the_proxy_or_the_one_pod() -> None:
    assert front_door(environment()) == "proxy"
    assert front_door(environment(("milvus.mode", "standalone"))) == "standalone"
    assert component_labels(environment(), "attu")["component"] == "attu"


def test_missing_value_is_refused_with_field_and_reason() -> None:
    assert require("x", "bucket", "there is data") == "x"
    with pytest.raises(ValueError, match=r"ReleaseContext\.bucket is None, but there is data; pass it"):
        require(None, "bucket", "there is data")


@pytest.mark.parametrize(
    ("region", "suffix"), [("us-east-2", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")], ids=["aws", "china"]
)
def test_placeholders_know_the_partition(region: str, suffix: str) -> None:
    placeholders = ReleaseContext.placeholders(environment(("region", region), ("network.zones", ["a", "b", "d"])))
    assert (placeholders.region, placeholders.url_suffix) == (region, suffix)
    assert placeholders.bucket == "${BUCKET_NAME}"
