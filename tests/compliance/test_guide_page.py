"""docs/guide.md leads a reader of the published guide to files, names and settings that exist."""

from __future__ import annotations

import re

import pytest

from _paths import ROOT

PAGE = ROOT / "docs" / "guide.md"


def rows() -> list[tuple[str, str, str]]:
    """Return the first three cells of each row: the guide's step, our files with names in them, settings."""
    cells = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [
        (step.removeprefix("| "), files, settings) for step, files, settings, *_ in cells if files != "file and name"
    ]


def settings_of_the_reference() -> set[str]:
    """Return every setting as its path, by the headings and tables of docs/settings.md."""
    found = set()
    prefix = ""
    for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"###? (?:`([^`]+)`)?", line):
            prefix = f"{heading[1].partition(' (')[0]}." if heading[1] else ""
        elif setting := re.match(r"\| `(\w+)` \|", line):
            found.add(prefix + setting[1])
    return found


@pytest.mark.parametrize(("step", "files", "settings"), rows(), ids=[step for step, _, _ in rows()])
def test_step_of_the_guide_leads_to_what_exists(step: str, files: str, settings: str) -> None:
    # GIVEN a row with files or, where there are none, a word on what is done instead
    named = re.findall(r"\]\(\.\./([^)]+)\) `([^`]+)`", files)
    assert named or files == "-", step

    # THEN each file has the name that stands behind it
    for path, name in named:
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", (ROOT / path).read_text("utf-8")), (path, name)

    # AND each setting is one
    known = settings_of_the_reference()
    for setting in re.findall(r"`([^`]+)`", settings):
        assert setting in known, setting


def test_every_section_of_the_guides_values_has_a_row() -> None:
    assert sorted({step[0] for step, _, _ in rows() if step[0].isdigit()}) == ["1", "2", "3", "4", "5", "6"]
