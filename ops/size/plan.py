"""A workload's nodes with the month's bill, and where they differ from the public sizing tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ops.cost.assumptions import Assumptions
from ops.cost.by_use import woodpecker_writes
from ops.cost.prices import Price, Prices
from ops.cost.release import CHANNELS
from ops.size import tool
from ops.size.components import FILL, ZONES, Pods, etcd_volume_gib
from ops.size.indexes import GIB
from ops.size.nodes import Group, node_groups
from ops.size.prices import HOURS, priced_types
from ops.size.workload import Workload, check

BROKERS = ZONES


@dataclass(frozen=True)
class Charge:
    """A line of the bill."""

    what: str
    monthly: float | None
    """USD a month; None where the table has no price."""
    price: Price


@dataclass(frozen=True)
class Plan:
    """What is recommended for a workload."""

    work: Workload
    groups: tuple[Group, ...]
    charges: tuple[Charge, ...]
    notes: tuple[str, ...]

    @property
    def pods(self) -> tuple[Pods, ...]:
        """Return the components, query nodes first."""
        return tuple(pods for group in self.groups for pods in group.pods)

    @property
    def monthly(self) -> float:
        """Return USD a month of everything that has a price."""
        return sum(charge.monthly or 0 for charge in self.charges)

    @property
    def nat_gateways(self) -> int:
        """Return the NAT gateways: without one, the role's credentials end with the zone of another."""
        return ZONES if self.work.survive == "zone" else 1


def plan_for(work: Workload, prices: Prices) -> Plan:
    """Return the cheapest deployment of a workload.

    Raises:
        OpsError: The workload is wrong in itself, no instance type or group holds it, or its region has no prices.
    """
    check(work)
    types = priced_types(prices, work.region, term=work.term, generation=work.generation)
    groups = tuple(node_groups(work, types))
    empty = Plan(work, groups, (), tuple(_notes(work, groups, prices)))
    return Plan(work, groups, tuple(_charges(empty, prices)), empty.notes)


def _charges(plan: Plan, prices: Prices) -> Iterator[Charge]:
    work = plan.work

    def charge(what: str, price: Price, times: float) -> Charge:
        return Charge(what, None if price.amount is None else price.amount * times, price)

    for group in plan.groups:
        name = group.priced.kind.name
        yield charge(f"{group.nodes} x {name} ({group.name})", group.priced.price, group.nodes * HOURS)
    gp3 = prices.of(work.region, "ebs", "gp3-storage")
    roots = sum(group.nodes * group.disk_gib for group in plan.groups)
    etcd = 3 * etcd_volume_gib(work)
    yield charge(f"{roots + etcd} GiB of gp3: nodes {roots}, etcd {etcd}", gp3, roots + etcd)
    yield charge("EKS control plane", prices.of(work.region, "eks", "cluster-standard-support"), HOURS)
    if work.queue == "msk":
        broker = prices.broker(work.region, work.broker_type)
        volume = work.broker_volume_gib
        yield charge(f"{BROKERS} x {work.broker_type}", broker, BROKERS * HOURS)
        storage = prices.of(work.region, "msk-storage", "gp2")
        yield charge(f"{BROKERS} x {volume} GiB of broker storage", storage, BROKERS * volume)
    nat = plan.nat_gateways
    yield charge(f"{nat} NAT gateway{'s' if nat > 1 else ''}", prices.of(work.region, "nat", "hour"), nat * HOURS)
    address = prices.of(work.region, "vpc", "public-ipv4")
    yield charge(f"{nat} public address{'es' if nat > 1 else ''}", address, nat * HOURS)
    yield charge("network load balancer", prices.of(work.region, "elb", "nlb-hour"), HOURS)


def _of_woodpecker(put: Price) -> str:
    says = (
        "Woodpecker has no brokers; it writes to S3 instead, by the request, which is not measured and not in the sum"
    )
    if put.amount is None:
        return says
    one = woodpecker_writes(Assumptions.load()) / 1000 * put.amount
    return (
        f"{says}: {one:,.0f} USD a month for a channel that is written to all the time, {CHANNELS * one:,.0f} for "
        f"{CHANNELS} of them"
    )


def _notes(work: Workload, groups: tuple[Group, ...], prices: Prices) -> Iterator[str]:
    load = work.load
    (queries,) = groups[0].pods
    theirs = tool.shapes(load.memory_gib, load.raw, line=work.line)
    shape = theirs["query_node"]
    filled = load.memory_gib / (shape.count * shape.memory_gib)
    limit = ", beyond the 90 % up to which Milvus loads" if filled > FILL else ""
    yield (
        f"query nodes: the public sizing tool gives {shape.count} x {shape.cpu:g} CPU and {shape.memory_gib:g} GiB, "
        f"which one copy fills to {filled:.0%}{limit}; here {queries.replicas} x {queries.cpu:g} CPU and "
        f"{queries.memory_gib:g} GiB. {queries.why}"
    )
    if work.survive != "none":
        yield "the tool gives one proxy and one coordinator; here there are two of everything, and three of etcd"
        yield "every zone has room for its share of each component, rounded up, so that what is lost starts elsewhere"
    if work.queue == "msk":
        yield (
            f"broker storage follows what is written ({work.rows_per_second:g} rows of {work.row_bytes} bytes a "
            f"second, kept for 168 hours, volumes filled to 60 %); the tool gives all data, "
            f"{theirs['kafka'].volume_gib} GiB"
        )
    else:
        yield _of_woodpecker(prices.of(work.region, "s3", "put"))
    if work.qps is not None:
        yield (
            f"{work.qps:g} searches a second at an assumed {work.qps_per_core:g} a core: measure a core of your own "
            "with your data, and give --qps-per-core"
        )
    if load.disk:
        yield (
            f"{load.disk / GIB:,.0f} GiB of each copy are on the query nodes' own NVMe disks, whose files end with the "
            "instance: another one loads them from S3 again"
        )
    if work.index.name == "AISAQ":
        yield "AISAQ is experimental: its memory is the tool's constant, which nobody has shown to hold"
    if work.spot:
        yield "spot prices change by the hour and are not in the table: the query nodes are counted on demand"
    if (work.vectors, work.dim, work.index.name) == (1_000_000, 1024, "HNSW"):
        yield (
            "the published guide's query node (2 CPU, 8 GiB) is what the tool gives today; its data node (1 CPU, 4 "
            "GiB) and index node (4 CPU, 8 GiB) are of an older tool"
        )
    yield (
        "a real cluster has used almost twice what such formulae give (milvus#45815): load a part of the data, "
        "compare, and give --headroom"
    )
