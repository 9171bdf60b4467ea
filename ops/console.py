"""What every command prints with: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ops.errors import OpsError

# In a build log there is no terminal to ask for its width, and 80 columns fold every ARN.
_LOG_WIDTH = 160


def _console(*, stderr: bool) -> Console:
    # Without emoji=False Rich turns the `:secret:` of an ARN into a picture.
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = _LOG_WIDTH
    return console


def out() -> Console:
    """Return the console for results; made anew, so that it follows a redirected standard output."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console for progress, notes and errors."""
    return _console(stderr=True)


@contextmanager
def working(what: str) -> Iterator[Status | None]:
    """Show that something is going on, with a spinner on standard error, and only if a person is looking.

    Yields the spinner, to change its text, or None where there is none.
    """
    # Rich calls a pipe a terminal when FORCE_COLOR is set; a spinner in a log file is litter.
    if not sys.stderr.isatty():
        yield None
        return
    with err().status(Text(f"{what} …")) as status:
        yield status


def print_json(value: object) -> None:
    """Print a value for machines: JSON without colours or folding."""
    out().print(json.dumps(value, indent=2, ensure_ascii=False), soft_wrap=True)


def note(text: str) -> None:
    """Print something worth knowing that is no failure."""
    err().print(Text.assemble(("note  ", "yellow"), text), soft_wrap=True)


def print_error(error: OpsError) -> None:
    """Print a failure and its remedy, a line each."""
    console = err()
    console.print(Text.assemble(("error ", "bold red"), error.problem), soft_wrap=True)
    if error.remedy:
        console.print(Text.assemble(("   do ", "bold"), error.remedy), soft_wrap=True)
