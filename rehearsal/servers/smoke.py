"""``python -m ops smoke`` as a user runs it: what it says is what the user sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from rehearsal.run import PROJECT
from rehearsal.servers.process import ServerError


@dataclass(frozen=True, kw_only=True)
class SmokeResult:
    """What the command reported.

    Attributes:
        step: the first step that failed; empty when all passed.
        reason: why, in the command's words.
        remedy: what the command tells the user to do.
    """

    ok: bool
    seconds: float
    steps: tuple[str, ...]
    step: str = ""
    reason: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return "passed" if self.ok else f"{self.step}: {self.reason}. {self.remedy}"


def smoke(uri: str, *, token: str = "", seconds: int = 60, rows: int = 3000) -> SmokeResult:
    """Run hello_milvus against ``uri``; each step may take ``seconds``. ``ServerError`` when there is no report."""
    options = ["--uri", uri, "--timeout", str(seconds), "--rows", str(rows), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "ops", "smoke", *options],
        cwd=PROJECT,
        # In a variable: an argument could be read in the process list.
        env={**os.environ, "MILVUS_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise ServerError(
            f"ops smoke printed no report (exit code {done.returncode}):\n{done.stderr[-2000:]}"
        ) from error
    if (done.returncode == 0) != report["ok"]:
        raise ServerError(f"ops smoke ended with exit code {done.returncode} and reported ok: {report['ok']}")
    return SmokeResult(
        ok=report["ok"],
        seconds=report["seconds"],
        steps=tuple(step["name"] for step in report["steps"]),
        **{key: (report.get("failure") or {}).get(key, "") for key in ("step", "reason", "remedy")},
    )
