"""A plan for a pull request's comment."""

from __future__ import annotations

from ops.plan.changes import Change, Plan, values


def markdown(plan: Plan) -> str:
    """Return the plan as Markdown: one table, refusals first."""
    lines = [f"**{plan.environment}**: {summary(plan)}", ""]
    if plan.changes:
        lines += ["| setting | from | to | effect | affected | takes |", "|---|---|---|---|---|---|"]
        lines += [_row(change) for change in plan.changes]
        lines.append("")
    if plan.created:
        lines += ["| created | holds | takes |", "|---|---|---|"]
        lines += [f"| `{each.stack}` | {each.holds} | {each.takes} |" for each in plan.created]
        lines.append("")
    for way in plan.ways:
        lines += [f"{_escaped(way.title)}:", ""]
        lines += [f"{number}. {_escaped(step)}" for number, step in enumerate(way.steps, start=1)]
        lines.append("")
    lines += [f"- {note}" for note in plan.notes]
    return "\n".join(lines).rstrip() + "\n"


def summary(plan: Plan) -> str:
    """Return one line that says whether the plan can be deployed."""
    if plan.refused:
        return f"{len(plan.refused)} of {len(plan.changes)} changes refused"
    if plan.created:
        rest = f", {len(plan.changes)} settings change" if plan.changes else ""
        return f"{len(plan.created)} stacks are created, about {plan.creation_takes}{rest}"
    if not plan.changes:
        return "no setting changes"
    return "1 setting changes" if len(plan.changes) == 1 else f"{len(plan.changes)} settings change"


def _row(change: Change) -> str:
    old, new = (_cell(value) for value in values(change))
    cells = [f"`{change.setting}`", old, new, effect(change), change.affected, change.takes]
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def effect(change: Change) -> str:
    """Return what a change does, or why it cannot be and what to do instead."""
    if change.refused:
        return f"refused: {change.refused}; {change.remedy}"
    what = f"{change.effect}: {change.of}" if change.of else change.effect
    return f"{what} (accepted: {change.accepted})" if change.accepted else what


def _cell(value: str) -> str:
    # What a file says must not become Markdown of ours.
    return f"`{value.replace('`', '')}`"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
