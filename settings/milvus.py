"""Settings of Milvus: release, components, security and what is exposed to whom."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from settings.base import DnsLabel, ImageRepository, ServiceName, Settings
from settings.changes import (
    IN_PLACE,
    NONE,
    RESTARTS_COMPONENT,
    RESTARTS_ETCD,
    RESTARTS_MILVUS,
    Effect,
    change,
    never,
)
from settings.contract import OPERATOR_NAMESPACE
from settings.exposure import Attu, Service
from settings.releases import Line

_LINE = change(
    Effect.RESTARTS_PODS, "every pod of Milvus, and etcd's members", only_grows=True, remedy="docs/upgrade.md"
)
_MEMBERS = change(
    Effect.RESTARTS_PODS,
    "etcd, one member after the other, and every pod of Milvus, which is told their addresses",
    only_grows=True,
    remedy="leave the number; members that go stay in etcd's list, and it loses its quorum",
)
_CLAIMS = change(
    Effect.IN_PLACE,
    "the volumes of etcd's members; AWS changes each once in six hours",
    only_grows=True,
    remedy="leave it as it is: a volume never shrinks",
)

Replicas = Annotated[int, Field(ge=1, le=200, description="Number of pods.", json_schema_extra=IN_PLACE)]
CpuLimit = Annotated[
    float, Field(ge=0.1, le=192, description="CPU limit in cores.", json_schema_extra=RESTARTS_COMPONENT)
]
MemoryLimit = Annotated[
    float,
    Field(ge=0.25, le=1536, description="Memory limit and request in GiB.", json_schema_extra=RESTARTS_COMPONENT),
]

DiskLimit = Annotated[
    int,
    Field(
        ge=1,
        le=16384,
        description="Local disk in GiB, request and limit: what the pod writes beside its volumes, on query nodes "
        "Milvus's cache, what mmap maps, and DISKANN's index. A pod that writes more is evicted.",
        json_schema_extra=RESTARTS_COMPONENT,
    ),
]


def _own_namespace(name: str) -> str:
    if name in {"default", OPERATOR_NAMESPACE} or name.startswith("kube-"):
        text = (
            f"{name} belongs to others, and the release closes its namespace to all traffic and deletes it when it is "
            "destroyed; take one of its own, such as milvus"
        )
        raise PydanticCustomError("written", "{text}", {"text": text})
    return name


def _no_gpu(version: object) -> object:
    if isinstance(version, str) and version.endswith("-gpu"):
        text = f"got {version}, but GPU is not supported; use {version.removesuffix('-gpu')}"
        raise PydanticCustomError("written", "{text}", {"text": text})
    return version


Namespace = Annotated[DnsLabel, AfterValidator(_own_namespace)]
"""A namespace that holds the release and nothing else."""


class Component(Settings):
    """Replicas and resources of one Milvus component. Memory is requested in full: it is what gets a pod killed."""

    replicas: Replicas
    cpu: CpuLimit
    cpu_request: CpuLimit | None = Field(
        default=None,
        description="CPU that the scheduler reserves, in cores; empty means the limit.",
        json_schema_extra=RESTARTS_COMPONENT,
    )
    memory_gib: MemoryLimit
    disk_gib: DiskLimit
    node_group: DnsLabel | None = Field(
        default=None,
        description="Node group that the pods run on; empty means `milvus.node_group`.",
        json_schema_extra=RESTARTS_COMPONENT,
    )


# What a component gets of what its file does not say: the smallest that the sizing tool of Milvus gives (8 GB of load).


class RootCoordinator(Component):
    """The coordinator of 2.3 that keeps collections and timestamps."""

    replicas: Replicas = 2
    cpu: CpuLimit = 1
    memory_gib: MemoryLimit = 2
    disk_gib: DiskLimit = 2


class SmallCoordinator(Component):
    """One of the other coordinators of 2.3."""

    replicas: Replicas = 2
    cpu: CpuLimit = 0.5
    memory_gib: MemoryLimit = 0.5
    disk_gib: DiskLimit = 2


class Pair(Component):
    """A component with a second pod that waits or shares the load."""

    replicas: Replicas = 2
    cpu: CpuLimit = 1
    memory_gib: MemoryLimit = 4
    disk_gib: DiskLimit = 2


class Worker(Component):
    """A component that holds or moves data."""

    replicas: Replicas = 1
    cpu: CpuLimit = 2
    memory_gib: MemoryLimit = 8
    disk_gib: DiskLimit = 10


class Searcher(Worker):
    """A component that holds loaded data, some of it on its disk."""

    disk_gib: DiskLimit = 20


class Etcd(Settings):
    """The metadata store of Milvus: one member per zone on EBS volumes."""

    replicas: Literal[1, 2, 3, 4, 5] = Field(
        default=3,
        description="Members; 1 has no redundancy. 2 and 4 are steps on the way to 3 and 5, one deployment each.",
        json_schema_extra=_MEMBERS,
    )
    cpu: CpuLimit = Field(default=1, json_schema_extra=RESTARTS_ETCD)
    cpu_request: CpuLimit | None = Field(
        default=None,
        description="CPU that the scheduler reserves, in cores; empty means the limit.",
        json_schema_extra=RESTARTS_ETCD,
    )
    memory_gib: MemoryLimit = Field(default=4, json_schema_extra=RESTARTS_ETCD)
    image_repository: ImageRepository = Field(
        default="milvusdb/etcd",
        description="Image repository, or a mirror of it; the chart fixes the tag.",
        json_schema_extra=RESTARTS_ETCD,
    )
    volume_gib: int = Field(
        default=20, ge=10, le=1024, description="Volume of a member in GiB.", json_schema_extra=_CLAIMS
    )
    node_group: DnsLabel | None = Field(
        default=None,
        description="Node group that the members run on; empty means `milvus.node_group`.",
        json_schema_extra=RESTARTS_ETCD,
    )


def reserved_cpu(pod: Component | Etcd) -> float:
    """Return the cores that the scheduler reserves for a pod."""
    return pod.cpu if pod.cpu_request is None else pod.cpu_request


class Components(Settings):
    """Milvus components. Which exist depends on the release line and the mode; one that does not is an error."""

    root_coordinator: RootCoordinator = Field(RootCoordinator(), description="2.3 only: collections and timestamps.")
    query_coordinator: SmallCoordinator = Field(SmallCoordinator(), description="2.3 only: query nodes, load balance.")
    data_coordinator: SmallCoordinator = Field(SmallCoordinator(), description="2.3 only: segments and flushes.")
    index_coordinator: SmallCoordinator = Field(SmallCoordinator(), description="2.3 only: index building.")
    mix_coordinator: Pair = Field(Pair(), description="From 2.4: all coordinators in one.")
    proxy: Pair = Field(Pair(), description="The front door: gRPC and REST on port 19530.")
    query_node: Searcher = Field(Searcher(), description="Holds loaded segments in memory and searches.")
    data_node: Worker = Field(Worker(), description="Flushes segments; from 2.6 it also builds indexes.")
    index_node: Worker = Field(Worker(), description="Up to 2.5: builds indexes.")
    streaming_node: Worker = Field(Worker(), description="From 2.6: writes and serves the log.")
    standalone: Searcher = Field(Searcher(), description="Mode standalone only: everything in one pod.")

    @model_validator(mode="before")
    @classmethod
    def _nothing_means_the_default(cls, data: object) -> object:
        return {name: each for name, each in data.items() if each is not None} if isinstance(data, dict) else data


class Milvus(Settings):
    """The Milvus release."""

    line: Line = Field(
        default="2.6", description="Release line: fixes chart, components and what is allowed.", json_schema_extra=_LINE
    )
    version: Annotated[str | None, BeforeValidator(_no_gpu)] = Field(
        default=None,
        pattern=r"^\d+\.\d+\.\d+$",
        description="Exact Milvus version; empty means the line's default.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    mode: Literal["cluster", "standalone"] = Field(
        default="cluster",
        description="One deployment per component, or everything in one pod.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    namespace: Namespace = Field(
        default="milvus",
        description="Kubernetes namespace of the release, which creates and deletes it. Cannot change once deployed.",
        json_schema_extra=never(),
    )
    # Helm takes 53 characters, but the longest Service of the chart is <release>-milvus-streamingnode, which takes 63.
    release_name: ServiceName = Field(
        default="milvus",
        max_length=42,
        description="Name of the Helm release. Cannot change once deployed.",
        json_schema_extra=never(),
    )
    authorization: bool = Field(
        default=True,
        description="Demand a user and password (common.security.authorizationEnabled).",
        json_schema_extra=RESTARTS_MILVUS,
    )
    active_standby: bool = Field(
        default=True,
        description="A second coordinator waits to take over; needed for two or more.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    channel_prefix: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]{1,40}$",
        description="Prefix of topics and channels (msgChannel.chanNamePrefix.cluster), unique per Milvus on a shared "
        "queue; empty means the environment's `name`. Cannot change once there is data.",
        json_schema_extra=never(),
    )
    node_group: DnsLabel | None = Field(
        default=None,
        description="Node group for every component that names none; empty means any untainted node.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    ready_minutes: int = Field(
        default=30,
        ge=1,
        le=40,
        description="Minutes until a release whose pods are not all ready fails its stack, which is then rolled back.",
        json_schema_extra=IN_PLACE,
    )
    components: Components = Field(default_factory=Components, description="Replicas and resources by component.")
    etcd: Etcd = Field(default_factory=Etcd, description="The metadata store.")
    service: Service = Field(default_factory=Service, description="The load balancer for clients.")
    attu: Attu = Field(default_factory=Attu, description="The web console.")
    service_monitor: bool = Field(
        default=False,
        description="Create a ServiceMonitor. Only where the Prometheus Operator's CRDs are: without them the whole "
        "release fails. The network policies admit pods labelled `app.kubernetes.io/name: prometheus` "
        "alone, no other collector.",
        json_schema_extra=IN_PLACE,
    )
    chart_repository: str = Field(
        default="https://zilliztech.github.io/milvus-helm/",
        pattern=r"^(https|oci)://\S+$",
        description="Helm repository of the chart, or a mirror of it.",
        json_schema_extra=IN_PLACE,
    )
    image_repository: ImageRepository = Field(
        default="milvusdb/milvus",
        description="Image repository, or a mirror of it, without a tag: `milvus.version` is the tag.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    tools_image_repository: ImageRepository = Field(
        default="milvusdb/milvus-config-tool",
        description="2.3 only: image repository of what merges Milvus's configuration files, or a mirror of it.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    configuration: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Further settings of Milvus, as in its milvus.yaml, such as "
        "`queryNode: {mmap: {vectorIndex: true}}`. What other settings decide, and credentials, are refused.",
        json_schema_extra=RESTARTS_MILVUS,
    )
    acknowledge: tuple[str, ...] = Field(
        default=(),
        description="Advisories (CVE-...) and known faults (milvus#...) of the version that are accepted by name.",
        json_schema_extra=NONE,
    )
