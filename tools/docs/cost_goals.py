"""What `small` is held against: the guide at the same terms; on Woodpecker and on MSK, with few cores and with many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ops.cost.bill import Bill
from settings import Environment, loader, parse_environment

SMALL, MSK = "small", "small on MSK"
MORE, MORE_MSK = "small, more cores", "small on MSK, more cores"
GOALS = {SMALL: 0.6, MSK: 0.8}
"""The part of the guide's bill that each may be at most."""

_MSK = {
    "kind": "msk",
    "broker_type": "kafka.m7g.large",
    "brokers": 3,
    "storage": {"volume_gib": 20, "max_gib": 100},
    # As the guide has it: the free metrics.
    "monitoring": "DEFAULT",
}
# Query nodes, data nodes and proxies as the guide has them; the others make up the cores that it requests.
_CORES = {"query_node": 2, "data_node": 1, "streaming_node": 1, "proxy": 1, "mix_coordinator": 1}
_NODES = "m7g.2xlarge"


def variants() -> dict[str, Environment]:
    """Return what `small` would be with MSK, with the guide's cores, and with both."""
    return {MSK: _small(msk=True), MORE: _small(cores=True), MORE_MSK: _small(msk=True, cores=True)}


def _small(*, msk: bool = False, cores: bool = False) -> Environment:
    data: Any = loader.read_yaml(loader.ENVIRONMENTS / f"{SMALL}.yaml", f"{SMALL}.yaml")
    if msk:
        data["queue"] = _MSK
    if cores:
        for group in data["cluster"]["node_groups"].values():
            group["instance_types"] = [_NODES]
        for name, request in _CORES.items():
            data["milvus"]["components"][name]["cpu_request"] = request
    return parse_environment(data, source=f"{SMALL}.yaml")


def goals(guide: Bill, bills: Mapping[str, Bill]) -> str:
    """Return the table of `small` beside the guide, and how much of what it saves comes from fewer cores.

    Args:
        guide: The bill of the guide as it is written.
        bills: Those of `small` and of its variants.
    """
    shown = {guide.name: guide} | {name: bills[name] for name in (SMALL, MSK, MORE, MORE_MSK)}
    rows: dict[str, Callable[[str, Bill], str]] = {
        "**together**": lambda _, each: f"**{each.total:,.2f}**",
        "**of the guide's**": lambda _, each: f"**{each.total / guide.total:.0%}**",
        "goal, at most": lambda name, _: f"{GOALS[name]:.0%}" if name in GOALS else "-",
        "with all sixteen channels always written to": lambda _, each: _at_most(each, guide),
        "cores that Milvus requests": lambda _, each: f"{each.requested:g}",
        "vCPUs of nodes": lambda _, each: f"{each.vcpu:g}",
        "nodes and their disks": lambda _, each: f"{_nodes(each):,.2f}",
    }
    lines = [f"| USD a month, on demand | {' | '.join(shown)} |", f"|---|{'---:|' * len(shown)}"]
    lines += [f"| {title} | {' | '.join(cell(*each) for each in shown.items())} |" for title, cell in rows.items()]
    return "\n".join([*lines, "", *(_saved(guide, bills, few, many) for few, many in ((SMALL, MORE), (MSK, MORE_MSK)))])


def _at_most(bill: Bill, guide: Bill) -> str:
    if bill.used == bill.used_at_most:
        return "-"
    most = bill.fixed + bill.used_at_most
    return f"{most:,.2f}, {most / guide.total:.0%}"


def _nodes(bill: Bill) -> float:
    return sum(line.monthly or 0 for line in bill.lines if line.component.startswith("nodes of "))


def _saved(guide: Bill, bills: Mapping[str, Bill], few: str, many: str) -> str:
    whole = guide.total - bills[few].total
    cores = bills[many].total - bills[few].total
    return f"- `{few}` saves {whole:,.2f} USD a month of the guide's bill, of which {cores:,.2f} come from fewer cores."
