"""A terminal for a program that asks: a pseudo-terminal whose lines are read, and whose questions are answered."""

from __future__ import annotations

import codecs
import os
import re
import termios
from collections.abc import Iterator

# Wide enough that no line of a progress report is cut.
_ROWS, _COLUMNS = 50, 300
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUESTION = "(y/n)"


class UnexpectedQuestionError(RuntimeError):
    """A program asked although nothing was to be asked; carries the question."""


def open_terminal() -> tuple[int, int]:
    """Open the two ends of a pseudo-terminal: the reader's, and the program's."""
    reader, program = os.openpty()
    termios.tcsetwinsize(program, (_ROWS, _COLUMNS))
    return reader, program


def lines_of(reader: int, *, answer: str | None) -> Iterator[str]:
    """Yield what a program prints, line by line and without colours; answer a line that ends in (y/n).

    Raises:
        UnexpectedQuestionError: It asks, and ``answer`` is None.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    while chunk := _read(reader):
        *complete, rest = re.split(r"\r*\n|\r", rest + _CONTROL.sub("", decoder.decode(chunk)))
        yield from (line.rstrip() for line in complete)
        if rest.rstrip().endswith(_QUESTION):
            if answer is None:
                raise UnexpectedQuestionError(rest.strip())
            yield rest.rstrip()
            rest = ""
            os.write(reader, f"{answer}\n".encode())
    if rest:
        yield rest.rstrip()


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except OSError:  # how Linux says that nobody holds the program's end any more
        return b""
