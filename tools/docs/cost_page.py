"""Writes the bills in docs/cost.md, from templates and embedded prices: `python -m tools.docs.cost_page`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from _paths import ROOT
from ops.cost.assembly import Deployment, deployments
from ops.cost.assumptions import Assumptions
from ops.cost.bill import Bill, make_bill
from ops.cost.lines import HOURS
from ops.cost.prices import Prices
from settings import Environment, available, load_environment
from tools.context import CONTEXT
from tools.docs.cost_goals import goals, variants
from tools.docs.guide_as_written import GUIDE, guide_as_written

PAGE = ROOT / "docs" / "cost.md"
AS_OF = date(2026, 11, 23)
"""By this day the page judges which Kubernetes version is in extended support."""

# In this order, as far as they are there.
_SHOWN = ("guide", "dev", "small", "prod", "existing-vpc")
_LARGE = {"MSK": ("MSK",), "nodes and volumes": ("EC2", "EBS"), "EKS": ("EKS",), "network": ("NAT", "VPC", "ELB")}
_BLOCK = r"(<!-- {name}: written by `make docs` -->\n).*?(<!-- end of {name} -->)"


def shown() -> list[str]:
    """Return the environments that the page shows."""
    return [name for name in _SHOWN if name in available()]


def bill(deployment: Deployment) -> Bill:
    """Return the bill of a deployment at the shipped prices and assumptions."""
    return make_bill(deployment, Prices.load(), Assumptions.load(), day=AS_OF)


def cost_page(text: str, bills: Mapping[str, Bill], others: Mapping[str, Bill]) -> str:
    """Return the page with its generated tables written anew.

    Args:
        text: The page as it is.
        bills: The bill of each environment that is shown.
        others: The bills of the variants of `small`.
    """
    guide = bill(guide_as_written())
    every = {GUIDE: guide, **bills}
    for name, block in (
        ("goals", goals(guide, {**bills, **others})),
        ("bills", _bills(every)),
        ("components", _components(every)),
        ("endpoints", _endpoints(bills["prod"])),
    ):
        pattern = re.compile(_BLOCK.format(name=name), re.DOTALL)
        text, found = pattern.subn(lambda match, block=block: f"{match[1]}{block}\n{match[2]}", text)  # type: ignore[misc]  # mypy sees no str here
        if found != 1:
            raise LookupError(f"docs/cost.md has {found} blocks '{name}'")
    return text


def _bills(bills: Mapping[str, Bill]) -> str:
    whole = bills[GUIDE].total
    rows: dict[str, Callable[[Bill], str]] = {
        "region": lambda each: each.region,
        "by the hour": lambda each: f"{each.fixed:,.2f}",
        "by use, as assumed": lambda each: (
            f"{each.used:,.2f}" + ("" if each.used == each.used_at_most else f" to {each.used_at_most:,.2f}")
        ),
        "**together**": lambda each: f"**{each.total:,.2f}**",
        "of the guide's": lambda each: f"{each.total / whole:.0%}",
    }
    for title, services in _LARGE.items():
        rows[title] = lambda each, services=services: (  # type: ignore[misc]  # mypy sees no default here
            f"{sum(each.services.get(service, 0) for service in services):,.2f}"
        )
    rows |= {
        "vCPUs of nodes": lambda each: f"{each.vcpu:g}",
        "vCPUs that Milvus requests": lambda each: f"{each.requested:g}",
        "idle on nodes": lambda each: f"{each.idle:,.2f}",
        "on prices of grade A": lambda each: f"{each.on_grade_a:.0%}",
        "resources without a price": lambda each: str(each.classes.get("without a price", 0)),
    }
    lines = [f"| USD a month | {' | '.join(bills)} |", f"|---|{'---:|' * len(bills)}"]
    lines += [f"| {title} | {' | '.join(cell(each) for each in bills.values())} |" for title, cell in rows.items()]
    oldest = min(each.oldest for each in bills.values() if each.oldest)
    newest = max(each.newest for each in bills.values() if each.newest)
    return "\n".join([*lines, "", f"List prices of {oldest} to {newest}, on demand."])


def _components(bills: Mapping[str, Bill]) -> str:
    names = dict.fromkeys(name for each in bills.values() for name in each.components)
    lines = [f"| USD a month | {' | '.join(bills)} |", f"|---|{'---:|' * len(bills)}"]
    for name in sorted(names, key=lambda each: -max(found.components.get(each, 0.0) for found in bills.values())):
        cells = [f"{each.components[name]:,.2f}" if name in each.components else "-" for each in bills.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _endpoints(prod: Bill) -> str:
    """Return from how much traffic on interface endpoints are cheaper than the NAT gateways that are there anyway."""
    prices = Prices.load()
    (line,) = [each for each in prod.lines if each.what == "interface endpoints x zones"]
    nat = prices.of(prod.region, "nat", "processed").amount
    endpoint = prices.of(prod.region, "vpc", "interface-endpoint-processed").amount
    assert nat is not None  # noqa: S101 - the table has both
    assert endpoint is not None  # noqa: S101 - the same
    cost = line.quantity * HOURS * (line.price.amount or 0)
    return (
        f"Interface endpoints are there for security. Those of prod cost {cost:,.2f} USD a month and save "
        f"{nat - endpoint:.3f} USD for each GB\nthat would pass a NAT gateway instead: they save only above about "
        f"{round(cost / (nat - endpoint), -1):,.0f} GB a month."
    )


def synthesized(environments: Mapping[str, Environment], folder: Path) -> dict[str, Bill]:
    """Return the bills of environments, each synthesized into a folder of its own."""
    import aws_cdk as cdk  # noqa: PLC0415 - takes seconds, which a test that has templates does not pay

    from stacks.build import build_environment  # noqa: PLC0415 - the same

    bills = {}
    for name, environment in environments.items():
        app = cdk.App(outdir=str(folder / name), context=CONTEXT)
        build_environment(app, environment)
        app.synth()
        (deployment,) = deployments(folder / name)
        bills[name] = bill(deployment)
    return bills


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        bills = synthesized({name: load_environment(name) for name in shown()}, Path(folder))
        others = synthesized(variants(), Path(folder))
    PAGE.write_text(cost_page(PAGE.read_text(encoding="utf-8"), bills, others), encoding="utf-8")


if __name__ == "__main__":
    main()
