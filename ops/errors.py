"""The one way in which a command says what is wrong, and the exit codes that go with it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; `ops --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    INTERRUPTED = 130


class OpsError(Exception):
    """A failure for a person: what is wrong, and what to do about it."""

    def __init__(self, problem: str, *, remedy: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(f"{problem}. {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy
        self.code = code


def usage_error(*, setting: str, value: str, allowed: str, remedy: str) -> OpsError:
    """Return the error for a wrong option or input: its name, what was given, what is allowed and what to do.

    ``value`` is shown: never give it a secret.
    """
    return OpsError(f"{setting}: got {value}, allowed is {allowed}", remedy=remedy, code=ExitCode.USAGE)


def check_range(setting: str, value: int, least: int, most: int) -> None:
    """Raise the error for an option unless its value is ``least`` to ``most``."""
    if not least <= value <= most:
        raise usage_error(
            setting=setting, value=str(value), allowed=f"{least} to {most}", remedy="Choose a value in that range"
        )


def one_line(text: str, *, limit: int = 400) -> str:
    """Return a text on one line, cut at ``limit`` characters: libraries put stack traces into their messages."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
