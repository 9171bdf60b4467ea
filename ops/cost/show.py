"""A bill for a person: tables, what is sure of it, and as its last line how many resources were looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.console import note, out
from ops.cost.assumptions import DEFAULTS
from ops.cost.bill import IDLE, Bill
from ops.cost.difference import Difference
from ops.cost.lines import Line
from ops.cost.prices import STALE_DAYS

_BY_USE = "~"
_GRADES = "A: AWS's own figure, B: a dated record of one, C: taken over or inferred, none: no verified source"


def money(amount: float | None) -> str:
    """Return an amount of USD, or that there is no price."""
    return "no price" if amount is None else f"{amount:,.2f}"


def signed(amount: float) -> str:
    """Return an amount with its sign."""
    return f"{amount:+,.2f}"


def quantity(line: Line) -> str:
    """Return how much of it there is: ``3`` of what runs all month, ``240 GB-month`` of other things."""
    unit = line.price.unit
    if "requests" in unit:
        return f"{line.quantity:,.0f}"
    number = f"{round(line.quantity, 4):,.12g}"
    return number if unit == "month" or unit.endswith("hour") else f"{number} {unit.removesuffix('-month')}"


def amount(line: Line) -> str:
    """Return what a line costs a month, as a range where it is one."""
    if line.most is None:
        return money(line.monthly)
    return f"{money(line.monthly)} to {money(line.monthly_at_most)}"


def headline(bill: Bill) -> str:
    """Return the first line: what it costs."""
    term = "" if bill.term == "on-demand" else ", nodes reserved for a year"
    most = "" if bill.used == bill.used_at_most else f" to {bill.used_at_most:,.2f}"
    return (
        f"{bill.name} in {bill.region}: {bill.total:,.2f} USD a month{term} "
        f"({bill.fixed:,.2f} by the hour, {bill.used:,.2f}{most} by use)"
    )


def sureness(bill: Bill) -> str:
    """Return the day of the prices, and the share of the bill on each grade."""
    shares = dict.fromkeys(("A", "B", "C", "none"), 0.0)
    for line in bill.lines:
        shares[line.price.grade] += line.monthly or 0.0
    parts = [f"{grade} {value / bill.total:.0%}" for grade, value in shares.items() if value]
    if not parts:
        return "Nothing in it has a price."
    return f"List prices of {bill.oldest} to {bill.newest}. Of the bill on grade {', '.join(parts)} ({_GRADES})."


def warning(bill: Bill) -> str | None:
    """Return what to do about old prices, if they are old."""
    if not bill.stale or bill.oldest is None:
        return None
    days = (bill.day - bill.oldest).days
    return (
        f"the oldest price of {bill.name} is of {bill.oldest}, {days} days ago, more than {STALE_DAYS}: "
        "`milvus-ops cost --refresh` fetches today's"
    )


def show_all(bills: Iterable[Bill]) -> None:
    """Print bills, after a note on each whose prices are old."""
    for bill in bills:
        if old := warning(bill):
            note(old)
        show(out(), bill)


def show_differences(differences: Iterable[Difference]) -> None:
    """Print what changed of each environment."""
    for difference in differences:
        show_difference(out(), difference)


def show(console: Console, bill: Bill) -> None:
    """Print a bill; the last line counts the resources."""
    console.print(Text(headline(bill), style="bold"), soft_wrap=True)
    console.print(_lines(bill))
    console.print(_sums("By service", bill.services, bill.total))
    console.print(_sums("By component", bill.components, bill.total))
    if bill.shares:
        # A title of the table's own would be folded to the table's width.
        title = f"Nodes: pods of Milvus request {bill.requested:g} of {bill.vcpu:g} vCPU"
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(_nodes(bill))
    console.print(
        Text(f"{_BY_USE}: by use, as assumed ({DEFAULTS.name}; your own figures: --assumptions)", style="dim")
    )
    # Each remark once.
    for text in dict.fromkeys(line.price.mark for line in bill.lines if line.price.mark):
        console.print(Text(text, style="dim"))
    console.print(Text(sureness(bill), style="dim"))
    console.print(Text(bill.summary))


def show_difference(console: Console, difference: Difference) -> None:
    """Print what changed of one environment."""
    console.print(Text(difference.headline, style="bold"), soft_wrap=True)
    if not difference.changes:
        return
    table = _table(("What", "Before", "After", "Change a month"), right=(1, 2, 3))
    for change in difference.changes:
        name = f"{change.service}: {change.what}" + (f" ({change.mark})" if change.mark else "")
        table.add_row(
            Text(name), Text(change.text_before), Text(change.text_after), Text(signed(change.monthly), style="bold")
        )
    console.print(table)


def in_order(bill: Bill) -> list[Line]:
    """Return the lines, what is billed by the hour first, and of each the largest."""
    return sorted(bill.lines, key=lambda line: (line.by_use, -(line.monthly or 0.0)))


def _lines(bill: Bill) -> Table:
    table = _table(("Service", "What", "Quantity", "Each", "Grade", "USD a month"), right=(2, 3, 5))
    for line in in_order(bill):
        price = "-" if line.price.amount is None else f"{line.price.amount:.10g}"
        what = Text(line.what)
        if line.note:
            what.append(f", {line.note}", style="yellow")
        table.add_row(
            Text(line.service),
            what,
            Text(quantity(line)),
            Text(price),
            _marked(line.price.grade, bool(line.price.mark)),
            Text(f"{_BY_USE} {amount(line)}" if line.by_use else amount(line), style="bold"),
        )
    return table


def _sums(title: str, sums: Mapping[str, float], total: float) -> Table:
    table = _table((title.removeprefix("By ").capitalize(), "USD a month", "", ""), right=(1, 2), title=title)
    for name, value in sums.items():
        part = value / total if total else 0.0
        table.add_row(
            _marked(name, name == IDLE),
            Text(f"{value:,.2f}"),
            Text(f"{part:.1%}"),
            _marked("█" * round(24 * part), name == IDLE),
        )
    return table


def _nodes(bill: Bill) -> Table:
    table = _table(("Group", "For", "USD a month"), right=(2,))
    for share in bill.shares:
        component = _marked(share.component, share.component == IDLE)
        table.add_row(Text(share.group), component, Text(f"{share.monthly:,.2f}"))
    return table


def _marked(text: str, marked: bool) -> Text:
    return Text(text, style="yellow") if marked else Text(text)


def _table(columns: tuple[str, ...], right: tuple[int, ...], *, title: str | None = None) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        collapse_padding=True,
    )
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", justify="right" if index in right else "left")
    return table
