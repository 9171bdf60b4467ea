"""Where the settings' components are in the chart and in the cluster: values key, pod label, workload name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from settings import Environment
from settings.chart_names import chart_fullname, etcd_fullname


@dataclass(frozen=True)
class ChartComponent:
    """A Milvus component as the chart names it."""

    key: str
    """Its key in the chart's values."""
    label: str
    """Value of the label ``component`` of its pods, and the ending of its deployment's name."""
    coordinator: bool = False
    """Whether a second replica has to wait as a standby."""


# The same in every chart version from 4.1.28 to 5.0.19; which of them exist is settings.releases' table.
CHART_COMPONENTS: dict[str, ChartComponent] = {
    "root_coordinator": ChartComponent("rootCoordinator", "rootcoord", coordinator=True),
    "query_coordinator": ChartComponent("queryCoordinator", "querycoord", coordinator=True),
    "data_coordinator": ChartComponent("dataCoordinator", "datacoord", coordinator=True),
    "index_coordinator": ChartComponent("indexCoordinator", "indexcoord", coordinator=True),
    "mix_coordinator": ChartComponent("mixCoordinator", "mixcoord", coordinator=True),
    "proxy": ChartComponent("proxy", "proxy"),
    "query_node": ChartComponent("queryNode", "querynode"),
    "data_node": ChartComponent("dataNode", "datanode"),
    "index_node": ChartComponent("indexNode", "indexnode"),
    "streaming_node": ChartComponent("streamingNode", "streamingnode"),
    "standalone": ChartComponent("standalone", "standalone"),
}

ATTU_LABEL = "attu"


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet that the release creates."""

    kind: Literal["Deployment", "StatefulSet"]
    name: str
    component: str
    """Name of the component in the settings, or ``etcd`` or ``attu``."""
    replicas: int


def fullname(env: Environment) -> str:
    """Return the name that the chart gives its Service and starts every other name with."""
    return chart_fullname(env.milvus.release_name)


def etcd_name(env: Environment) -> str:
    """Return the name of etcd's StatefulSet and Service."""
    return etcd_fullname(env.milvus.release_name)


def attu_name(env: Environment) -> str:
    """Return the name of Attu's Deployment and Service."""
    return f"{fullname(env)}-{ATTU_LABEL}"


def milvus_labels(env: Environment) -> dict[str, str]:
    """Return the labels that all pods of Milvus and Attu have, and etcd's have not."""
    return {"app.kubernetes.io/name": "milvus", "app.kubernetes.io/instance": env.milvus.release_name}


def etcd_labels(env: Environment) -> dict[str, str]:
    """Return the labels of etcd's pods."""
    return {"app.kubernetes.io/name": "etcd", "app.kubernetes.io/instance": env.milvus.release_name}


def component_labels(env: Environment, component: str) -> dict[str, str]:
    """Return the labels of a component's pods (a name of the settings, or ``attu``)."""
    label = ATTU_LABEL if component == "attu" else CHART_COMPONENTS[component].label
    return {**milvus_labels(env), "component": label}


def front_door(env: Environment) -> str:
    """Return the component that listens on port 19530."""
    return "proxy" if env.milvus.mode == "cluster" else "standalone"


def workloads(env: Environment) -> tuple[Workload, ...]:
    """Return every workload of the release in the order in which they start: the deployment table of ``status``."""
    found = [Workload("StatefulSet", etcd_name(env), "etcd", env.milvus.etcd.replicas)]
    for name, component in env.components.items():
        label = CHART_COMPONENTS[name].label
        found.append(Workload("Deployment", f"{fullname(env)}-{label}", name, component.replicas))
    if env.milvus.attu.exposure != "off":
        found.append(Workload("Deployment", attu_name(env), "attu", 1))
    return tuple(found)
