"""`small` holds its million vectors, starts in whatever order its pods come, and goes on when a zone is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from ops.cost.prices import Prices
from ops.size import indexes
from ops.size.components import ZONES
from ops.size.plan import Plan, plan_for
from ops.size.scheduler import Node, Pod, orders, pending
from ops.size.workload import Workload
from settings import Environment, load_environment
from settings.instances import INSTANCE_TYPES
from settings.milvus import Component, Etcd, reserved_cpu
from settings.room import ADDONS, DAEMONS


@pytest.fixture(scope="module")
def small() -> Environment:
    return load_environment("small")


@pytest.fixture(scope="module")
def sized(small: Environment) -> Plan:
    """Return what `ops size` gives for the workload that the file's head names."""
    hnsw = indexes.find("HNSW")
    work = Workload(
        vectors=1_000_000,
        dim=1024,
        index=hnsw,
        parameters=hnsw.parameters({}),
        region=small.region,
        copies=2,
        survive="zone",
        queue="woodpecker",
        line=small.milvus.line,
    )
    return plan_for(work, Prices.load())


def pods(env: Environment, *, of_each: int | None = None) -> list[Pod]:
    """Return the pods of an environment with the add-ons of EKS; or so many of each component."""
    parts: dict[str, Component | Etcd] = {**env.components, "etcd": env.milvus.etcd}
    found = [
        Pod(name, reserved_cpu(part), part.memory_gib, None, name == "etcd")
        for name, part in parts.items()
        for _ in range(of_each or part.replicas)
    ]
    return found + [Pod(f"add-on {number % 3}", each.cpu, each.memory_gib, None) for number, each in enumerate(ADDONS)]


def nodes(env: Environment, *, zones: int = ZONES) -> Iterator[Node]:
    ((name, group),) = env.cluster.node_groups.items()
    kind = INSTANCE_TYPES[group.instance_types[0]]
    for zone in range(zones):
        cpu = kind.allocatable_cpu - DAEMONS.cpu
        yield Node(name, zone, cpu, kind.allocatable_memory_gib - DAEMONS.memory_gib)


def alike(env: Environment, names: Iterable[str]) -> dict[str, tuple[int, float, float]]:
    return {name: (each.replicas, each.cpu, each.memory_gib) for name in names if (each := env.components[name])}


def test_small_has_the_query_nodes_that_size_gives(small: Environment, sized: Plan) -> None:
    queries = next(each for each in sized.pods if each.name == "query_node")

    assert alike(small, ["query_node"]) == {"query_node": (queries.replicas, queries.cpu, queries.memory_gib)}
    # AND data nodes, which build the indexes, with as much memory as they take
    data = next(each for each in sized.pods if each.name == "data_node")
    assert alike(small, ["data_node"]) == {"data_node": (data.replicas, data.cpu, data.memory_gib)}


def test_small_has_two_of_everything_and_every_component_that_size_gives(small: Environment, sized: Plan) -> None:
    assert {*small.components, "etcd"} == {each.name for each in sized.pods}
    assert all(each.replicas >= 2 for each in small.components.values())
    assert small.milvus.etcd.replicas == 3
    assert small.milvus.active_standby


def test_small_starts_in_every_order_of_creation(small: Environment) -> None:
    for order in orders(pods(small), number=200, seed=7):
        assert pending(order, list(nodes(small))) == []


def test_small_has_room_for_two_of_everything_in_two_zones(small: Environment) -> None:
    # GIVEN a lost zone, and with it a member of etcd, whose volume stays there
    assert small.network.nat == "per-zone"
    # THEN what it ran starts in the other two, in any order
    for order in orders(pods(small, of_each=2), number=200, seed=7):
        assert pending(order, list(nodes(small, zones=2))) == []
