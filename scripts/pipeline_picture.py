"""Draws docs/pipeline.svg from the synthesized pipeline: what is shown is what is deployed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_PROJECT = Path(__file__).resolve().parents[1]
PICTURE = _PROJECT / "docs" / "pipeline.svg"

_WIDTH, _HEIGHT, _GAP, _MARGIN, _HEAD = 132, 46, 26, 18, 30
_STACK_STEPS = (".Prepare", ".Gate", ".Deploy")
_COLORS = {
    "step": ("#eaf1fb", "#3567a8"),
    "stack": ("#f4f5f7", "#6b7280"),
    "gate": ("#fdecea", "#b3261e"),
    "approval": ("#fff4dc", "#b7791f"),
    "proof": ("#e6f4ea", "#2e7d32"),
}
_LEGEND = {
    "step": "build step",
    "stack": "stack: change set, gate, execution",
    "gate": "refuses the loss of data, unless approved by name",
    "approval": "waits for somebody",
    "proof": "hello_milvus from inside the VPC",
}


@dataclass(frozen=True)
class Box:
    """One box: a step, or a stack with its three actions."""

    title: str
    note: str
    kind: str


def columns(actions: list[dict[str, Any]]) -> list[list[Box]]:
    """Return the boxes of a stage, those that run side by side in one column; a stack's three actions are one box."""
    ordered = sorted(actions, key=lambda action: (action["RunOrder"], action["Name"]))
    found = []
    for _, together in groupby(ordered, key=lambda action: action["RunOrder"]):
        boxes = [box for action in together for box in _boxes(action)]
        if boxes:
            found.append(boxes)
    return found


def _boxes(action: dict[str, Any]) -> Iterator[Box]:
    name, provider = action["Name"], action["ActionTypeId"]["Provider"]
    if name.endswith(_STACK_STEPS):
        if name.endswith(".Gate"):
            yield Box(name.removesuffix(".Gate").split(".")[-1], "prepare, gate, deploy", "stack")
    elif provider == "Manual":
        yield Box("Approve" if name.startswith("Approve") else "Confirm permissions", "by hand, if needed", "approval")
    elif name.split(".")[-1] == "Verify":
        yield Box("Verify", "status, hello_milvus", "proof")
    else:
        title, note = _titles(name)
        yield Box(title, note, "step")


def _titles(name: str) -> tuple[str, str]:
    last = name.rsplit(".", maxsplit=1)[-1]
    known = {
        "Source": ("Source", "a push starts it"),
        "Synth": ("Synth", "check, test, cdk-nag"),
        "SelfMutate": ("Self-mutate", "updates the pipeline"),
        "FileAsset": ("Assets", "published"),
        "FileAssets": ("Assets", "published"),
        "Check": ("Permissions", "broader than before?"),
    }
    if name.startswith("Diff-"):
        return "Diff", "published for review"
    return known.get(last, (last, ""))


def draw(stages: dict[str, list[dict[str, Any]]]) -> str:
    """Return the picture as SVG.

    Args:
        stages: Actions of each stage, in the order of the pipeline, as the template of CodePipeline has them.
    """
    own = {name: actions for name, actions in stages.items() if not _deploys(actions)}
    bands = [("pipeline", [column for actions in own.values() for column in columns(actions)])]
    bands += [(f"wave: {name}", columns(actions)) for name, actions in stages.items() if name not in own]
    parts: list[str] = []
    y, width = _MARGIN, 0
    for index, (title, boxes) in enumerate(bands):
        height = _HEAD + max(len(column) for column in boxes) * (_HEIGHT + 10) + 8
        band_width = _MARGIN * 2 + len(boxes) * (_WIDTH + _GAP) - _GAP
        width = max(width, band_width + _MARGIN * 2)
        parts.append(_band(title, y=y, width=band_width, height=height))
        parts += _row(boxes, y=y, height=height)
        y += height
        if index < len(bands) - 1:
            parts.append(_arrow(_MARGIN + 60, y + 2, _MARGIN + 60, y + _GAP - 4))
        y += _GAP
    legend, y = _legend(y)
    body = "\n".join([*parts, *legend])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}" '
        'font-family="Helvetica, Arial, sans-serif">\n'
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M 0 0 L 10 5 L 0 10 z" fill="#4b5563"/></marker></defs>\n'
        f'<rect width="{width}" height="{y}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _deploys(actions: list[dict[str, Any]]) -> bool:
    return any(action["ActionTypeId"]["Provider"] == "CloudFormation" for action in actions)


def _band(title: str, *, y: int, width: int, height: int) -> str:
    return (
        f'<rect x="{_MARGIN}" y="{y}" width="{width}" height="{height}" rx="10" fill="#fafbfc" stroke="#cbd2d9"/>\n'
        f'<text x="{_MARGIN + 12}" y="{y + 20}" font-size="13" font-weight="bold" fill="#374151">{escape(title)}</text>'
    )


def _row(boxes: list[list[Box]], *, y: int, height: int) -> Iterator[str]:
    x = _MARGIN * 2
    middle = y + _HEAD + (height - _HEAD - 8) // 2
    for number, column in enumerate(boxes):
        top = middle - (len(column) * (_HEIGHT + 10) - 10) // 2 - 2
        for box in column:
            yield from _box(box, x=x, y=top)
            top += _HEIGHT + 10
        if number < len(boxes) - 1:
            yield _arrow(x + _WIDTH + 2, middle, x + _WIDTH + _GAP - 3, middle)
        x += _WIDTH + _GAP


def _box(box: Box, *, x: int, y: int) -> Iterator[str]:
    fill, line = _COLORS[box.kind]
    center = x + _WIDTH // 2
    yield f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{fill}" stroke="{line}"/>'
    yield _centered(box.title, x=center, y=y + 18, size=12)
    if box.kind != "stack":
        yield _centered(box.note, x=center, y=y + 34, size=10)
        return
    gate_fill, gate_line = _COLORS["gate"]
    for offset, text in enumerate(("prepare", "gate", "deploy")):
        left = x + 5 + offset * 42
        colors = (gate_fill, gate_line) if text == "gate" else ("#ffffff", line)
        yield f'<rect x="{left}" y="{y + 24}" width="38" height="16" rx="4" fill="{colors[0]}" stroke="{colors[1]}"/>'
        yield _centered(text, x=left + 19, y=y + 35, size=9)


def _centered(text: str, *, x: int, y: int, size: int) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="middle" fill="#1f2937">{escape(text)}</text>'


def _arrow(x1: int, y1: int, x2: int, y2: int) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#4b5563" stroke-width="1.4" marker-end="url(#head)"/>'
    )


def _legend(y: int) -> tuple[list[str], int]:
    parts, x = [], _MARGIN
    for kind, text in _LEGEND.items():
        fill, line = _COLORS[kind]
        parts.append(f'<rect x="{x}" y="{y}" width="14" height="14" rx="3" fill="{fill}" stroke="{line}"/>')
        parts.append(f'<text x="{x + 20}" y="{y + 11}" font-size="11" fill="#374151">{escape(text)}</text>')
        x += 38 + int(len(text) * 5.6)
    return parts, y + 14 + _MARGIN


def stages_of(template: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the actions of each stage in the pipeline's template."""
    (pipeline,) = [
        resource for resource in template["Resources"].values() if resource["Type"] == "AWS::CodePipeline::Pipeline"
    ]
    return {stage["Name"]: stage["Actions"] for stage in pipeline["Properties"]["Stages"]}


def main() -> None:
    """Synthesize the shipped pipeline and draw it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["cdk", "synth", "--quiet", "-c", "pipeline=pipeline", "--output", folder]
        if subprocess.run(command, cwd=_PROJECT, check=False).returncode:
            sys.exit("docs/pipeline.svg was not drawn: the pipeline does not synthesize")
        (path,) = Path(folder).glob("*.template.json")
        template = json.loads(path.read_text(encoding="utf-8"))
    PICTURE.write_text(draw(stages_of(template)), encoding="utf-8")


if __name__ == "__main__":
    main()
