"""Types the day-2 commands that the documentation prints, for the embedded account."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from rehearsal.failure import RehearsalError
from rehearsal.processes import running
from rehearsal.run import PROJECT

_LAST_LINES = 15


class Day2:
    """``python -m ops`` as a user types it, with the variables of an account.

    Args:
        environment: variables of the commands, with the account's.
        console: what the output has to fit.
        folder: gets what the commands print to standard error.
    """

    def __init__(self, *, environment: Mapping[str, str], console: Console, folder: Path) -> None:
        self._environment = {**environment, "COLUMNS": str(console.width)}
        self._console = console
        self._folder = folder

    def doctor(self, env: str) -> str:
        """Look before the deployment, as a user does; return the summary.

        Raises:
            RehearsalError: Something blocks, or could not be checked: here every call is answered.
        """
        code, output = self._run(["doctor", "--env", env], self._environment, "ops-doctor.errors.log")
        (self._folder / "ops-doctor.log").write_text(output, encoding="utf-8")
        summary = output.rstrip().rpartition("\n")[2]
        if code or "not checked" in summary:
            raise RehearsalError(f"python -m ops doctor --env {env} finds something in the way:\n{output}")
        return summary

    def run(self, *arguments: str) -> str:
        """Run one command; return what it prints.

        Raises:
            RehearsalError: It failed.
        """
        colours = {"FORCE_COLOR": "1"} if self._console.is_terminal and "--json" not in arguments else {}
        code, output = self._run(list(arguments), self._environment | colours, f"ops-{arguments[0]}.log")
        if code:
            raise RehearsalError(f"python -m ops {' '.join(arguments)} failed:\n{tail(output.splitlines())}")
        return output

    def _run(self, arguments: list[str], environment: Mapping[str, str], log: str) -> tuple[int, str]:
        path = self._folder / log
        command = [sys.executable, "-m", "ops", *arguments]
        with (
            path.open("wb") as errors,
            running(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=errors) as process,
        ):
            output = process.stdout.read().decode(errors="replace") if process.stdout else ""
            code = process.wait()
        return code, output if not code else output + path.read_text(encoding="utf-8", errors="replace")


def tail(lines: list[str]) -> str:
    """Return the last lines that say something."""
    return "\n".join([line for line in lines if line.strip()][-_LAST_LINES:])
