"""Instance types with what they cost an hour in a region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ops.cost.prices import Price, Prices, Term
from ops.errors import ExitCode, OpsError
from settings.instances import INSTANCE_TYPES, InstanceType

HOURS = 730
"""Hours of a month, as AWS's calculator counts them."""

_FAMILY = re.compile(r"[cmr](\d)[a-z]*")


@dataclass(frozen=True)
class Priced:
    """An instance type, its price, and that of its root volume."""

    kind: InstanceType
    price: Price
    hourly: float
    """USD of the instance alone."""
    gib_month: float
    """USD of a GiB of gp3 for a month."""

    def with_volume(self, disk_gib: int) -> float:
        """Return USD an hour of a node with a root volume of this size."""
        return self.hourly + disk_gib * self.gib_month / HOURS


def priced_types(
    prices: Prices,
    region: str,
    *,
    term: Term,
    generation: int,
    types: Mapping[str, InstanceType] = INSTANCE_TYPES,
) -> list[Priced]:
    """Return the types for general, compute and memory use that have a price in a region.

    Raises:
        OpsError: None has.
    """
    volume = prices.of(region, "ebs", "gp3-storage").amount or 0
    found = []
    for kind in types.values():
        family = _FAMILY.fullmatch(kind.name.split(".")[0])
        if family is None or int(family[1]) < generation:
            continue
        price = prices.instance(region, kind.name, term)
        if price.amount is not None:
            found.append(Priced(kind, price, price.amount, volume))
    if not found:
        raise OpsError(
            f"no instance type of generation {generation} or newer has a price in {region} ({term})",
            remedy="Give a lower --generation, another --term or another --region",
            code=ExitCode.USAGE,
        )
    return found
