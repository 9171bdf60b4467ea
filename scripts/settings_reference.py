"""Writes docs/settings.md from the settings models."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from settings.reference import settings_reference  # noqa: E402 - the project is not installed, only found

if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_reference(), encoding="utf-8")
