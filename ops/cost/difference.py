"""What a change costs: the bills of two states, compared line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cost.bill import SCHEMA, Bill
from ops.errors import one_line, usage_error

_Line = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A line that is new, gone, or costs something else."""

    service: str
    what: str
    before: _Line | None
    after: _Line | None

    @property
    def monthly(self) -> float:
        """Return what it adds, USD a month; a line without a price adds nothing that is known."""
        return round(_monthly(self.after) - _monthly(self.before), 2)

    @property
    def text_before(self) -> str:
        """Return quantity and cost as they were."""
        return _text(self.before, self.after)

    @property
    def text_after(self) -> str:
        """Return quantity and cost as they will be."""
        return _text(self.after, self.before)

    @property
    def mark(self) -> str:
        """Return what has to be said of the figure."""
        line = self.after or self.before or {}
        return "; ".join(text for text in ("by use" if line.get("by_use") else "", line.get("mark", "")) if text)


@dataclass(frozen=True)
class Difference:
    """One environment in two states; a state that is None is one without it."""

    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    changes: tuple[Change, ...]

    @property
    def monthly(self) -> float:
        """Return what the change adds, USD a month."""
        return round(_total(self.after) - _total(self.before), 2)

    @property
    def changed(self) -> bool:
        """Return whether anything is another now, also where the sum is the same."""
        return bool(self.changes) or (self.before is None) != (self.after is None)

    @property
    def headline(self) -> str:
        """Return the change and the new total."""
        if not self.changed:
            return f"{self.name}: no change, {_total(self.after):,.2f} USD a month"
        if self.before is None:
            return f"{self.name}: new, {_total(self.after):,.2f} USD a month"
        if self.after is None:
            return f"{self.name}: gone, {_total(self.before):,.2f} USD a month less"
        return f"{self.name}: {self.monthly:+,.2f} USD a month, now {_total(self.after):,.2f}"


def as_json(bills: Iterable[Bill], differences: Iterable[Difference] | None = None) -> dict[str, Any]:
    """Return bills as a file of them has it, with what is another than in the base where there is one."""
    data: dict[str, Any] = {"schema": SCHEMA, "bills": [bill.as_dict() for bill in bills]}
    return data if differences is None else {**data, "differences": _listed(differences)}


def read_bills(path: Path) -> list[dict[str, Any]]:
    """Return the bills of a file that ``--json`` wrote.

    Raises:
        OpsError: It cannot be read, is something else, or is of another schema.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise _unusable(path, one_line(f"no JSON: {error}")) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        schema = data.get("schema") if isinstance(data, dict) else None
        raise _unusable(path, f"schema {json.dumps(schema)}")
    bills = data.get("bills")
    if not isinstance(bills, list) or not all(_is_bill(each) for each in bills):
        raise _unusable(path, "no bills in it")
    return bills


def _listed(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return the environments that change, and what of them does."""
    return [
        {
            "name": each.name,
            "monthly": each.monthly,
            "total_before": each.before and each.before["total"],
            "total_after": each.after and each.after["total"],
            "lines": [
                {"service": change.service, "what": change.what, "monthly": change.monthly, "mark": change.mark}
                for change in each.changes
            ],
        }
        for each in differences
        if each.changed
    ]


def _is_bill(each: object) -> bool:
    lines = each.get("lines") if isinstance(each, dict) else None
    return (
        isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("total"), (int, float))
        and isinstance(lines, list)
        and all(
            isinstance(line, dict) and {"service", "what", "monthly", "price", "quantity"} <= set(line)
            for line in lines
        )
    )


def compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return the difference of each environment, by name, those that are the same among them.

    Two bills alone are compared whatever they are called: one environment against another.
    """
    old, new = {each["name"]: each for each in before}, {each["name"]: each for each in after}
    if len(before) == len(after) == 1 and set(old) != set(new):
        name = f"{before[0]['name']} -> {after[0]['name']}"
        return [Difference(name, before[0], after[0], tuple(_changes(before[0], after[0])))]
    return [
        Difference(name, old.get(name), new.get(name), tuple(_changes(old.get(name), new.get(name))))
        for name in dict.fromkeys([*new, *old])
    ]


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterable[Change]:
    if before is None or after is None:
        return
    old, new = _by_key(before), _by_key(after)
    found = [
        Change(service, what, old.get((service, what)), new.get((service, what)))
        for service, what in dict.fromkeys([*new, *old])
    ]
    differing = [each for each in found if _figures(each.before) != _figures(each.after)]
    yield from sorted(differing, key=lambda each: -abs(each.monthly))


def _by_key(bill: Mapping[str, Any]) -> dict[tuple[str, str], _Line]:
    return {(line["service"], line["what"]): line for line in bill["lines"]}


def _figures(line: _Line | None) -> tuple[Any, ...]:
    return () if line is None else (line["quantity"], line["price"], line["monthly"], line.get("monthly_at_most"))


def _monthly(line: _Line | None) -> float:
    return 0.0 if line is None else float(line["monthly"] or 0.0)


def _total(bill: Mapping[str, Any] | None) -> float:
    return 0.0 if bill is None else float(bill["total"])


def _text(line: _Line | None, other: _Line | None) -> str:
    if line is None:
        return "-"
    cost = "no price" if line["monthly"] is None else f"{line['monthly']:,.2f}"
    most = line.get("monthly_at_most")
    if most != line["monthly"] and most is not None:
        cost += f" to {most:,.2f}"
    each = f" at {line['price']}" if other is not None and line["price"] != other["price"] else ""
    # Requests are counted in millions, and nobody reads 1.5e+06.
    return f"{line['quantity']:,.12g}{each}: {cost}"


def _unusable(path: Path, reason: str) -> Exception:
    return usage_error(
        setting="--diff",
        value=f"'{path}' ({reason})",
        allowed=f"the name of an environment, or a file that `milvus-ops cost --json` wrote (schema {SCHEMA})",
        remedy="Write the file anew",
    )
