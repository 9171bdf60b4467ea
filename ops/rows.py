"""Rows and columns of the tables that the commands print, as they are: nothing in a cell is markup."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich import box
from rich.table import Table
from rich.text import Text


def new_table(title: str, columns: Sequence[str], *, right: Collection[str] = ()) -> Table:
    """Return an empty table; columns named in ``right`` are of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, header_style="dim")
    for column in columns:
        # An ARN or an address that is cut cannot be copied: fold it.
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table


def add_row(table: Table, *cells: str | Text) -> None:
    """Add a row as it is: a string would be read as Rich's markup, and `:secret:` in an ARN as an emoji."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
