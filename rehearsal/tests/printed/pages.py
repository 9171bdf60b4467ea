"""Reads what the pages print: commands in console blocks, and those that prose only mentions."""

from __future__ import annotations

import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from rehearsal.run import PROJECT

# Of tables and descriptions, made by `make docs`: no page that tells anybody what to type.
_GENERATED = {"settings.md", "changes.md"}
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_PROGRAMS = {
    "aws",
    "cdk",
    "export",
    "helm",
    "kubectl",
    "make",
    "milvus-ops",
    "npm",
    "npx",
    "pip",
    "pipx",
    "pytest",
    "sed",
}
_PROGRAMS |= {"python", "python3"}
_COMMENT = re.compile(r"(^|\s+)# .*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A console block: where it stands, and its commands, each as it is printed."""

    page: str
    line: int
    commands: tuple[str, ...]

    def __str__(self) -> str:
        """Return the place, as an editor names it."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Mention:
    """A command in the middle of a sentence or a table."""

    page: str
    line: int
    command: str


def pages() -> list[Path]:
    """Return README.md and the pages of docs/."""
    return [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def blocks(path: Path) -> list[Block]:
    """Return the console blocks of a page."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(_name(path), text[: match.start()].count("\n") + 2, tuple(split(textwrap.dedent(match["text"]))))
        for match in _BLOCK.finditer(text)
        if match["kind"] == "console"
    ]


def mentions(path: Path) -> list[Mention]:
    """Return what a page mentions with at least one argument: ``make`` and ``cdk diff`` are names, not commands."""
    if path.name in _GENERATED:
        return []
    text = _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), path.read_text(encoding="utf-8"))
    found = []
    for match in _SPAN.finditer(text):
        words = match[1].split()
        if len(words) > 2 and words[0] in _PROGRAMS:
            found.append(Mention(_name(path), text[: match.start()].count("\n") + 1, " ".join(words)))
    return found


def bare(command: str) -> str:
    """Return a command in one line and without its comments, as tables name it."""
    return " ".join(_COMMENT.sub("", command).replace("\\\n", " ").split())


def split(text: str) -> list[str]:
    """Split a block into commands: a line belongs to the one before until a shell calls that complete.

    Raises:
        ValueError: The end of the block is in the middle of a command.
    """
    commands: list[str] = []
    begun: list[str] = []
    for line in text.splitlines():
        if not begun and not line.strip():
            continue
        begun.append(line.removeprefix("$ ") if not begun else line)
        command = "\n".join(begun)
        if not line.rstrip().endswith("\\") and _complete(command):
            commands.append(command)
            begun = []
    if begun:
        raise ValueError(f"no shell understands this to its end: {begun[0]}")
    return commands


def _complete(command: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))
