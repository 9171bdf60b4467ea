"""What a person sees in a terminal: the text, and which parts of it have a style."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from rich.console import Console

_STYLES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow"}


def shown(show: Callable[[Console], object], *, width: int = 100) -> tuple[str, list[tuple[str, str]]]:
    """The lines without the spaces at their end, and each piece of text that has a style, in order."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard", highlight=False, emoji=False
    )
    show(console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the file that it was given
    pieces = re.findall(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", text)
    styled = [(" ".join(_STYLES[code] for code in codes.split(";")), piece.strip()) for codes, piece in pieces]
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    return "\n".join(line.rstrip() for line in plain.splitlines()), [each for each in styled if each[1]]
