"""Rules of disks: what gp3 takes, whose NVMe there is, and room for what Milvus keeps on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from settings.base import Problem, Rule
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES
from settings.rules.words import listed

# https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
_FREE_IOPS = 3000
_IOPS_OF_A_GIB = 500
_IOPS_OF_A_MIB = 4

# What maps what is loaded into files, on the pods that search.
_MMAP = ("vectorIndex", "vectorField", "scalarIndex", "scalarField")


def _gp3(env: Environment) -> Iterator[Problem]:
    for name, group in env.cluster.node_groups.items():
        path = f"cluster.node_groups.{name}"
        iops = group.disk_iops or _FREE_IOPS
        if iops > _IOPS_OF_A_GIB * group.disk_gib:
            yield Problem(
                f"{path}.disk_iops",
                f"at most {_IOPS_OF_A_GIB} for each of {group.disk_gib} GiB, which is "
                f"{_IOPS_OF_A_GIB * group.disk_gib}, got {iops}; use less, or disk_gib {-(-iops // _IOPS_OF_A_GIB)}",
            )
        if group.disk_throughput and group.disk_throughput * _IOPS_OF_A_MIB > iops:
            yield Problem(
                f"{path}.disk_throughput",
                f"at most a quarter of {iops} operations a second, which is {iops // _IOPS_OF_A_MIB}, got "
                f"{group.disk_throughput}; use less, or disk_iops {group.disk_throughput * _IOPS_OF_A_MIB}",
            )


def _local_storage(env: Environment) -> Iterator[Problem]:
    for name, group in env.cluster.node_groups.items():
        known = [INSTANCE_TYPES[each] for each in group.instance_types if each in INSTANCE_TYPES]
        without = [kind.name for kind in known if not kind.nvme_gb]
        if group.local_storage == "raid0" and without:
            yield Problem(
                f"cluster.node_groups.{name}.local_storage",
                f"got raid0, but {listed(without)} {'has' if len(without) == 1 else 'have'} no disks of their own; use "
                "instances with NVMe such as r7gd.2xlarge, or none",
            )


def _room_for_files(env: Environment) -> Iterator[Problem]:
    """Refuse to keep on disk what is loaded, without more room on disk than in memory."""
    path = "milvus.configuration"
    found = _mmap(env.milvus.configuration)
    reason = f"{path}.{found} maps what is loaded into files" if found else ""
    if (
        not reason
        and "diskann"
        in str(env.milvus.configuration.get("common", "")).lower()
        + str(env.milvus.configuration.get("autoIndex", "")).lower()
    ):
        reason = f"{path} builds DISKANN, which lies on disk"
    name = "standalone" if env.milvus.mode == "standalone" else "query_node"
    searcher = env.components.get(name)
    if reason and searcher and searcher.disk_gib < searcher.memory_gib:
        yield Problem(
            f"milvus.components.{name}.disk_gib",
            f"{reason}, of which there is more than fits {searcher.memory_gib:g} GiB of memory, got "
            f"{searcher.disk_gib} GiB; use more than memory_gib, as much as the indexes take, or remove it",
        )


def _mmap(configuration: Mapping[str, JsonValue]) -> str | None:
    nodes = configuration.get("queryNode")
    mmap = nodes.get("mmap") if isinstance(nodes, Mapping) else None
    if not isinstance(mmap, Mapping):
        return None
    return next((f"queryNode.mmap.{name}" for name in _MMAP if mmap.get(name) is True), None)


RULES: tuple[Rule, ...] = (_gp3, _local_storage, _room_for_files)
