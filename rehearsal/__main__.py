"""`python -m rehearsal --env dev`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        # Imported here: it takes about a second, in which Ctrl-C should be no stack trace either.
        import typer

        from rehearsal.cli import main

        typer.run(main)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
