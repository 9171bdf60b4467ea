"""The table of connections on a console."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from rehearsal.reach.table import Connection


def as_table(connections: Iterable[Connection]) -> Table:
    """Return the table as the rehearsal prints it; a connection that is wrong is red."""
    table = Table("from", "to", "port", "let through by", "", box=None, pad_edge=False)
    for each in connections:
        style = "red" if each.wrong else None
        table.add_row(each.source, each.target, str(each.port), each.by or "closed", each.need.value, style=style)
    return table
