"""One line of a bill: so much of something, at a price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ops.cost.prices import Price

HOURS = 730
"""Hours of a month, as AWS's calculator counts them."""

# What one unit of a price is, of the quantity that a line has.
_FACTORS = {
    "hour": HOURS,
    "LCU-hour": HOURS,
    "NLCU-hour": HOURS,
    "endpoint-zone-hour": HOURS,
    "1000 requests": 1 / 1000,
    "10000 requests": 1 / 10_000,
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """So much of something, each month."""

    service: str
    component: str
    """What it serves; ``nodes of NAME`` is divided among the pods that run there."""
    what: str
    quantity: float
    """Of what is billed by the hour: how many run all month. Else units or requests a month."""
    price: Price
    by_use: bool = False
    most: float | None = None
    """The quantity at the upper end, where nobody knows better than a range."""
    note: str = ""

    @property
    def monthly(self) -> float | None:
        """Return USD a month, to the cent; None without a price."""
        return self._cost(self.quantity)

    @property
    def monthly_at_most(self) -> float | None:
        """Return USD a month at the upper end of a range; else as `monthly`."""
        return self._cost(self.quantity if self.most is None else self.most)

    @property
    def mark(self) -> str:
        """Return what has to be said beside the figure."""
        return "; ".join(text for text in (self.price.mark, self.note) if text)

    def _cost(self, quantity: float) -> float | None:
        if self.price.amount is None:
            return None
        return round(quantity * _FACTORS.get(self.price.unit, 1) * self.price.amount + 1e-9, 2)


def merged(lines: Iterable[Line]) -> list[Line]:
    """Return the lines with those of the same thing in one, in the order in which they first appear."""
    found: dict[Line, float] = {}
    for line in lines:
        key = replace(line, quantity=0)
        found[key] = found.get(key, 0) + line.quantity
    return [replace(line, quantity=quantity) for line, quantity in found.items()]
