"""The text of the one comment on a pull request: differences, what they replace, and what cdk-nag found."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MARKER = "<!-- milvus-on-eks: deployment preview -->"
"""First line of the comment, by which it is found again."""

# `cdk diff` heads each stack with its path in the tree and, where that is another, its name.
_STACK = re.compile(r"^Stack (?P<path>\S+)(?: \((?P<name>[^)]+)\))?")
# `cdk diff` writes a resource as: [~] AWS::S3::Bucket path/in/the/tree LogicalId replace
_LOST = re.compile(
    r"^\[[~+-]\] (?P<type>[\w:-]+) (?:\S+/\S* )?(?P<logical_id>\w+) (?P<fate>replace|may be replaced|destroy|orphan)$"
)
_FATES = {
    "replace": "is replaced",
    "may be replaced": "may be replaced",
    "destroy": "is deleted",
    "orphan": "leaves the stack, but stays in the account",
}
_NOWHERE = "pipeline"
_SHARE = 4_000
"""Characters that are kept for everything but the differences."""


@dataclass(frozen=True)
class LostResource:
    """A resource that a deployment would replace, delete or let go of, as `cdk diff` sees it."""

    stack: str
    resource_type: str
    logical_id: str
    fate: str


@dataclass(frozen=True)
class Preview:
    """What is known of one environment."""

    environment: str
    differences: str
    findings: tuple[str, ...] | None
    """Findings of cdk-nag and the template validation; None if there is no report."""

    @property
    def losses(self) -> list[LostResource]:
        """Return the resources that would be replaced or deleted."""
        found, stack = [], "?"
        for line in self.differences.splitlines():
            if heading := _STACK.match(line):
                stack = heading["name"] or heading["path"]
            if lost := _LOST.match(line):
                found.append(LostResource(stack, lost["type"], lost["logical_id"], _FATES[lost["fate"]]))
        return found

    @property
    def changed_stacks(self) -> int | None:
        """Return the number of stacks that differ, or None where the comparison was not made or failed."""
        counted = re.search(r"Number of stacks with differences: (\d+)", self.differences)
        return int(counted[1]) if counted else None


def read_previews(differences: Path, assembly: Path) -> list[Preview]:
    """Return the previews of all environments, by the names of their stages in the pipeline.

    Args:
        differences: Folder with the output of `cdk diff`, one <stage>.txt for each.
        assembly: Cloud assembly of the pipeline, with its validation-report.json. What that finds in the pipeline
            itself has a preview of its own.
    """
    stages = _stages(assembly)
    found = _findings(assembly / "validation-report.json", stages)
    names = {path.stem for path in differences.glob("*.txt")} | stages | set(found or ())
    return [
        Preview(
            environment=name,
            differences=_text(differences / f"{name}.txt"),
            findings=None if found is None else tuple(found.get(name, ())),
        )
        for name in sorted(names)
    ]


def _stages(assembly: Path) -> set[str]:
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in assembly.glob("*/manifest.json")]
    artifacts = [artifact for manifest in manifests for artifact in manifest.get("artifacts", {}).values()]
    # pipeline/stage/stack
    paths = [each["displayName"].split("/") for each in artifacts if each["type"] == "aws:cloudformation:stack"]
    return {path[1] for path in paths if len(path) > 2}


def _owner(path: str, stages: set[str]) -> str:
    """Return the stage that a path in the tree is in, or else the pipeline's name."""
    pipeline, *rest = path.strip("/").split("/")
    return rest[0] if rest and rest[0] in stages else pipeline or _NOWHERE


def render(previews: Sequence[Preview], *, commit: str, cost: str | None, limit: int, plans: Sequence[str] = ()) -> str:
    """Return the comment in Markdown.

    Args:
        previews: The environments.
        commit: Commit that was compared.
        cost: Markdown about the difference in cost, put under its own heading; nothing if not given.
        plans: What `ops plan` says of each environment, in Markdown, put under one heading.
        limit: Characters that the platform takes; differences are cut to fit, and that is said.
    """
    lines = [
        MARKER,
        f"## Deployment preview of {commit[:12] or 'this change'}",
        "",
        "| environment | stacks that differ | replaced or deleted | findings |",
        "|---|---|---|---|",
        *(_row(preview) for preview in previews),
        "",
    ]
    if plans:
        lines += ["### Plan", "", "\n".join(plans).strip(), ""]
    losses = [(preview.environment, loss) for preview in previews for loss in preview.losses]
    if losses:
        lines += ["### Replaced or deleted", ""]
        lines += [
            f"- **{environment}** `{loss.logical_id}` ({loss.resource_type}, {loss.stack}) {loss.fate}"
            for environment, loss in losses
        ]
        lines += ["", "What holds data among these needs an approval by name: docs/delivery.md, Gates.", ""]
    findings = [(preview.environment, text) for preview in previews for text in preview.findings or ()]
    if findings:
        lines += ["### Findings", "", *(f"- **{environment}** {text}" for environment, text in findings), ""]
    if cost:
        lines += ["### Cost", "", cost.strip(), ""]
    head = _cut("\n".join(lines), limit - _SHARE if previews else limit)
    room = max((limit - len(head)) // max(len(previews), 1) - 200, 0)
    return head + "\n" + "\n".join(_details(preview, room) for preview in previews)


def _row(preview: Preview) -> str:
    changed = "not compared" if preview.changed_stacks is None else str(preview.changed_stacks or "none")
    findings = "no report" if preview.findings is None else str(len(preview.findings) or "none")
    return f"| {preview.environment} | {changed} | {len(preview.losses) or 'none'} | {findings} |"


def _details(preview: Preview, room: int) -> str:
    # A fence longer than any in the text: what a template says must not become Markdown of ours.
    fence = "`" * max(4, *(len(run) + 1 for run in re.findall(r"`+", preview.differences)), 0)
    text = _cut(preview.differences.strip() or "No output of cdk diff.", room)
    return (
        f"<details><summary>Differences of {preview.environment}</summary>\n\n{fence}\n{text}\n{fence}\n\n</details>\n"
    )


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    note = "\n... cut: the whole output is in the job's log and its artifact"
    return text[: max(room - len(note), 0)] + note


def _findings(report: Path, stages: set[str]) -> dict[str, list[str]] | None:
    if not report.is_file():
        return None
    found: dict[str, list[str]] = {}
    for plugin in json.loads(report.read_text(encoding="utf-8"))["pluginReports"]:
        for violation in plugin["violations"]:
            if violation.get("severity") != "warning":
                places = _places(violation)
                at = ", ".join(f"`{place}`" for place in places) or "the app"
                text = f"`{violation['ruleName']}` at {at}: {violation['description']}"
                for name in sorted({_owner(place, stages) for place in places} or {_NOWHERE}):
                    found.setdefault(name, []).append(text)
    return found


def _places(violation: dict[str, list[dict[str, str]]]) -> list[str]:
    return [place["constructPath"] for place in violation["violatingConstructs"] if place.get("constructPath")]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
