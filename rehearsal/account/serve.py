"""Entry point of the server process: registers this project's handlers, then runs the emulator."""

from __future__ import annotations

import sys

from rehearsal.account.options import AccountOptions


def main() -> None:
    """Run until the process is asked to end."""
    options = AccountOptions.from_environment()
    # Imported late: the emulator reads its environment and takes a second to import.
    from ministack import app  # noqa: PLC0415 - it reads its options from the environment when imported

    from rehearsal.account import registry  # noqa: PLC0415 - the same

    registry.install(options)
    sys.argv[1:] = []
    app.main()


if __name__ == "__main__":
    main()
