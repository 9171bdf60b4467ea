"""Types what the documentation prints, for the embedded account: recipes of the Makefile, and ``cdk bootstrap``."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

from rehearsal.processes import running
from rehearsal.run import PROJECT
from rehearsal.terminal import UnexpectedQuestionError, lines_of, open_terminal

_CDK_FOLDER = PROJECT / "node_modules" / ".bin"
POLLING = Path(__file__).with_name("polling.cjs")
_EVENT = re.compile(
    r"^(?P<stack>[\w-]+) \| +(?P<done>\d+)(/(?P<total>\d+))? \| [^|]+\| "
    r"(?P<status>[A-Z_]+) +\| (?P<type>[\w:-]+) +\| (?P<id>.*)$"
)
# What `cdk destroy` says of a stack at a terminal, where a bar takes the place of events.
_DESTROYED = re.compile(r"^ *(✅ +)?(?P<stack>[\w-]+): (?P<state>destroying\.\.\.|destroyed)")
# Every recipe begins with `make setup`. The tools that run this rehearsal are installed: nothing is to be installed
# again, not even where `pip install` and `npm ci` put them, which leave no mark for make.
_INSTALLED = ("--old-file=.venv/.ready", "--old-file=node_modules/.ready")
# How a make that called this process speaks to those below it: `make rehearse -n ENV=prod` concerns the rehearsal only.
OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MAKEFILES")
_DIFFERENCES = "Number of stacks with differences: "


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
    """A command of the deployment ended with an error; carries the end of its output."""

    def __init__(self, command: str, code: int, output: list[str]) -> None:
        super().__init__(f"{command} ended with exit code {code}")
        self.command = command
        self.code = code
        self.output = output


def require_cdk() -> None:
    """Refuses a rehearsal that would find out only after its account has started.

    Raises:
        CdkMissingError: It is neither installed beside the project nor found in PATH, or there is no make.
    """
    path = _search_path(os.environ.get("PATH", ""))
    if shutil.which("cdk", path=path) is None:
        raise CdkMissingError(
            f"there is no CDK command line: no cdk in {_CDK_FOLDER} or PATH. Run `npm ci` or `make setup`"
        )
    if shutil.which("make", path=path) is None:
        raise CdkMissingError("there is no make in PATH; a rehearsal runs the recipes of the Makefile. Install it")


def _search_path(path: str) -> str:
    """Return the folders in which programs are searched for: those of the project before any other."""
    return os.pathsep.join([str(_CDK_FOLDER), str(Path(sys.executable).parent), path])


def parse_event(line: str) -> StackEvent | None:
    """Return a progress line of the CDK as an event; None for any other line."""
    match = _EVENT.match(line)
    if match is None:
        return _stack_event(line)
    total = match["total"]
    return StackEvent(
        stack=match["stack"],
        done=int(match["done"]),
        total=int(total) if total else None,
        status=match["status"],
        resource_type=match["type"],
        resource=match["id"].strip(),
    )


def _stack_event(line: str) -> StackEvent | None:
    match = _DESTROYED.match(line)
    if match is None:
        return None
    status = "DELETE_COMPLETE" if match["state"] == "destroyed" else "DELETE_IN_PROGRESS"
    stack, kind = match["stack"], "AWS::CloudFormation::Stack"
    return StackEvent(stack=stack, done=0, total=None, status=status, resource_type=kind, resource=stack)


class Cdk:
    """What a user types to deploy one environment, bound to one account and one log file.

    No command gets an option that the documentation does not print: an option that no user passes hides what users
    meet. The environment alone says which account it is and where the assembly goes, and that waiting is short.

    Args:
        env: name of the environment.
        environment: variables of the commands, with the account's.
        log: file that gets the commands and their output.
        on_event: hears of every resource that changes its state.
        assembly: folder of the synthesized templates, in place of ``cdk.out``.
    """

    def __init__(
        self, *, env: str, environment: Mapping[str, str], log: Path, on_event: Listener, assembly: Path
    ) -> None:
        self._env = env
        self._log = log
        self._on_event = on_event
        self.assembly = assembly
        self._environment = {key: value for key, value in environment.items() if key not in OF_MAKE} | {
            "PATH": _search_path(environment.get("PATH", "")),
            "NODE_OPTIONS": f"--require={POLLING}",
        }

    def synth(self) -> list[str]:
        """Synthesizes the environment."""
        return self.make("synth")

    def bootstrap(self, account: str, region: str, policies: Sequence[str] = ()) -> list[str]:
        """Prepare the account; with ``policies``, CloudFormation may do what those say, instead of everything.

        The command line synthesizes for it what cdk.json names. That goes into a folder of its own, so that the
        environment's assembly stays what it is.
        """
        other = self.assembly.parent / "bootstrap" / self.assembly.name
        options = ["--cloudformation-execution-policies", ",".join(policies)] if policies else []
        return self.run(["cdk", "bootstrap", f"aws://{account}/{region}", *options], assembly=other)

    def deploy(self, *, terminal: bool = False) -> list[str]:
        """Deploys all stacks; nothing may be asked, at a terminal neither."""
        return self.make("deploy", terminal=terminal)

    def differences(self) -> int:
        """Compare the environment with what is deployed; return the number of stacks that differ.

        Raises:
            CdkError: The command failed, or does not say it.
        """
        return self._compared()[1]

    def diff(self) -> list[str]:
        """Compare the environment with what is deployed.

        Raises:
            CdkError: There is a difference.
        """
        lines, number = self._compared()
        if number:
            raise CdkError(f"make diff ENV={self._env} shows differences and", 0, lines)
        return lines

    def _compared(self) -> tuple[list[str], int]:
        lines = self.make("diff")
        for line in lines:
            if (number := line.partition(_DIFFERENCES)[2]).isdigit():
                return lines, int(number)
        raise CdkError(f"make diff ENV={self._env} does not say how many stacks differ and", 0, lines)

    def destroy(self) -> list[str]:
        """Destroys all stacks, and says yes when it is asked."""
        return self.make("destroy", terminal=True, answer="y")

    def make(self, target: str, *, terminal: bool = False, answer: str | None = None) -> list[str]:
        """Run a recipe of the Makefile for this environment."""
        said = ["make", target, f"ENV={self._env}"]
        command = ["make", "--no-print-directory", *_INSTALLED, *said[1:]]
        return self.run(command, said=said, terminal=terminal, answer=answer)

    def run(
        self,
        command: list[str],
        *,
        said: list[str] | None = None,
        terminal: bool = False,
        answer: str | None = None,
        assembly: Path | None = None,
    ) -> list[str]:
        """Run one command; its output goes to the log, its events to the listener.

        Args:
            command: the command.
            said: how an error names it, if not in full.
            terminal: whether it runs at a terminal.
            answer: what a question gets there.
            assembly: folder of its templates, if not the environment's.

        Returns:
            The lines of output.

        Raises:
            CdkError: The command failed, or asked something that nobody answers.
        """
        lines: list[str] = []
        name = shlex.join(said or command)
        # Read by the CDK command line itself.
        environment = self._environment | {"CDK_OUTPUT": str(assembly or self.assembly)}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {shlex.join(command)}\n")
            with self._started(command, environment, terminal=terminal, answer=answer) as (process, output):
                try:
                    for line in output:
                        if terminal and line in lines:  # the CDK draws its bar, and the lines above it, again and again
                            continue
                        log.write(f"{line}\n")
                        log.flush()
                        lines.append(line)
                        if event := parse_event(line):
                            self._on_event(event)
                except UnexpectedQuestionError as question:
                    raise CdkError(f"{name} asks {question} and", 1, lines) from question
                code = process.wait()
        if code:
            raise CdkError(name, code, lines)
        return lines

    @contextmanager
    def _started(
        self, command: list[str], environment: Mapping[str, str], *, terminal: bool, answer: str | None
    ) -> Iterator[tuple[Popen[bytes], Iterator[str]]]:
        """Yield the running command, and the lines that it prints."""
        if not terminal:
            with running(command, env=environment, cwd=PROJECT, stdout=PIPE) as process:
                yield process, (raw.decode(errors="replace").rstrip() for raw in process.stdout or ())
            return
        reader, program = open_terminal()
        try:
            with running(command, env=environment, cwd=PROJECT, stdout=program) as process:
                os.close(program)
                yield process, lines_of(reader, answer=answer)
        finally:
            os.close(reader)
