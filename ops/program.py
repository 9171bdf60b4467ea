"""How this program is called."""

from __future__ import annotations

import sys
from pathlib import Path

_INSTALLED_AS = "milvus-ops"

NAME = _INSTALLED_AS if Path(sys.argv[0]).stem == _INSTALLED_AS else "python -m ops"
"""What a person types: the installed command, or the module in a checkout."""
