"""The application with an environment file from another folder: ``python -m rehearsal.full.variant`` is its CDK app.

An upgrade is another environment file of the same name; environments/ itself is left alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import app
from settings import loader

FOLDER_VARIABLE = "REHEARSAL_ENVIRONMENTS"


def main() -> int:
    """Synthesize as app.py does; return the exit code."""
    loader.ENVIRONMENTS = Path(os.environ[FOLDER_VARIABLE])
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
