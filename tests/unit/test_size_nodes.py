"""The nodes of a workload: as cheap as an exhaustive search finds, they hold what they have to, and all pods start."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from ops.cost.prices import Price, Prices
from ops.errors import OpsError
from ops.size import file, indexes, nodes
from ops.size.components import ZONES, Pods, query_pods
from ops.size.packing import Item, fewest
from ops.size.plan import Plan, plan_for
from ops.size.prices import Priced
from ops.size.scheduler import orders, pending
from ops.size.workload import Workload
from settings import parse_environment
from settings.instances import INSTANCE_TYPES

PRICES = Prices.load()


def work(index: str = "HNSW", **given: Any) -> Workload:
    found = indexes.find(index)
    return Workload(
        **{"vectors": 1_000_000, "dim": 768, "region": "us-east-2", **given},
        index=found,
        parameters=found.parameters({}),
    )


WORKLOADS = {
    "guide": work(dim=1024, survive="none"),
    "two copies over a zone": work(dim=1024, copies=2),
    "small": work(vectors=300_000, dim=384),
    "a node": work(vectors=10_000_000, survive="node"),
    "compressed": work("IVF_RABITQ", vectors=100_000_000, copies=2),
    "few cores": work(vectors=10_000_000, copies=2, cores_per_gib=0.1),
    "many searches": work(vectors=5_000_000, qps=2000.0),
    "woodpecker": work(vectors=20_000_000, line="3.0", queue="woodpecker", scalar_bytes=200),
    "line 2.5": work("IVF_SQ8", vectors=50_000_000, line="2.5"),
    "on disk": work("DISKANN", vectors=100_000_000),
    "100 million": work(vectors=100_000_000, growth=20, spot=True, term="1-year"),
    "billion": work(vectors=1_000_000_000),
}


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {name: plan_for(each, PRICES) for name, each in WORKLOADS.items()}


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_pod_starts_in_whatever_order_they_come(plans: dict[str, Plan], name: str) -> None:
    # GIVEN 200 orders of creation, other ones than those that the plan was tried with
    pods = nodes.pods_of(plans[name].groups)
    left = [pending(order, nodes.nodes_of(plans[name].groups)) for order in orders(pods, number=200, seed=7)]
    assert [each for each in left if each] == []


def test_mixed_nodes_of_which_each_pod_needs_its_own_leave_pods_pending() -> None:
    # GIVEN nodes that just hold the pods, if each pod took the right one
    small, large = (Priced(INSTANCE_TYPES[f"m7g.{size}"], _price(1), 1, 0) for size in ("large", "xlarge"))
    groups = [
        nodes.Group("a", small, 3, (Pods("small", 1.5, 6, 3),), 80),
        nodes.Group("b", large, 3, (Pods("large", 3, 13, 3),), 80),
    ]
    # WHEN no pod is bound to a group
    pods = [replace(pod, group=None) for pod in nodes.pods_of(groups)]
    # THEN the trial of orders notices
    assert any(pending(order, nodes.nodes_of(groups)) for order in orders(pods, number=20, seed=1))


@pytest.mark.parametrize("name", WORKLOADS)
def test_query_nodes_hold_every_copy_after_the_loss(plans: dict[str, Plan], name: str) -> None:
    plan = plans[name]
    group = plan.groups[0]
    (queries,) = group.pods
    on_a_node = math.ceil(queries.replicas / group.nodes)
    lost = {"none": 0, "node": on_a_node, "zone": math.ceil(queries.replicas / ZONES)}[plan.work.survive]
    left = (queries.replicas - lost) // plan.work.copies
    assert plan.work.load.memory_gib / (left * queries.memory_gib) <= 0.9
    # AND query nodes stand alone in a tainted group
    assert (group.name, group.tainted, len(group.pods)) == ("query", True, 1)
    assert not any(each.tainted for each in plan.groups[1:])
    assert len(plan.groups) <= 3


@pytest.mark.parametrize("name", WORKLOADS)
def test_written_file_is_one_that_the_loader_accepts(plans: dict[str, Plan], name: str) -> None:
    plan = plans[name]
    text = file.text_of(plan, "sized")
    env = parse_environment(yaml.safe_load(text), source="sized.yaml", today=date(2026, 11, 27))
    sized = {
        pods.name: (pods.replicas, pods.cpu, pods.memory_gib, pods.disk_gib)
        for pods in plan.pods
        if pods.name != "etcd"
    }
    assert {
        component: (each.replicas, each.cpu, each.memory_gib, each.disk_gib)
        for component, each in env.components.items()
    } == sized
    assert {each: group.desired_size for each, group in env.cluster.node_groups.items()} == {
        group.name: group.nodes for group in plan.groups
    }
    assert env.queue.kind == plan.work.queue
    assert env.cluster.node_groups["query"].spot == plan.work.spot
    assert env.cluster.node_groups["query"].local_storage == ("raid0" if plan.work.load.disk else "none")


def test_with_high_availability_there_are_two_of_everything(plans: dict[str, Plan]) -> None:
    for name, plan in plans.items():
        least = 1 if WORKLOADS[name].survive == "none" else 2
        assert min(pods.replicas for pods in plan.pods) >= least, name
        assert all(pods.memory_gib >= 8 for pods in plan.pods if pods.name in {"data_node", "index_node"}), name


def test_generation_has_a_floor(plans: dict[str, Plan]) -> None:
    # GIVEN m6g, which costs less an hour than m7g
    older = plan_for(work(dim=1024, copies=2, generation=6), PRICES)
    assert older.monthly < plan_for(work(dim=1024, copies=2), PRICES).monthly
    assert all(int(group.priced.kind.name[1]) >= 7 for plan in plans.values() for group in plan.groups)


def test_index_on_disk_is_on_the_query_nodes_own_disks(plans: dict[str, Plan]) -> None:
    plan = plans["on disk"]
    group = plan.groups[0]
    (queries,) = group.pods
    lost = math.ceil(queries.replicas / ZONES)
    assert (queries.replicas - lost) * queries.disk_gib * 1024**3 >= plan.work.load.disk
    on_a_node = math.ceil(queries.replicas / group.nodes)
    assert group.priced.kind.nvme_gb * 10**9 > on_a_node * queries.disk_gib * 1024**3
    # AND no other group has instances with disks, which cost more
    assert not any(each.local_storage for each in plan.groups[1:])


def test_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    # GIVEN a size that needs the solver: its banner would stand in the JSON on standard output
    from ops.size.solver import fewest_nodes

    assert fewest_nodes([(2, 0), (1, 1), (0, 3)], [3, 4]) == 3
    assert capfd.readouterr() == ("", "")


def test_patterns_find_fewer_nodes_than_placing_the_largest_first() -> None:
    # GIVEN pods of which the largest first take four nodes
    items = [Item(3.5, 4, 1), Item(3, 4, 2), Item(3.5, 1, 1), Item(2, 11, 3)]
    assert _packs([(item.cpu, item.memory, False) for item in items for _ in range(item.count)], *_three_nodes())
    assert fewest(items, 7.41, 28.74) == 3


def _three_nodes() -> tuple[list[list[float]], list[bool]]:
    return [[7.41, 28.74] for _ in range(3)], [False] * 3


def _price(amount: float) -> Price:
    return Price(amount, "hour", "A", None, "")


def _packs(pods: Sequence[tuple[float, float, bool]], room: Sequence[list[float]], held: Sequence[bool]) -> bool:
    """Whether pods fit, by trying every node for each; of those that are alike only one on a node (etcd)."""
    if not pods:
        return True
    (cpu, memory, alone), *rest = pods
    seen = set()
    for number, (free_cpu, free_memory) in enumerate(room):
        state = (free_cpu, free_memory, held[number])
        if state in seen or free_cpu < cpu - 1e-9 or free_memory < memory - 1e-9 or (alone and held[number]):
            continue
        seen.add(state)
        after = [list(each) for each in room]
        after[number] = [free_cpu - cpu, free_memory - memory]
        if _packs(rest, after, [*held[:number], held[number] or alone, *held[number + 1 :]]):
            return True
    return False


def _exhaustive(pods: Sequence[Pods], types: Sequence[Priced], *, each_zone: bool) -> float:
    """The least that two groups of any types cost, by trying every one."""
    zones = ZONES if each_zone else 1
    best = math.inf
    for mask in range(2 ** (len(pods) - 1)):
        total = 0.0
        for side in (0, 1):
            part = [each for number, each in enumerate(pods) if (mask >> number & 1) == side]
            if part:
                total += min(_fewest_nodes(part, priced, zones) for priced in types)
        best = min(best, total)
    return best


def _fewest_nodes(part: Sequence[Pods], priced: Priced, zones: int) -> float:
    cpu, memory = priced.kind.allocatable_cpu - 0.5, priced.kind.allocatable_memory_gib - 0.8
    wanted = sorted(
        (
            (each.cpu, each.memory_gib, each.name == "etcd")
            for each in part
            for _ in range(math.ceil(each.replicas / zones))
        ),
        reverse=True,
    )
    apart = 3 if zones == 1 and any(each.name == "etcd" for each in part) else 1
    for count in range(apart, len(wanted) + apart + 1):
        if _packs(wanted, [[cpu, memory] for _ in range(count)], [False] * count):
            return zones * count * priced.with_volume(80)
    return math.inf


@pytest.mark.parametrize("seed", range(120))
def test_groups_are_as_cheap_as_an_exhaustive_search_finds(seed: int) -> None:
    # GIVEN a few components and instance types, by chance
    chance = random.Random(seed)  # noqa: S311 - a case by chance, no secret
    kinds = chance.sample([each for each in INSTANCE_TYPES.values() if each.vcpu <= 16 and not each.nvme_gb], 4)
    kinds.append(INSTANCE_TYPES["m7g.8xlarge"])
    types = [Priced(kind, _price(1), round(kind.vcpu * chance.uniform(0.02, 0.06), 4), 0.08) for kind in kinds]
    pods = [
        Pods(name, chance.choice([0.5, 1, 2, 3.5, 6]), chance.choice([1, 2, 4, 7.5, 16]), chance.randint(1, 4))
        for name in chance.sample(["proxy", "mix_coordinator", "data_node", "streaming_node"], 3)
    ]
    pods.append(Pods("etcd", 1, 4, 3))
    each_zone = chance.random() < 0.5
    # WHEN
    found = nodes.other_groups(pods, types, each_zone=each_zone, enough=lambda group: group)
    # THEN
    assert sum(group.hourly for group in found) == pytest.approx(_exhaustive(pods, types, each_zone=each_zone))
    assert {each.name for group in found for each in group.pods} == {each.name for each in pods}


@pytest.mark.parametrize("seed", range(40))
def test_query_group_is_as_cheap_as_an_exhaustive_search_finds(seed: int) -> None:
    # GIVEN a small workload by chance
    chance = random.Random(seed)  # noqa: S311 - a case by chance, no secret
    asked = work(
        vectors=chance.randint(1, 60) * 500_000,
        copies=chance.randint(1, 2),
        survive=chance.choice(["none", "node", "zone"]),
        cores_per_gib=chance.choice([0.1, 0.25]),
    )
    kinds = chance.sample([each for each in INSTANCE_TYPES.values() if each.memory_gib >= 16 and not each.nvme_gb], 5)
    types = [Priced(kind, _price(1), round(kind.vcpu * chance.uniform(0.02, 0.06), 4), 0.08) for kind in kinds]
    # WHEN every type, number of pods and number of them on a node is tried
    costs = []
    for priced in types:
        cpu, memory = nodes.room(priced)
        for on_a_node in range(1, 5):
            for replicas in range(1 if asked.survive == "none" else 2, 60):
                pods = query_pods(asked, replicas, on_a_node=on_a_node)
                if pods and pods.cpu * on_a_node <= cpu and pods.memory_gib * on_a_node <= memory:
                    each_zone = asked.survive != "none"
                    count = 3 * math.ceil(math.ceil(replicas / 3) / on_a_node) if each_zone else replicas / on_a_node
                    # 20 GiB of disk for each, a tenth free, and 9 for images and EKS
                    costs.append(math.ceil(count) * priced.with_volume(max(80, math.ceil((20 * on_a_node + 9) / 0.9))))
    # THEN
    if costs:
        assert nodes.query_group(asked, types).hourly == pytest.approx(min(costs))
    else:
        with pytest.raises(OpsError, match="no group of 450 nodes"):
            nodes.query_group(asked, types)
