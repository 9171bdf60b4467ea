"""What each release line's chart has, lacks and calls by another name."""

from __future__ import annotations

from dataclasses import dataclass

from settings.releases import COORDINATORS_2_3


@dataclass(frozen=True, kw_only=True)
class Topology:
    """What a chart version has. A chart has no schema: a key that it does not know is ignored in silence.

    So each line names the bundled parts and components that its own chart knows, and every one that is not wanted is
    switched off by name, whatever the default.
    """

    bundled: tuple[str, ...]
    """Keys of the queues and stores that the chart brings along; all are switched off."""
    absent: tuple[str, ...]
    """Components that the chart could deploy, but that the line does not use; switched off."""
    streaming: bool | None
    """The streaming service: on, off, or unknown to the chart (None)."""
    spread_constraints: bool
    """Whether Milvus's pods take topologySpreadConstraints; without, they get anti-affinity."""
    etcd_spread_constraints: bool
    """The same for etcd's pods."""
    hardened: bool
    """Whether the chart passes on a container security context."""
    config_tool: bool = False
    """Whether an image of its own merges Milvus's configuration."""
    liveness_failures: int | None = None
    """Liveness probes, 30 seconds apart, that have to fail until a container is killed; None leaves it to the chart."""


# The charts of 2.3 and 2.4 ask /healthz, which fails while a pod recovers or a standby takes over: after the chart's 5
# it would be killed in the middle, again and again (milvus#37630). Later charts only ask whether the port is open.
_PATIENT = 30

# Upstream upgrades from 2.6 to 3.0 by image tag alone.
_CHART_5 = Topology(
    bundled=("pulsar", "pulsarv3", "kafka", "woodpecker", "minio"),
    absent=(*COORDINATORS_2_3, "index_node"),
    streaming=True,
    spread_constraints=True,
    etcd_spread_constraints=True,
    hardened=True,
)

TOPOLOGIES: dict[str, Topology] = {
    # Four coordinators and index nodes: the guide's topology.
    "2.3": Topology(
        bundled=("pulsar", "kafka", "minio"),
        absent=("mix_coordinator",),
        streaming=None,
        spread_constraints=False,
        etcd_spread_constraints=False,
        hardened=False,
        config_tool=True,
        liveness_failures=_PATIENT,
    ),
    # One mixed coordinator, and index nodes.
    "2.4": Topology(
        bundled=("pulsar", "pulsarv3", "kafka", "minio"),
        absent=COORDINATORS_2_3,
        streaming=False,
        spread_constraints=False,
        etcd_spread_constraints=False,
        hardened=False,
        liveness_failures=_PATIENT,
    ),
    # As 2.4, with Pulsar on by default unless told otherwise.
    "2.5": Topology(
        bundled=("pulsar", "pulsarv3", "kafka", "woodpecker", "minio"),
        absent=COORDINATORS_2_3,
        streaming=False,
        spread_constraints=True,
        etcd_spread_constraints=False,
        hardened=True,
    ),
    # Streaming nodes, and data nodes that build the indexes.
    "2.6": _CHART_5,
    "3.0": _CHART_5,
}
"""By release line; which chart version belongs to a line is `settings.releases`' table."""
