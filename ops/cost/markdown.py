"""The difference in cost as Markdown: what a pull request shows."""

from __future__ import annotations

from collections.abc import Sequence

from ops.cost.difference import Difference


def markdown(differences: Sequence[Difference]) -> str:
    """Return the change and new total of each environment that changes, details folded; nothing if none does."""
    changed = [each for each in differences if each.changed]
    if not changed:
        return ""
    lines = ["| environment | change, USD a month | new total | of it by use, assumed |", "|---|---|---|---|"]
    lines += [_row(each) for each in changed]
    for each in changed:
        if each.changes:
            lines += ["", *_details(each)]
    newest = [each.after for each in changed if each.after is not None]
    if newest:
        lines += ["", _sure(min(newest, key=lambda bill: bill["on_grade_a"]))]
    return "\n".join(lines) + "\n"


def _row(each: Difference) -> str:
    if each.after is None:
        return f"| {each.name} | {each.monthly:+,.2f} (gone) | - | - |"
    change = f"{each.monthly:+,.2f}" + (" (new)" if each.before is None else "")
    used, most = each.after["by_use"], each.after["by_use_at_most"]
    by_use = f"{used:,.2f}" if used == most else f"{used:,.2f} to {most:,.2f}"
    return f"| {each.name} | {change} | {each.after['total']:,.2f} | {by_use} |"


def _details(each: Difference) -> list[str]:
    lines = [f"<details><summary>Lines of {each.name}</summary>", "", "| what | before | after | change |"]
    lines.append("|---|---|---|---|")
    for change in each.changes:
        mark = f" *({_cell(change.mark)})*" if change.mark else ""
        what = f"{change.service}: {_cell(change.what)}{mark}"
        lines.append(f"| {what} | {change.text_before} | {change.text_after} | {change.monthly:+,.2f} |")
    return [*lines, "", "</details>"]


def _sure(bill: object) -> str:
    assert isinstance(bill, dict)  # noqa: S101 - as `Difference` has it
    return (
        f"List prices of {bill['prices_from']} to {bill['prices_to']}; {bill['on_grade_a']:.0%} of the bill or more is "
        "on AWS's own figures."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
