"""Records the steps of a full rehearsal: what ran, real or simulated, how it ended, and what was left out and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Kind = Literal["real", "simulated"]
StepResult = Literal["passed", "failed", "left out"]
Result = Literal["passed", "incomplete", "failed"]

_COLOURS = {"passed": "green", "failed": "red", "left out": "yellow", "incomplete": "yellow"}


class Step(BaseModel):
    """One step and its outcome."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="What was shown.")
    kind: Kind = Field(description="Whether real programs showed it, or a simulator of their effect.")
    result: StepResult = Field(description="How it ended.")
    seconds: float = Field(description="How long it took.")
    detail: str = Field(description="What was seen, or why it failed or was left out.")


class FullReport(BaseModel):
    """What ``.rehearsal/latest/report.json`` holds."""

    model_config = ConfigDict(frozen=True)

    environment: str
    result: Result
    steps: tuple[Step, ...]


class Steps:
    """Runs steps one after another; one that needs a step which did not pass is left out."""

    def __init__(self, *, console: Console) -> None:
        self._console = console
        self._steps: list[Step] = []

    def run(self, name: str, kind: Kind, action: Callable[[], str], *, needs: Sequence[str] = ()) -> bool:
        """Run ``action``, whose return value is the detail. Any exception of it is the step's failure.

        Returns:
            Whether it passed.
        """
        if missing := [need for need in needs if not self.passed(need)]:
            return self.leave_out(name, kind, f"needs: {', '.join(missing)}")
        self._console.print(f"… {escape(name)}", style="cyan")
        began = time.monotonic()
        try:
            detail, result = action(), "passed"
        except Exception as error:  # noqa: BLE001 - every failure of a step belongs in the report, whatever raised it
            detail, result = str(error) or type(error).__name__, "failed"
        self._add(
            Step.model_validate(
                {
                    "name": name,
                    "kind": kind,
                    "result": result,
                    "seconds": round(time.monotonic() - began, 1),
                    "detail": detail,
                }
            )
        )
        return result == "passed"

    def leave_out(self, name: str, kind: Kind, reason: str) -> bool:
        """Record a step that cannot be done; always returns False."""
        self._add(Step(name=name, kind=kind, result="left out", seconds=0, detail=reason))
        return False

    def passed(self, name: str) -> bool:
        """Whether a step of this name passed."""
        return any(step.name == name and step.result == "passed" for step in self._steps)

    def report(self, environment: str) -> FullReport:
        """All steps, with the result of the whole: failed over incomplete over passed."""
        results = {step.result for step in self._steps}
        result: Result = "failed" if "failed" in results else "incomplete" if "left out" in results else "passed"
        return FullReport(environment=environment, result=result, steps=tuple(self._steps))

    def _add(self, step: Step) -> None:
        self._steps.append(step)
        colour = _COLOURS[step.result]
        self._console.print(f"[{colour}]{step.result}[/{colour}] {escape(step.name)} [dim]{step.seconds} s[/dim]")
        for line in step.detail.splitlines():
            self._console.print(f"    {escape(line)}", soft_wrap=True)


def show(report: FullReport, console: Console) -> None:
    """Print the table: step, real or simulated, result, seconds."""
    table = Table(title=f"Full rehearsal of {report.environment}", title_justify="left")
    for heading, justify in (("step", "left"), ("", "left"), ("result", "left"), ("seconds", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # rich names the values in a Literal
    for step in report.steps:
        colour = _COLOURS[step.result]
        table.add_row(escape(step.name), step.kind, f"[{colour}]{step.result}[/{colour}]", f"{step.seconds:.1f}")
    console.print(table)
    colour = _COLOURS[report.result]
    console.print(f"Result: [{colour}]{report.result}[/{colour}]")


def write(report: FullReport, folder: Path) -> Path:
    """Write ``report.json`` into the folder of the run."""
    path = folder / "report.json"
    path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return path
