"""The table of connections on a console."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rehearsal.failure import RehearsalError
from rehearsal.reach.table import Connection, Reach
from rehearsal.reach.templates import Templates
from settings import Environment


def show(settings: Environment, assembly: Path, console: Console) -> None:
    """Print who reaches what by the assembly's security groups and network policies.

    Raises:
        RehearsalError: What is needed is closed, or what must be closed is open.
    """
    connections = Reach(settings, Templates.of(assembly)).table()
    console.print(as_table(connections))
    if wrong := [f"{each} ({each.need})" for each in connections if each.wrong]:
        raise RehearsalError("connections are not as they have to be:\n" + "\n".join(wrong))


def as_table(connections: Iterable[Connection]) -> Table:
    """Return the table as the rehearsal prints it; a connection that is wrong is red."""
    table = Table("from", "to", "port", "let through by", "", box=None, pad_edge=False)
    for each in connections:
        style = "red" if each.wrong else None
        table.add_row(each.source, each.target, str(each.port), each.by or "closed", each.need.value, style=style)
    return table
