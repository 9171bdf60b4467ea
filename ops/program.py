"""How this program is called, and which version of it this is."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from pathlib import Path

_INSTALLED_AS = "milvus-ops"
_DISTRIBUTION = "milvus-on-eks"

NAME = _INSTALLED_AS if Path(sys.argv[0]).stem == _INSTALLED_AS else "python -m ops"
"""What a person types: the installed command, or the module in a checkout."""


def version() -> str:
    """Return the version: that of the installed package, or that of the checkout, which is not installed."""
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])
