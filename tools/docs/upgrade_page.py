"""Writes the tables of docs/upgrade.md that settings and releases decide: `python -m tools.docs.upgrade_page`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from _paths import ROOT
from settings.record import change_rules
from settings.refusals import shown
from settings.releases import RELEASE_LINES

PAGE = ROOT / "docs" / "upgrade.md"

_BLOCK = r"(<!-- {name}: written by `make docs` -->\n).*?(<!-- end of {name} -->)"


def upgrade_page(text: str) -> str:
    """Return the page with its generated tables written anew.

    Raises:
        ValueError: A place for one of them is missing.
    """
    for name, lines in (("refusals", _refusals()), ("lines", _lines())):
        # A function, because a table holds what re.sub would read as its own.
        written = functools.partial(_written, "\n".join(lines))
        text, found = re.subn(_BLOCK.format(name=name), written, text, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"docs/upgrade.md has {found} places for {name}: there must be one")
    return text


def _written(table: str, place: re.Match[str]) -> str:
    return f"{place[1]}{table}\n{place[2]}"


def _refusals() -> Iterator[str]:
    rules = change_rules()
    yield "| refused | settings |"
    yield "|---|---|"
    yield f"| every change | {_listed(rules['never'])} |"
    yield f"| the way back: less, fewer, older | {_listed(rules['grows'])} |"
    for path, order in rules["steps"].items():
        yield f"| more than one step at a time | `{path}`: {', '.join(shown(each) for each in order)} |"
    for rule in rules["apart"]:
        kinds = " / ".join(_listed(each) for each in rule["kinds"])
        yield f"| more than one kind in a deployment | {kinds} |"


def _listed(paths: Iterable[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _lines() -> Iterator[str]:
    first = {line: needs[1] for line, needs in change_rules()["first"]["milvus.line"].items()}
    yield "| line | from | newest | chart | etcd |"
    yield "|---|---|---|---|---|"
    before = ""
    for line, release in RELEASE_LINES.items():
        least = f"{first[line]} or newer" if line in first else before
        yield f"| {line} | {least or '-'} | {release.default_version} | {release.chart} | {release.etcd} |"
        before = f"{line}, any version"


if __name__ == "__main__":
    PAGE.write_text(upgrade_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
