"""Where this checkout lies; puts its ``constructs/`` on ``sys.path`` (docs/adr/0002-constructs-source-root.md)."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
"""Folder of the project: app.py, cdk.json, environments/."""

_SOURCE_ROOT = ROOT / "constructs"

if (_SOURCE_ROOT / "__init__.py").exists():
    raise ImportError(
        f"{_SOURCE_ROOT / '__init__.py'} exists: it shadows the PyPI library 'constructs' that aws-cdk-lib imports. "
        "Delete that file; this project's constructs are imported as 'milvus_constructs'."
    )

# Appended, not prepended: an installed library must never be shadowed by a folder of this project.
sys.path.append(str(_SOURCE_ROOT))
