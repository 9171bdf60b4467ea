"""The embedded price table: what AWS asks on its list, with the grade, source and day of each figure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ops.errors import ExitCode, OpsError, one_line, usage_error

TABLE = Path(__file__).with_name("prices.json")
SCHEMA = 1
STALE_DAYS = 90
"""Older prices are shown with a warning."""

Grade = Literal["A", "B", "C", "none"]
"""A: AWS's own file, or made of its API. B: a dated record of a query or a bill. C: inferred, or of another region."""
Term = Literal["on-demand", "1-year"]
"""``1-year``: a standard reserved instance without a payment upfront."""

UNITS: dict[tuple[str, str], str] = {
    ("cloudwatch", "alarm"): "month",
    ("cloudwatch", "logs-ingest"): "GB",
    ("cloudwatch", "logs-storage"): "GB-month",
    ("cloudwatch", "metric-first-10000"): "month",
    ("codebuild", "medium-minute"): "minutes",
    ("codebuild", "small-minute"): "minutes",
    ("codepipeline", "action-minute"): "minutes",
    ("ebs", "gp3-iops-over-3000"): "IOPS-month",
    ("ebs", "gp3-storage"): "GB-month",
    ("ebs", "gp3-throughput-over-125"): "MiBps-month",
    ("eks", "cluster-extended-support"): "hour",
    ("eks", "cluster-standard-support"): "hour",
    ("elb", "alb-hour"): "hour",
    ("elb", "alb-lcu"): "LCU-hour",
    ("elb", "nlb-hour"): "hour",
    ("elb", "nlb-nlcu"): "NLCU-hour",
    ("kms", "key"): "month",
    ("kms", "requests"): "10000 requests",
    ("msk-storage", "gp2"): "GB-month",
    ("nat", "hour"): "hour",
    ("nat", "processed"): "GB",
    ("s3", "get"): "1000 requests",
    ("s3", "put"): "1000 requests",
    ("s3", "standard-first-50TB"): "GB-month",
    ("secretsmanager", "requests"): "10000 requests",
    ("secretsmanager", "secret"): "month",
    ("transfer", "between-zones-each-direction"): "GB",
    ("vpc", "interface-endpoint"): "endpoint-zone-hour",
    ("vpc", "interface-endpoint-processed"): "GB",
    ("vpc", "public-ipv4"): "hour",
}
"""The unit of each single item; what is sold by type (``ec2``, ``ec2-1-year``, ``msk-broker``) is by the hour."""

BY_TYPE = ("ec2", "ec2-1-year", "msk-broker")
_LARGES = {"small": Decimal("0.25"), "medium": Decimal("0.5"), "large": Decimal(1), "xlarge": Decimal(2)}
_SIXTEEN_XLARGE = 32


@dataclass(frozen=True)
class Price:
    """What one unit costs in USD; ``amount`` is None where nobody knows."""

    amount: float | None
    unit: str
    grade: Grade
    date: date | None
    source: str
    note: str = ""

    @property
    def mark(self) -> str:
        """Return what has to be said beside the figure: nothing for one of grade A or B."""
        if self.amount is None:
            return "no price"
        reason = f": {self.note}" if self.note else ""
        return {"C": f"grade C{reason}", "none": "no verified source"}.get(self.grade, "")


class _Entry(NamedTuple):
    """A figure as it stands in the file; of a family, it is the price of its ``16xlarge``."""

    amount: Annotated[Decimal, Field(gt=0)]
    grade: Grade
    source: str | None
    day: date | None
    note: str = ""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = Field(alias="schema")
    currency: Literal["USD"]
    sources: dict[str, str]
    prices: dict[str, dict[str, dict[str, _Entry]]]
    """By region, service and item."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for region, services in self.prices.items():
            for service, items in services.items():
                for item, entry in items.items():
                    if service not in BY_TYPE and (service, item) not in UNITS:
                        raise ValueError(f"{region} {service} {item}: unknown item")
                    if entry.source is not None and entry.source not in self.sources:
                        raise ValueError(f"{region} {service} {item}: unknown source '{entry.source}'")
        return self


def larges(size: str) -> Decimal:
    """Return how many times a ``large`` a size is: prices of a family are proportional to it.

    Raises:
        ValueError: It is a size of another kind, such as ``metal``.
    """
    if known := _LARGES.get(size):
        return known
    if times := re.fullmatch(r"(\d+)xlarge", size):
        return 2 * Decimal(times[1])
    raise ValueError(size)


def of_size(sixteen_xlarge: Decimal, times: Decimal) -> Decimal:
    """Return the price of a type that is so many times a ``large``, rounded as AWS rounds those of its family."""
    return (sixteen_xlarge * times / _SIXTEEN_XLARGE).quantize(sixteen_xlarge, ROUND_HALF_UP)


class Prices:
    """List prices by region.

    Families of instances have one price each, of their ``16xlarge``, with as many digits as AWS rounds to. A type whose
    price is not proportional has an entry of its own.
    """

    def __init__(self, table: _Table) -> None:
        self._table = table

    @classmethod
    def load(cls, path: Path = TABLE) -> Prices:
        """Return the prices of a file, the embedded ones by default.

        Raises:
            OpsError: The file cannot be read, is damaged, or was written by a newer version of this program.
        """
        try:
            return cls.parse(json.loads(path.read_text(encoding="utf-8")), source=str(path))
        except OSError as error:
            raise _damaged(str(path), error.strerror or str(error)) from error
        except ValueError as error:
            raise _damaged(str(path), f"no JSON: {error}") from error

    @classmethod
    def parse(cls, data: object, *, source: str) -> Prices:
        """Return the prices of a table as it stands in its file.

        Raises:
            OpsError: It is damaged, or was written by a newer version of this program.
        """
        schema = data.get("schema") if isinstance(data, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise OpsError(
                f"price table {source}: got schema {schema}, allowed is {SCHEMA}",
                remedy="Install the milvus-ops that wrote it, or write it anew with `milvus-ops cost --refresh`",
                code=ExitCode.USAGE,
            )
        try:
            return cls(_Table.model_validate(data))
        except ValidationError as error:
            first = error.errors()[0]
            place = " ".join(str(each) for each in first["loc"])
            raise _damaged(source, one_line(f"{place}: {first['msg']}" if place else first["msg"])) from error

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions that have prices."""
        return tuple(sorted(self._table.prices))

    def of(self, region: str, service: str, item: str) -> Price:
        """Return the price of a single item of a service, such as ``nat`` and ``hour``.

        Raises:
            OpsError: The table knows nothing of the region.
        """
        return self._price(self._region(region).get(service, {}).get(item), UNITS[service, item])

    def instance(self, region: str, instance_type: str, term: Term = "on-demand") -> Price:
        """Return the price of an hour of an EC2 instance with Linux, such as ``m7g.xlarge``.

        Raises:
            OpsError: The table knows nothing of the region.
        """
        return self._by_type(region, "ec2" if term == "on-demand" else f"ec2-{term}", instance_type)

    def broker(self, region: str, broker_type: str) -> Price:
        """Return the price of an hour of an MSK broker, such as ``kafka.m7g.large``.

        Raises:
            OpsError: The table knows nothing of the region.
        """
        return self._by_type(region, "msk-broker", broker_type)

    def _by_type(self, region: str, service: str, name: str) -> Price:
        known = self._region(region).get(service, {})
        family, _, size = name.rpartition(".")
        try:
            times = larges(size)
        except ValueError:
            return self._price(None, "hour")
        entry = known.get(name)
        if entry is None and family in known:
            entry = known[family]._replace(amount=of_size(known[family].amount, times))
        return self._price(entry, "hour")

    def _price(self, entry: _Entry | None, unit: str) -> Price:
        if entry is None:
            return Price(None, unit, "none", None, "")
        source = self._table.sources[entry.source] if entry.source else ""
        return Price(float(entry.amount), unit, entry.grade, entry.day, source, entry.note)

    def _region(self, region: str) -> dict[str, dict[str, _Entry]]:
        if region not in self._table.prices:
            raise usage_error(
                setting="region",
                value=f"'{region}', of which the price table has nothing",
                allowed=", ".join(self.regions),
                remedy=f"Fetch its prices with `milvus-ops cost --refresh --region {region}`",
            )
        return self._table.prices[region]


def _damaged(source: str, reason: str) -> OpsError:
    return usage_error(
        setting="price table",
        value=f"{source} ({reason})",
        allowed=f"JSON of schema {SCHEMA}",
        remedy="Write it anew with `milvus-ops cost --refresh`",
    )
