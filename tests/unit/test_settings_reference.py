"""docs/settings.md is what the models say."""

from __future__ import annotations

from tools.docs.settings_reference import PAGE, settings_reference


def test_settings_page_is_generated_from_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_reference(), "docs/settings.md is stale: run `make docs`"


def test_page_prints_the_defaults_that_hold_for_each_component_and_where_there_is_one() -> None:
    page = settings_reference()
    assert "| NAME | of Milvus | replicas | cpu | memory_gib |" in page
    assert "| `mix_coordinator` | 2.4, 2.5, 2.6, 3.0 | `2` | `1` | `4` |" in page
    assert "| `query_node` | 2.3, 2.4, 2.5, 2.6, 3.0 | `1` | `2` | `8` |" in page
    assert "| `standalone` | every line, mode standalone | `1` | `2` | `8` |" in page
