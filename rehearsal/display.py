"""Shows a rehearsal while it runs: a line per step, and what each stack is doing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rehearsal.cdk import StackEvent

_DONE = ("_COMPLETE",)


class Display:
    """Steps and stack events on one console; a terminal gets moving lines, a log gets a line per stack."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._title = ""
        self._began = 0.0
        self._stacks: dict[str, StackEvent] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: announced, timed, and closed with a mark."""
        self._title, self._began, self._stacks = title, time.monotonic(), {}
        if self._console.is_terminal:
            with Live(self, console=self._console, refresh_per_second=8, transient=True) as self._live:
                try:
                    yield
                except BaseException:
                    self._close(title, "[red]✗[/red]")
                    raise
        else:
            self._console.print(f"[cyan]…[/cyan] {escape(title)}")
            try:
                yield
            except BaseException:
                self._close(title, "[red]✗[/red]")
                raise
        self._close(title, "[green]✓[/green]")

    def event(self, event: StackEvent) -> None:
        """Take one stack event: print failures and finished stacks, and show the rest while it lasts."""
        self._stacks[event.stack] = event
        if event.status.endswith("_FAILED") and not event.of_stack:
            self._say(f"    [red]{event.stack}[/red] {escape(event.resource)}")
        elif event.of_stack and event.status.endswith("_COMPLETE") and not event.status.startswith("UPDATE_COMPLETE_C"):
            counted = f", {event.done} resources" if event.done else ""
            self._say(f"    [green]{event.stack}[/green] {event.status.lower()}{counted}")

    def note(self, text: str) -> None:
        """Print a remark that stays on the screen."""
        self._say(f"    {escape(text)}")

    def __rich__(self) -> Table:
        """Show that a step runs, where there is a terminal."""
        table = Table.grid(padding=(0, 1))
        table.add_row(
            Text(f"… {self._title}", style="cyan"), Text(f"{time.monotonic() - self._began:.0f} s", style="dim")
        )
        for event in self._stacks.values():
            if event.of_stack and event.status.endswith(_DONE):
                continue
            total = f"/{event.total}" if event.total else ""
            table.add_row(Text(f"    {event.stack} {event.done}{total}"), Text(event.resource[:70], style="dim"))
        return table

    def _close(self, title: str, mark: str) -> None:
        self.seconds[title] = round(time.monotonic() - self._began, 1)
        self._live = None
        self._console.print(f"{mark} {escape(title)} [dim]{self.seconds[title]} s[/dim]")

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
