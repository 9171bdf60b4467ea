"""Writes what a change of each setting does (docs/changes.md) from the models: `python -m tools.docs.changes_page`."""

from __future__ import annotations

from pydantic import BaseModel

from _paths import ROOT
from settings.changes import MEANING, Change, Effect, Setting, settings_of
from settings.environment import Environment
from settings.pipeline import Pipeline

PAGE = ROOT / "docs" / "changes.md"

_INTRODUCTION = """# Changes

What a change of each setting does to a deployment that runs. This page is generated from the models in `settings/` by
`make docs`; `make test-changes` synthesizes an environment before and after a change of every setting, compares
templates, Kubernetes objects and what the charts render, and fails where they say something else than this page.
How to upgrade: [upgrade.md](upgrade.md).

## The words

| a change | means |
|---|---|
"""

_GROWS = """| ..., only grows | The way back is refused: a lower number, an older version. |

## By setting

`*` stands for a name that the file gives, `[]` for an item of a list. What is the same for every component of Milvus
stands under `milvus.components.NAME`.

| setting | a change | of | remedy |
|---|---|---|---|
"""


_PIPELINE = """
## Of the pipeline

The pipeline updates itself, and then deploys. A change of its own file touches nothing that it deployed, and no stack
is deleted.

| setting | a change | of | remedy |
|---|---|---|---|
"""


def changes_page() -> str:
    """Return the Markdown page."""
    words = "".join(f"| `{effect}` | {MEANING[effect]} |\n" for effect in Effect)
    return _INTRODUCTION + words + _GROWS + _rows(Environment) + _PIPELINE + _rows(Pipeline)


def _rows(model: type[BaseModel]) -> str:
    rows: dict[str, Change] = {}
    for setting in settings_of(model):
        if setting.change is not None:
            rows.setdefault(_written(setting), setting.change)
    return "".join(
        f"| `{path}` | {each.effect}{', only grows' * each.only_grows} | {each.of} | {each.remedy} |\n"
        for path, each in rows.items()
    )


def _written(setting: Setting) -> str:
    start = "milvus.components."
    if not setting.path.startswith(start):
        return setting.path
    return f"{start}NAME.{setting.path.removeprefix(start).partition('.')[2]}"


if __name__ == "__main__":
    PAGE.write_text(changes_page(), encoding="utf-8")
