"""Puts ``constructs/`` on ``sys.path``: a source root, not a package (docs/adr/0002-constructs-source-root.md)."""

from __future__ import annotations

import sys
from pathlib import Path

_SOURCE_ROOT = Path(__file__).parent / "constructs"

if (_SOURCE_ROOT / "__init__.py").exists():
    raise ImportError(
        f"{_SOURCE_ROOT / '__init__.py'} exists: it shadows the PyPI library 'constructs' that aws-cdk-lib imports. "
        "Delete that file; this project's constructs are imported as 'milvus_constructs'."
    )

# Appended, not prepended: an installed library must never be shadowed by a folder of this project.
sys.path.append(str(_SOURCE_ROOT))
