"""The bill of a deployment: lines, what serves whom, what is idle, and how sure the figures are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ops.cost.assembly import Deployment
from ops.cost.assumptions import Assumptions
from ops.cost.by_use import by_use
from ops.cost.found import Class, Inventory, NodeGroup
from ops.cost.inventory import take_stock
from ops.cost.lines import Line, merged
from ops.cost.prices import STALE_DAYS, Prices, Term
from ops.cost.release import Pods

SCHEMA = 1
IDLE = "idle"
_NODES = "nodes of "


@dataclass(frozen=True)
class Share:
    """What of a node group's cost a component's pods take, or nobody does."""

    group: str
    component: str
    monthly: float


@dataclass(frozen=True)
class Bill:
    """What a deployment costs a month."""

    name: str
    region: str
    day: date
    term: Term
    lines: tuple[Line, ...]
    shares: tuple[Share, ...]
    """Of the nodes: the cost of each group, divided."""
    vcpu: float
    """Cores of all nodes."""
    requested: float
    """Cores that the pods of Milvus request."""
    classes: dict[Class, int]
    unclassified: tuple[str, ...]

    @property
    def fixed(self) -> float:
        """Return what is billed by the hour, used or not; USD a month, on-demand list prices."""
        return _sum(line.monthly for line in self.lines if not line.by_use)

    @property
    def used(self) -> float:
        """Return what the assumptions add, at the lower end of each range."""
        return _sum(line.monthly for line in self.lines if line.by_use)

    @property
    def used_at_most(self) -> float:
        """Return what the assumptions add, at the upper end."""
        return _sum(line.monthly_at_most for line in self.lines if line.by_use)

    @property
    def total(self) -> float:
        """Return the whole, at the lower end."""
        return round(self.fixed + self.used, 2)

    @property
    def services(self) -> dict[str, float]:
        """Return USD a month of each service, the largest first."""
        return _largest_first((line.service, line.monthly) for line in self.lines)

    @property
    def components(self) -> dict[str, float]:
        """Return USD a month of each component, the largest first; of nodes, what is idle stands apart."""
        others = [(line.component, line.monthly) for line in self.lines if not line.component.startswith(_NODES)]
        return _largest_first([*others, *((share.component, share.monthly) for share in self.shares)])

    @property
    def idle(self) -> float:
        """Return what is paid for room on nodes that no pod of Milvus requests."""
        return self.components.get(IDLE, 0.0)

    @property
    def on_grade_a(self) -> float:
        """Return the part of the bill whose prices are AWS's own figures, 0 to 1."""
        sure = _sum(line.monthly for line in self.lines if line.price.grade == "A")
        return sure / self.total if self.total else 0.0

    @property
    def oldest(self) -> date | None:
        """Return the day of the oldest price."""
        return min((line.price.date for line in self.lines if line.price.date), default=None)

    @property
    def newest(self) -> date | None:
        """Return the day of the newest price."""
        return max((line.price.date for line in self.lines if line.price.date), default=None)

    @property
    def stale(self) -> bool:
        """Return whether a price is older than it should be."""
        return self.oldest is not None and self.day - self.oldest > timedelta(days=STALE_DAYS)

    @property
    def summary(self) -> str:
        """Return the last line: how many resources, and how many of each class."""
        number = self.classes
        return (
            f"{sum(number.values())} resources: {number.get('priced', 0)} priced, {number.get('free', 0)} free, "
            f"{number.get('by use', 0)} by use, {number.get('without a price', 0)} without a price"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the bill as JSON has it."""
        return {
            "name": self.name,
            "region": self.region,
            "term": self.term,
            "total": self.total,
            "fixed": self.fixed,
            "by_use": self.used,
            "by_use_at_most": self.used_at_most,
            "idle": self.idle,
            "vcpu": self.vcpu,
            "vcpu_requested": self.requested,
            "on_grade_a": round(self.on_grade_a, 4),
            "prices_from": str(self.oldest or ""),
            "prices_to": str(self.newest or ""),
            "services": self.services,
            "components": self.components,
            "lines": [
                {
                    "service": line.service,
                    "component": line.component,
                    "what": line.what,
                    "quantity": round(line.quantity, 4),
                    "unit": line.price.unit,
                    "price": line.price.amount,
                    "monthly": line.monthly,
                    "monthly_at_most": line.monthly_at_most,
                    "by_use": line.by_use,
                    "grade": line.price.grade,
                    "date": str(line.price.date or ""),
                    "source": line.price.source,
                    "mark": line.mark,
                }
                for line in self.lines
            ],
            "nodes": [vars(share) for share in self.shares],
            "resources": dict(self.classes),
            "unclassified": list(self.unclassified),
        }


def make_bill(
    deployment: Deployment, prices: Prices, assumed: Assumptions, *, day: date, term: Term = "on-demand"
) -> Bill:
    """Return the bill of a deployment.

    Raises:
        OpsError: The price table knows nothing of its region.
    """
    found = take_stock(deployment, prices, day=day, term=term)
    lines = tuple(merged([*found.lines, *by_use(found, prices, assumed)]))
    return Bill(
        name=deployment.name,
        region=deployment.region,
        day=day,
        term=term,
        lines=lines,
        shares=tuple(divide(found, lines)),
        vcpu=sum(group.vcpu for group in found.node_groups),
        requested=round(sum(pods.replicas * pods.cpu for pods in found.pods), 3),
        classes=dict(found.classes),
        unclassified=tuple(dict.fromkeys(found.unclassified)),
    )


def divide(found: Inventory, lines: Iterable[Line]) -> list[Share]:
    """Return who pays what of each node group: by the larger of the parts of CPU and memory that its pods request.

    Pods that name no group are spread over the groups that take them, by their cores. What is left is idle, with what
    the system and the add-ons of EKS keep for themselves.
    """
    lines = list(lines)
    shares = []
    for group in found.node_groups:
        cost = _sum(line.monthly for line in lines if line.component == f"{_NODES}{group.name}")
        parts: Counter[str] = Counter()
        for pods in found.pods:
            part = _part(pods, group, found.node_groups)
            if part:
                parts[pods.component] += part  # type: ignore[assignment]  # typeshed's Counter counts whole numbers
        whole = max(sum(parts.values()), 1.0)
        shares += [Share(group.name, name, round(cost * part / whole, 2)) for name, part in parts.items()]
        rest = cost - _sum(share.monthly for share in shares if share.group == group.name)
        shares.append(Share(group.name, IDLE, round(rest, 2)))
    return shares


def _part(pods: Pods, group: NodeGroup, groups: list[NodeGroup]) -> float:
    """Return the part of a group that pods take, 0 to 1."""
    if not group.vcpu or not group.memory_gib:
        return 0.0
    here = 1.0
    if pods.node_group is None:
        if group.tainted:
            return 0.0
        here = group.vcpu / sum(each.vcpu for each in groups if not each.tainted)
    elif pods.node_group != group.name:
        return 0.0
    return here * pods.replicas * max(pods.cpu / group.vcpu, pods.memory_gib / group.memory_gib)


def _sum(amounts: Iterable[float | None]) -> float:
    return round(sum(amount for amount in amounts if amount is not None), 2)


def _largest_first(pairs: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for name, amount in pairs:
        sums[name] = round(sums.get(name, 0.0) + (amount or 0.0), 2)
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))
