"""`python -m ops`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        # Imported here: it takes about a second, in which Ctrl-C should be no stack trace either.
        from ops.cli import app

        app(prog_name="python -m ops")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
