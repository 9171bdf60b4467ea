"""The tables of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from ops.doctor.findings import Report, Verdict
from ops.endpoints import Endpoint
from ops.plan.changes import Plan, values
from ops.plan.markdown import effect
from ops.plan.ways import Way
from ops.rebalance.plan import Move
from ops.rows import add_row, new_table
from ops.stacks import MISSING, Stack
from ops.status import ManagedService
from ops.workloads import Workload


def stacks_table(stacks: Sequence[Stack]) -> Table:
    """Return the table of CloudFormation stacks."""
    table = new_table("Stacks", ("Stack", "State", "Protected", "Last change", "Reason"))
    for stack in stacks:
        updated = stack.updated.strftime("%Y-%m-%d %H:%M %Z") if stack.updated else ""
        state = _state(stack.state, healthy=stack.healthy, busy=stack.busy)
        add_row(table, stack.name, state, _protection(stack), updated, stack.reason)
    return table


def services_table(services: Sequence[ManagedService]) -> Table:
    """Return the table of the MSK cluster, the EKS cluster and its node groups."""
    table = new_table("Services", ("Service", "Name", "State", "Detail"))
    for service in services:
        busy = service.state in {"CREATING", "UPDATING", "REBOOTING_BROKER", "MAINTENANCE", "HEALING"}
        add_row(
            table, service.kind, service.name, _state(service.state, healthy=service.healthy, busy=busy), service.detail
        )
    return table


def workloads_table(workloads: Sequence[Workload], *, source: str = "") -> Table:
    """Return the table of Deployments and StatefulSets: ready and wanted pods."""
    table = new_table(f"Deployments ({source})" if source else "Deployments", ("Kind", "Name", "Ready/wanted", "Image"))
    for item in workloads:
        old = "" if item.healthy or item.ready < item.wanted else ", some old"
        pods = Text(f"{item.ready}/{item.wanted}{old}", style="green" if item.healthy else "red")
        add_row(table, item.kind, item.name, pods, item.image)
    return table


def endpoints_table(endpoints: Iterable[Endpoint]) -> Table:
    """Return the table of addresses, commands and secrets' ARNs."""
    table = new_table("Endpoints", ("What", "Where"))
    for endpoint in endpoints:
        where = Text(endpoint.value) if endpoint.value else Text(f"- {endpoint.why_absent}", style="dim")
        add_row(table, endpoint.label, where)
    return table


def moves_table(moves: Sequence[Move]) -> Table:
    """Return the table of partitions that get other brokers; the first of them leads."""
    copies = sum(move.copies for move in moves)
    table = new_table(f"{len(moves)} partitions, {copies} copies to make", ("Topic", "Partition", "Brokers", "Then"))
    for move in moves:
        before, after = (", ".join(map(str, brokers)) for brokers in (move.before.brokers, move.brokers))
        add_row(table, move.before.topic, str(move.before.number), before, after)
    return table


def changes_table(plan: Plan) -> Table:
    """Return the table of settings that change."""
    table = new_table(f"Changes of {plan.environment}", ("Setting", "From", "To", "Effect", "Affected", "Takes about"))
    # A path that is cut cannot be searched for in the file.
    table.columns[0].no_wrap = True
    for change in plan.changes:
        old, new = values(change)
        # Why it is refused takes a line of its own: in a column it would be cut into single words.
        what = Text("refused", style="bold red") if change.refused else Text(effect(change))
        if change.accepted:
            what.stylize("yellow")
        add_row(table, change.setting, old, new, what, change.affected, "" if change.refused else change.takes)
    return table


def refusal_lines(plan: Plan) -> Text:
    """Return why changes are refused, and what to do, one a line."""
    lines = (f"  {each.setting}: {each.refused}; {each.remedy}" for each in plan.refused)
    return Text("\n").join([Text("Refused", style="bold red"), *map(Text, lines), Text()])


def creations_table(plan: Plan) -> Table:
    """Return the table of stacks that are not there yet."""
    table = new_table(f"Created for {plan.environment}", ("Stack", "Holds", "Takes about"))
    for each in plan.created:
        add_row(table, each.stack, each.holds, each.takes)
    return table


def way_lines(way: Way) -> Text:
    """Return the deployments that make a change, one a line, to be done in that order."""
    steps = (f"  {number}. {step}" for number, step in enumerate(way.steps, start=1))
    return Text("\n").join([Text(way.title, style="bold"), *map(Text, steps), Text()])


_STYLES = {Verdict.OK: "green", Verdict.ADVICE: "yellow", Verdict.NOT_CHECKED: "yellow", Verdict.BLOCKS: "bold red"}


def findings_table(report: Report) -> Table:
    """Return the table of what `ops doctor` found."""
    title = f"{report.environment} in {report.region}"
    table = new_table(f"{title} of {report.account}" if report.account else title, ("Check", "", "What", "Why", "Do"))
    for each in report.findings:
        add_row(table, each.check, Text(each.verdict, style=_STYLES[each.verdict]), each.what, each.why, each.remedy)
    return table


def _protection(stack: Stack) -> Text:
    if stack.unprotected:
        return Text("no, but asked for", style="bold red")
    if stack.protected and not stack.protection_asked:
        return Text("yes, not asked for")
    return Text("yes" if stack.protected else "no" if stack.state != MISSING else "")


def _state(state: str, *, healthy: bool, busy: bool) -> Text:
    if healthy:
        return Text(state, style="green")
    return Text(state, style="yellow" if busy or state == MISSING else "bold red")
