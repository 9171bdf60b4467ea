"""What `milvus-ops size` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from ops.rows import add_row, new_table
from ops.size.nodes import Group
from ops.size.plan import Plan
from settings.disks import nvme_gib


def filled(group: Group) -> tuple[float, float]:
    """Return the share of a group's cores and memory that its pods request."""
    cpu, memory = group.room
    return (
        sum(pods.replicas * pods.cpu for pods in group.pods) / (group.nodes * cpu),
        sum(pods.replicas * pods.memory_gib for pods in group.pods) / (group.nodes * memory),
    )


def tables(plan: Plan) -> Iterator[Table]:
    """Return the tables of a plan: pods, nodes and the month's bill."""
    work = plan.work
    table = new_table(
        f"{work.vectors:,} x {work.dim} in {work.index.name}, Milvus {work.line} in {work.region}",
        ("Component", "Pods", "CPU", "GiB", "Node group"),
        right={"Pods", "CPU", "GiB"},
    )
    for group in plan.groups:
        for pods in group.pods:
            add_row(table, pods.name, str(pods.replicas), f"{pods.cpu:g}", f"{pods.memory_gib:g}", group.name)
    yield table
    table = new_table("Nodes", ("Group", "Nodes", "Type", "CPU requested", "Memory requested", "Disk", "Processor"))
    for group in plan.groups:
        cpu, memory = filled(group)
        kind = group.priced.kind
        mark = f"CoreMark {kind.coremark / kind.vcpu:,.0f} a vCPU" if kind.coremark else "not measured"
        add_row(table, group.name, str(group.nodes), kind.name, f"{cpu:.0%}", f"{memory:.0%}", _disk(group), mark)
    yield table
    table = new_table("USD a month, list prices, an estimate", ("What", "USD", "Grade"), right={"USD"})
    for charge in plan.charges:
        amount = "no price" if charge.monthly is None else f"{charge.monthly:,.2f}"
        add_row(table, charge.what, amount, charge.price.mark or charge.price.grade)
    add_row(table, "sum", f"{plan.monthly:,.2f}", "")
    yield table


def _disk(group: Group) -> str:
    return f"NVMe, {nvme_gib(group.priced.kind):,.0f} GiB" if group.local_storage else f"gp3, {group.disk_gib} GiB"


def summary(plan: Plan) -> str:
    """Return the sum in one line, with the day of the prices and what it leaves out."""
    days = [charge.price.date for charge in plan.charges if charge.price.date]
    oldest = f", oldest price of {min(days):%Y-%m-%d}" if days else ""
    return (
        f"{plan.monthly:,.0f} USD a month{oldest}; without traffic, storage and requests of S3, logs, metrics, keys "
        "and secrets"
    )


def as_data(plan: Plan, whole: float | None = None) -> dict[str, Any]:
    """Return a plan for machines; ``whole`` is what `milvus-ops cost` says of its file, USD a month."""
    work = plan.work
    return {
        "schema": 1,
        "vectors": work.vectors,
        "dim": work.dim,
        "index": work.index.name,
        "parameters": dict(work.parameters),
        "line": work.line,
        "region": work.region,
        "survive": work.survive,
        "copies": work.copies,
        "load_memory_bytes": round(work.load.memory),
        "local_disk_bytes": round(work.load.disk),
        "node_groups": [
            {
                "name": group.name,
                "instance_type": group.priced.kind.name,
                "nodes": group.nodes,
                "disk_gib": group.disk_gib,
                "cpu_requested": round(filled(group)[0], 4),
                "memory_requested": round(filled(group)[1], 4),
                "components": {
                    pods.name: {"replicas": pods.replicas, "cpu": pods.cpu, "memory_gib": pods.memory_gib}
                    for pods in group.pods
                },
            }
            for group in plan.groups
        ],
        "estimate_usd_month": round(plan.monthly, 2),
        "cost_usd_month": whole,
        "charges": [
            {
                "what": charge.what,
                "usd_month": None if charge.monthly is None else round(charge.monthly, 2),
                "grade": charge.price.grade,
            }
            for charge in plan.charges
        ],
        "notes": list(plan.notes),
    }
