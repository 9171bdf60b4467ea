"""A plan as one page that needs nothing else: the bill, what fills the nodes, other indexes and numbers of vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape

from ops.cost.page import bars, document
from ops.cost.prices import Prices
from ops.errors import OpsError
from ops.size.indexes import INDEXES
from ops.size.nodes import Group
from ops.size.plan import Plan, plan_for
from ops.size.report import summary

Curves = Mapping[str, Sequence[tuple[int, float]]]
"""By the name of an index: numbers of vectors, and what they cost a month in USD."""

_COLOURS = ("#2563eb", "#059669", "#d97706", "#7c3aed", "#dc2626", "#0891b2", "#65a30d", "#be185d")
_TIMES = (0.1, 0.3, 1, 3, 10)
_STEPS = ((1, 2, 5), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), tuple(step / 10 for step in range(10, 100)))
_FEWEST_STEPS = 3
_LEFT, _TOP, _WIDTH, _HEIGHT = 80, 20, 560, 280


def curves(plan: Plan, prices: Prices) -> dict[str, list[tuple[int, float]]]:
    """Return what other index types and numbers of vectors cost; what nothing holds is left out."""
    found: dict[str, list[tuple[int, float]]] = {}
    for index in INDEXES.values():
        parameters = plan.work.parameters if index == plan.work.index else index.parameters({})
        for times in _TIMES:
            vectors = max(1, round(plan.work.vectors * times))
            work = replace(plan.work, vectors=vectors, index=index, parameters=parameters)
            try:
                found.setdefault(index.name, []).append((vectors, plan_for(work, prices).monthly))
            except OpsError:
                continue
    return {name: line for name, line in found.items() if line}


def page(plan: Plan, lines: Curves) -> str:
    """Return the page of a plan; ``lines`` are those of the other indexes."""
    work = plan.work
    title = f"{work.vectors:,} x {work.dim} in {work.index.name}, Milvus {work.line} in {work.region}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(summary(plan))}</p>",
        "<h2>USD a month</h2>",
        bars({charge.what: charge.monthly or 0 for charge in plan.charges}, plan.monthly),
        "<h2>What fills the nodes, and what is idle</h2>",
        *(_filled(group) for group in plan.groups),
        "<h2>Other indexes, and other numbers of vectors, USD a month</h2>",
        '<p class="dim">With as many copies, and surviving the same; indexes differ in recall and speed too.</p>',
        chart(lines),
        _figures(lines),
        "<h2>How it was counted</h2>",
        f"<ul>{''.join(f'<li>{escape(step)}</li>' for step in (*work.load.explained, *plan.notes))}</ul>",
    ]
    return document(title, "\n".join(body))


def _filled(group: Group) -> str:
    cpu, memory = (group.nodes * each for each in group.room)
    parts = [f"<p>{escape(group.name)}: {group.nodes} x {escape(group.priced.kind.name)}</p>"]
    for unit, whole, taken in (
        ("GiB", memory, {pods.name: pods.replicas * pods.memory_gib for pods in group.pods}),
        ("cores", cpu, {pods.name: pods.replicas * pods.cpu for pods in group.pods}),
    ):
        idle = whole - sum(taken.values())
        spans = "".join(f'<span style="width:{100 * part / whole:.2f}%"></span>' for part in taken.values())
        words = ", ".join(f"{name} {part:g}" for name, part in taken.items())
        parts.append(
            f'<div class="stack">{spans}<span class=rest style="width:{100 * idle / whole:.2f}%"></span></div>'
            f'<p class="dim">{unit}: {escape(words)}, idle {idle:.1f} ({idle / whole:.0%})</p>'
        )
    return "\n".join(parts)


def chart(lines: Curves) -> str:
    """Return lines of cost over vectors as SVG, both axes logarithmic."""
    points = [point for line in lines.values() for point in line]
    across = _scale((vectors for vectors, _ in points), _LEFT, _LEFT + _WIDTH)
    up = _scale((monthly for _, monthly in points), _TOP + _HEIGHT, _TOP)
    marks = []
    for vectors in sorted({vectors for vectors, _ in points}):
        x = f'x="{across(vectors):.0f}" y="{_TOP + _HEIGHT + 20}"'
        marks.append(f'<text {x} text-anchor="middle">{_short(vectors)}</text>')
    for monthly in _round_steps(monthly for _, monthly in points):
        y = up(monthly)
        marks.append(f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.0f}" y2="{y:.0f}" stroke="#8884"/>')
        marks.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{monthly:,.0f}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(vectors):.1f},{up(monthly):.1f}" for vectors, monthly in line)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = _TOP + 22 * number
        marks.append(f'<rect x="{_LEFT + _WIDTH + 20}" y="{y}" width="12" height="12" fill="{colour}"/>')
        marks.append(f'<text x="{_LEFT + _WIDTH + 38}" y="{y + 11}">{escape(name)}</text>')
    label = "USD a month over vectors, by index type"
    return (
        f'<svg viewBox="0 0 800 340" role="img" aria-label="{label}" font-size="12" fill="currentColor">'
        f"{''.join(marks)}</svg>"
    )


def _scale(values: Iterable[float], first: float, last: float) -> Callable[[float], float]:
    low, high = (math.log10(each) for each in _ends(values))

    def place(value: float) -> float:
        return first + (math.log10(value) - low) / ((high - low) or 1) * (last - first)

    return place


def _ends(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return min(known), max(known)


def _round_steps(values: Iterable[float]) -> list[float]:
    """Return 1, 2 and 5 of each power of ten between the least and the most, and more where those are few."""
    low, high = _ends(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in _STEPS:
        found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(found) >= _FEWEST_STEPS:
            break
    return found


def _figures(lines: Curves) -> str:
    """Return what the chart shows in figures: lines that cost the same lie on one another."""
    every = sorted({vectors for line in lines.values() for vectors, _ in line})
    head = "<th></th>" + "".join(f'<th class="n">{_short(vectors)}</th>' for vectors in every)
    rows = [f"<tr>{head}</tr>"]
    for name, line in lines.items():
        known = dict(line)
        cells = (
            f'<td class="n">{known[each]:,.0f}</td>' if each in known else '<td class="n">-</td>' for each in every
        )
        rows.append(f"<tr><td>{escape(name)}</td>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'


def _short(number: int) -> str:
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return str(number)
