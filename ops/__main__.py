"""`python -m ops`, and the command `milvus-ops` of an installation."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        # Imported here: it takes about a second, in which Ctrl-C should be no stack trace either.
        from ops.cli import app  # noqa: PLC0415 - see above
        from ops.program import NAME  # noqa: PLC0415 - the same

        app(prog_name=NAME)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
