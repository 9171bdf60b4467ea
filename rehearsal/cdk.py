"""Runs the real CDK command line against the embedded account and reads its events as they come."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from rehearsal.processes import running

PROJECT = Path(__file__).resolve().parents[1]
_CDK_FOLDER = PROJECT / "node_modules" / ".bin"
_POLLING = Path(__file__).with_name("polling.cjs")
_EVENT = re.compile(
    r"^(?P<stack>[\w-]+) \| +(?P<done>\d+)(/(?P<total>\d+))? \| [^|]+\| "
    r"(?P<status>[A-Z_]+) +\| (?P<type>[\w:-]+) +\| (?P<id>.*)$"
)
# Every stack at once, as far as one does not wait for another: what the README tells a user to do.
CONCURRENCY = 5


@dataclass(frozen=True)
class StackEvent:
    """A line of the CDK's progress: one resource of one stack changed its state."""

    stack: str
    done: int
    total: int | None
    status: str
    resource_type: str
    resource: str

    @property
    def of_stack(self) -> bool:
        """Whether the event is about the stack itself."""
        return self.resource_type == "AWS::CloudFormation::Stack"


Listener = Callable[[StackEvent], None]


class CdkMissingError(RuntimeError):
    """There is no CDK command line to run; says how to get it."""


class CdkError(RuntimeError):
    """The CDK command line ended with an error; carries the end of its output."""

    def __init__(self, command: str, code: int, output: list[str]) -> None:
        super().__init__(f"cdk {command} ended with exit code {code}")
        self.command = command
        self.code = code
        self.output = output


def require_cdk() -> None:
    """Refuses a rehearsal that would find out only after its account has started.

    Raises:
        CdkMissingError: it is neither installed beside the project nor found in PATH.
    """
    if shutil.which("cdk", path=_search_path(os.environ.get("PATH", ""))) is None:
        raise CdkMissingError(
            f"there is no CDK command line: no cdk in {_CDK_FOLDER} or PATH. Run `npm ci` or `make setup`"
        )


def _search_path(path: str) -> str:
    """The folders in which programs are searched for: those of the project before any other."""
    return os.pathsep.join([str(_CDK_FOLDER), str(Path(sys.executable).parent), path])


def parse_event(line: str) -> StackEvent | None:
    """A progress line of the CDK as an event; None for any other line."""
    match = _EVENT.match(line)
    if match is None:
        return None
    total = match["total"]
    return StackEvent(
        stack=match["stack"],
        done=int(match["done"]),
        total=int(total) if total else None,
        status=match["status"],
        resource_type=match["type"],
        resource=match["id"].strip(),
    )


class Cdk:
    """The CDK CLI of node_modules, bound to one account and one log file."""

    def __init__(self, *, environment: Mapping[str, str], log: Path, on_event: Listener, assembly: Path) -> None:
        self._log = log
        self._on_event = on_event
        self._assembly = assembly
        self._environment = dict(environment) | {
            "PATH": _search_path(environment.get("PATH", "")),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "NO_COLOR": "1",
            "CI": "true",  # all of its output on standard output, and no animation
            "NODE_OPTIONS": f"--require={_POLLING}",
        }

    def synth(self, env: str) -> list[str]:
        """Synthesizes the app of an environment into the assembly folder; Python runs this one time only."""
        return self.run("synth", "--quiet", "-c", f"env={env}", "--output", str(self._assembly))

    def bootstrap(self, account: str, region: str) -> list[str]:
        """Prepares the account as every CDK account is prepared."""
        policy = "arn:aws:iam::aws:policy/AdministratorAccess"
        return self.run(
            "bootstrap", *self._app(), f"aws://{account}/{region}", "--cloudformation-execution-policies", policy
        )

    def deploy(self) -> list[str]:
        """Deploys all stacks of the assembly."""
        options = ["--all", "--require-approval", "never", "--progress", "events", "--concurrency", str(CONCURRENCY)]
        return self.run("deploy", *self._app(), *options)

    def diff(self) -> list[str]:
        """Compares the assembly with what is deployed; raises CdkError when there is a difference."""
        return self.run("diff", *self._app(), "--fail")

    def destroy(self) -> list[str]:
        """Destroys all stacks of the assembly, in the reverse order of their dependencies."""
        options = ["--all", "--force", "--progress", "events", "--concurrency", str(CONCURRENCY)]
        return self.run("destroy", *self._app(), *options)

    def run(self, command: str, *options: str) -> list[str]:
        """Runs one command; its output goes to the log, its events to the listener.

        Returns:
            The lines of output.

        Raises:
            CdkError: the command failed.
        """
        lines: list[str] = []
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ cdk {command} {' '.join(options)}\n")
            with running(["cdk", command, *options], env=self._environment, cwd=PROJECT, stdout=PIPE) as process:
                for raw in process.stdout or ():
                    line = raw.decode(errors="replace").rstrip()
                    log.write(f"{line}\n")
                    log.flush()
                    lines.append(line)
                    if event := parse_event(line):
                        self._on_event(event)
                code = process.wait()
        if code:
            raise CdkError(command, code, lines)
        return lines

    def _app(self) -> list[str]:
        return ["--app", str(self._assembly)]
