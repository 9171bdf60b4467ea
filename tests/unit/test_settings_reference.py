"""docs/settings.md is what the models say."""

from __future__ import annotations

from pathlib import Path

from settings.reference import settings_reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_settings_page_is_generated_from_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_reference(), "docs/settings.md is stale: run `make docs`"
