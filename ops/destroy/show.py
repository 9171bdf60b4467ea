"""How a plan, and what became of it, look at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.destroy.items import Item, Kind, Plan, Stays, total
from ops.destroy.removal import removable
from ops.rows import add_row, new_table

# What somebody wants to read by name before it goes; the rest is counted.
_TELLING = {
    "AWS::CodeBuild::Project": "the verification project",
    "AWS::EC2::NatGateway": "NAT gateways",
    "AWS::EC2::VPC": "the VPC",
    "AWS::EKS::Cluster": "the cluster",
    "AWS::EKS::Nodegroup": "node groups",
    "AWS::KMS::Key": "keys, after some days",
    "AWS::MSK::Cluster": "the brokers, and what Milvus had not flushed",
    "AWS::S3::Bucket": "buckets with everything in them",
    "AWS::SecretsManager::Secret": "secrets",
    "Custom::AWSCDK-EKS-HelmChart": "Helm releases",
}


def stacks_going(plan: Plan) -> Table:
    """Return the table of what goes, in its order."""
    table = new_table(
        f"Goes, in this order ({plan.region})", ("Stack", "State", "Protected", "Resources", "Among them")
    )
    for stack in plan.stacks:
        among = [f"{len(ids)} x {_TELLING[kind]}" for kind, ids in stack.goes.items() if kind in _TELLING]
        protected = Text("yes", style="bold red") if stack.protected else "no"
        add_row(table, stack.name, stack.state, protected, str(stack.resources), "\n".join(among))
    return table


def items_table(title: str, items: Sequence[Item]) -> Table:
    """Return the table of what stays or is left, with what it costs; the sum is in its title."""
    table = new_table(f"{title}: {total(items)}", ("What", "Id", "Of", "Why", "A month"))
    for item in _folded(items):
        style = "yellow" if removable(item) else ""
        add_row(table, item.kind, Text(item.id, style=style), item.of, item.why, item.cost)
    return table


def _folded(items: Sequence[Item]) -> list[Item]:
    """Return the items with the log groups that a stack keeps in one: nobody reads a dozen of them."""
    of = Counter(item.of for item in items if _is_kept_log(item))
    found: dict[str, Item] = {}
    for item in items:
        if not _is_kept_log(item) or of[item.of] == 1:
            found[item.id] = item
            continue
        every = [each for each in items if _is_kept_log(each) and each.of == item.of]
        update = {"id": f"{len(every)} of them (--json lists them)", "cost": total(every)}
        found[f"logs of {item.of}"] = item.model_copy(update=update)
    return list(found.values())


def _is_kept_log(item: Item) -> bool:
    return item.kind is Kind.LOG_GROUP and item.stays is Stays.KEPT


def print_plan(plan: Plan, console: Console) -> None:
    """Print what goes and what stays."""
    if plan.stacks:
        console.print(stacks_going(plan))
    if plan.stays:
        console.print(items_table("Stays" if plan.stacks else "Left", plan.stays))
    if not plan.stacks and not plan.stays:
        console.print(f"nothing of {plan.environment} is in {plan.region}")


def print_left(left: Sequence[Item], console: Console) -> None:
    """Print what is left afterwards, and how to be rid of it."""
    if not left:
        console.print("nothing is left")
        return
    console.print(items_table("Left", left))
    if any(removable(item) and not item.done for item in left):
        console.print("Nobody wants what is yellow: --leftovers removes it.")
