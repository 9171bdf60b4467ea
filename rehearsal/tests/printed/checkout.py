"""A person's place: a checkout, a terminal, an account, and a machine that has Python and make and little else."""

from __future__ import annotations

import io
import os
import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from rehearsal.account import EmbeddedAccount
from rehearsal.cdk import OF_MAKE, POLLING
from rehearsal.processes import running
from rehearsal.run import PROJECT
from rehearsal.terminal import lines_of, open_terminal
from tests.source_copies import copy_of_source

# What a machine need not have: `make setup` brings Node and the CDK, and nothing else of these is asked for.
_NOT_THERE = {"aws", "cdk", "go", "helm", "java", "javac", "kubectl", "mvn", "node", "npm", "npx", "pipx"}
_SCRIPT = """set -eo pipefail
[ ! -f "{state}" ] || . "{state}"
{commands}
export -p > "{state}"
"""
_AWS = """#!/bin/sh
exec env -u PYTHONPATH -u PYTHONHOME -u PYTHONDONTWRITEBYTECODE "{python}" "{program}" "$@"
"""


@dataclass(frozen=True)
class Outcome:
    """How commands ended, and what they printed."""

    code: int
    output: str


class Checkout:
    """A copy of the sources in which commands are typed; what one exports, the next ones see.

    Args:
        folder: gets the copy, and what the machine has.
        account: the account that the commands meet.
    """

    def __init__(self, folder: Path, account: EmbeddedAccount) -> None:
        self.tree = copy_of_source(folder / "source")
        self._folder = folder
        self.account = account
        left = {key: value for key, value in account.environment().items() if not _of_the_suite(key)}
        self.environment = left | {
            "PATH": str(_programs(folder / "bin")),
            "KUBECONFIG": str(folder / "kubeconfig"),
            "NODE_OPTIONS": f"--require={POLLING}",
            "TERM": "xterm",
        }

    def type(self, commands: Sequence[str], *, answer: str | None = None) -> Outcome:
        """Type commands at a terminal, one after the other, until one fails.

        Raises:
            UnexpectedQuestionError: One asks, and there is no answer.
        """
        script = self._folder / "typed.sh"
        text = _SCRIPT.format(commands="\n".join(commands), state=self._folder / "exported.sh")
        script.write_text(text, encoding="utf-8")
        reader, program = open_terminal()
        with (
            closing(io.FileIO(reader)),
            running(["bash", script], env=self.environment, cwd=self.tree, stdout=program) as process,
        ):
            os.close(program)
            # The CDK draws its bar, and the lines above it, again and again.
            lines = list(dict.fromkeys(lines_of(reader, answer=answer)))
            code = process.wait()
        return self._written_down(commands, Outcome(code, "\n".join(lines)))

    def build(self, commands: Sequence[str], variables: Mapping[str, str]) -> Outcome:
        """Run commands as a build does: in a shell of their own, without a terminal, until one fails."""
        environment = {**self.environment, **variables}
        command = ["bash", "-eo", "pipefail", "-c", "\n".join(commands)]
        with running(command, env=environment, cwd=self.tree, stdout=PIPE) as process:
            output = process.stdout.read().decode(errors="replace") if process.stdout else ""
            code = process.wait()
        return self._written_down(commands, Outcome(code, output))

    def _written_down(self, commands: Sequence[str], outcome: Outcome) -> Outcome:
        """Keep what was typed and printed, for who looks while the rest still runs."""
        with (self._folder / "transcript.log").open("a", encoding="utf-8") as transcript:
            transcript.write(
                "\n".join(["", *(f"$ {command}" for command in commands), outcome.output, f"[{outcome.code}]", ""])
            )
        return outcome


def _of_the_suite(key: str) -> bool:
    return key in {*OF_MAKE, "MILVUS_ENVIRONMENTS", "VIRTUAL_ENV", "CI"} or key.startswith("PYTEST_")


def _programs(folder: Path) -> Path:
    """Give the machine what this one has outside of the project, less what a user need not have, and the AWS CLI."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        if not place.startswith((str(PROJECT), sys.prefix)) and Path(place).is_dir():
            for program in Path(place).iterdir():
                if program.name not in _NOT_THERE and not (folder / program.name).exists():
                    (folder / program.name).unlink(missing_ok=True)
                    (folder / program.name).symlink_to(program)
    aws = folder / "aws"
    aws.write_text(_AWS.format(python=sys.executable, program=_aws_cli(folder.parent / "awscli")), encoding="utf-8")
    aws.chmod(0o755)
    return folder


def _aws_cli(folder: Path) -> Path:
    """Unpack the AWS command line that the functions of the templates use: it comes with the CDK's libraries."""
    (package,) = (
        found for place in sys.path for found in Path(place or ".").glob("aws_cdk/asset_awscli_v1/_jsii/*.jsii.tgz")
    )
    with tarfile.open(package) as archive:
        (layer,) = (each for each in archive.getmembers() if re.search(r"layer\.zip$", each.name))
        content = archive.extractfile(layer)
        assert content is not None, package
        with zipfile.ZipFile(io.BytesIO(content.read())) as program:
            program.extractall(folder)  # noqa: S202 - a pinned and hashed package of this project
    return folder / "awscli" / "aws"
