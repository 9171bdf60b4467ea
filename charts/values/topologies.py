"""What each release line's chart has, lacks and calls by another name: one function per line."""

from __future__ import annotations

from typing import Any

from charts.context import ReleaseContext
from charts.values.release import Topology, release_values
from settings import Environment
from settings.releases import COORDINATORS_2_3

# The chart has no schema: a key that it does not know is ignored in silence. So each line names the bundled parts and
# components that its own chart knows, and every one that is not wanted is switched off by name, whatever the default.


def values_2_3(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values for Milvus 2.3 on chart 4.1.28: four coordinators, index nodes, the guide's topology."""
    topology = Topology(
        bundled=("pulsar", "kafka", "minio"),
        absent=("mix_coordinator",),
        streaming=None,
        spread_constraints=False,
        etcd_spread_constraints=False,
        config_tool=True,
        hardened=False,
    )
    values = release_values(env, context, topology)
    # Milvus 2.3 writes its Kafka configuration, password included, to the log at level info.
    values["log"] = {"level": "warn"}
    return values


def values_2_4(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values for Milvus 2.4 on chart 4.2.25: one mixed coordinator, index nodes."""
    topology = Topology(
        bundled=("pulsar", "pulsarv3", "kafka", "minio"),
        absent=COORDINATORS_2_3,
        streaming=False,
        spread_constraints=False,
        etcd_spread_constraints=False,
        config_tool=False,
        hardened=False,
    )
    return release_values(env, context, topology)


def values_2_5(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values for Milvus 2.5 on chart 4.2.58: as 2.4, with Pulsar on by default unless told otherwise."""
    topology = Topology(
        bundled=("pulsar", "pulsarv3", "kafka", "woodpecker", "minio"),
        absent=COORDINATORS_2_3,
        streaming=False,
        spread_constraints=True,
        etcd_spread_constraints=False,
        config_tool=False,
        hardened=True,
    )
    return release_values(env, context, topology)


def values_2_6(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values for Milvus 2.6 on chart 5.0.19: streaming nodes, and data nodes that build the indexes."""
    return release_values(env, context, _CHART_5)


def values_3_0(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values for Milvus 3.0: the chart and the topology of 2.6, with Woodpecker out of preview.

    Upstream upgrades from 2.6 by image tag alone.
    """
    return release_values(env, context, _CHART_5)


_CHART_5 = Topology(
    bundled=("pulsar", "pulsarv3", "kafka", "woodpecker", "minio"),
    absent=(*COORDINATORS_2_3, "index_node"),
    streaming=True,
    spread_constraints=True,
    etcd_spread_constraints=True,
    config_tool=False,
    hardened=True,
)
