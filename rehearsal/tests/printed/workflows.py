"""Reads the commands of the two pull-request workflows, each with the variables that its platform gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from rehearsal.run import PROJECT

# What the action does for the target branch, in a repository with one.
_CHECKOUT = "mkdir -p {path} && git archive main | tar -x -C {path}"
GITHUB, GITLAB = ".github/workflows/pull-request.yml", ".gitlab-ci.yml"


@dataclass(frozen=True)
class Step:
    """What one shell runs."""

    workflow: str
    job: str
    commands: tuple[str, ...]
    variables: dict[str, str]

    def __str__(self) -> str:
        """Return where it stands."""
        return f"{self.workflow} {self.job}: {self.commands[0].splitlines()[0]}"


def github() -> list[Step]:
    """Return each `run:` of the GitHub workflow."""
    found = []
    for name, job in _read(GITHUB)["jobs"].items():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@") and "path" in step.get("with", {}):
                found.append(Step(GITHUB, name, (_CHECKOUT.format(**step["with"]),), {}))
            if "run" in step:
                variables = {**job.get("env", {}), **step.get("env", {})}
                found.append(Step(GITHUB, name, (step["run"].rstrip(),), _text(variables)))
    return found


def gitlab() -> list[Step]:
    """Return the scripts of each job of the GitLab pipeline: one shell for `script`, one for `after_script`."""
    pipeline = _read(GITLAB)
    found = []
    for name, job in pipeline.items():
        if isinstance(job, dict) and "script" in job:
            variables = _text({**pipeline["variables"], **job.get("variables", {})})
            found += [
                Step(GITLAB, name, tuple(job[part]), variables) for part in ("script", "after_script") if part in job
            ]
    return found


def given(value: str, contexts: dict[str, str]) -> str:
    """Fill in what GitHub (``${{ }}``) and GitLab (``$NAME``) put into a variable before a shell sees it.

    Raises:
        KeyError: The workflow uses a value that the table does not have.
    """
    value = re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: contexts[match[1]], value)
    return re.sub(r"\$([A-Z_]+)", lambda match: contexts[match[1]], value)


def _text(variables: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}


def _read(path: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / path).read_text(encoding="utf-8"))
    return content
