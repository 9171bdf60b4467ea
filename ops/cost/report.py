"""The bills that a command asks for: of an assembly, or of an environment that it synthesizes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from ops.cost.assembly import deployments, synthesized
from ops.cost.assumptions import Assumptions
from ops.cost.bill import Bill, make_bill
from ops.cost.difference import read_bills
from ops.cost.prices import TABLE, Prices, Term
from ops.errors import ExitCode, OpsError
from settings import SettingsError
from settings.loader import current_day
from settings.selection import DEFAULT_ENVIRONMENT


@dataclass(frozen=True)
class Source:
    """Prices, assumptions, the day by which prices are old, and how nodes are bought."""

    prices: Prices
    assumptions: Assumptions
    day: date
    term: Term

    @classmethod
    def load(cls, *, prices: Path | None = None, assumptions: Path | None = None, term: Term) -> Self:
        """Return them as files have them, or as they are shipped.

        Raises:
            OpsError: A file is damaged, or ``MILVUS_TODAY`` is no day.
        """
        try:
            day = current_day()
        except SettingsError as error:
            raise OpsError(str(error), remedy="", code=ExitCode.USAGE) from error
        return cls(Prices.load(prices or TABLE), Assumptions.load(assumptions), day, term)

    def bills(self, assembly: Path) -> list[Bill]:
        """Return the bill of each deployment of an assembly.

        Raises:
            OpsError: It is none, or its region has no prices.
        """
        return [
            make_bill(each, self.prices, self.assumptions, day=self.day, term=self.term)
            for each in deployments(assembly)
        ]


def bills_of(source: Source, *, environment: str | None = None, assembly: Path | None = None) -> list[Bill]:
    """Return the bills of an assembly, or of an environment of the checkout.

    Raises:
        OpsError: There is neither, or something is wrong with them.
    """
    if assembly is not None:
        return source.bills(assembly)
    with synthesized(environment or DEFAULT_ENVIRONMENT) as folder:
        return source.bills(folder)


def read_base(source: Source, base: str) -> list[dict[str, Any]]:
    """Return the bills that a change is compared with: those of a JSON file, or of an environment.

    Raises:
        OpsError: It is neither.
    """
    path = Path(base)
    if path.suffix == ".json" or path.is_file():
        return read_bills(path)
    return [bill.as_dict() for bill in bills_of(source, environment=base)]
