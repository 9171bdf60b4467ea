"""Fetches today's list prices from AWS's Price List API, and writes the table anew: all of it, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops import aws
from ops.console import working
from ops.cost.assembly import checkout
from ops.cost.prices import SCHEMA, TABLE, Prices, larges, of_size
from ops.cost.queries import BROKER, EC2_FILTERS, HOURS, PERMISSIONS, QUERIES, RESERVED, Query
from ops.errors import OpsError, usage_error
from settings.instances import BROKER_TYPES, INSTANCE_TYPES
from settings.regions import partitions

SOURCE = "price-list-api"
_SAYS = "AWS's Price List API (https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html)"
_Entry = list[str]


def endpoint_region(region: str | None) -> str:
    """Return which of the API's three regions to ask: the one on the continent of a region."""
    return {"eu": "eu-central-1", "ap": "ap-south-1"}.get(str(region).split("-")[0], "us-east-1")


def refresh(client: aws.AwsClient, regions: Sequence[str], *, table: Path, day: date) -> dict[str, int]:
    """Write the prices of regions into a table; other regions keep theirs. Return the figures of each region.

    Raises:
        OpsError: AWS lets nobody read, or a figure is missing, ambiguous or in another unit: nothing is written.
    """
    problems: list[str] = []
    fetched = {}
    with aws.reading(f"the Price List API (it takes {', '.join(PERMISSIONS)}, see policies/cost.json)"):
        for region in regions:
            fetched[region] = _Region(client, region, day, problems).prices()
    if problems:
        raise OpsError(
            f"the price table stays as it is: {'; '.join(problems)}",
            remedy="Look them up on AWS's pages; if AWS has renamed one, correct ops/cost/queries.py",
        )
    data = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else _empty()
    data["sources"][SOURCE] = _SAYS
    data["prices"] = dict(sorted({**data["prices"], **fetched}.items()))
    used = {entry[2] for region in data["prices"].values() for items in region.values() for entry in items.values()}
    data["sources"] = {key: text for key, text in sorted(data["sources"].items()) if key in used}
    Prices.parse(data, source=str(table))
    # Beside it, then in its place: whoever stops it halfway has the old table.
    beside = table.with_suffix(".new")
    beside.write_text(written(data), encoding="utf-8")
    beside.replace(table)
    return {region: sum(len(items) for items in services.values()) for region, services in fetched.items()}


def refresh_table(path: Path | None, regions: list[str]) -> dict[str, int]:
    """Write a price table anew, that of the checkout if none is named; return the figures of each region.

    Raises:
        OpsError: There is no table to write, a region does not exist, or AWS's answer cannot be used.
    """
    if path is None and checkout() is None:
        raise usage_error(
            setting="--refresh",
            value="it where there is no checkout, whose table it would write",
            allowed="--refresh --prices FILE",
            remedy="Name a file, and give it to later calls by --prices",
        )
    for name in regions:
        if name not in partitions():
            raise usage_error(setting="--region", value=f"'{name}'", allowed="a region of AWS", remedy="Correct it")
    table = path or TABLE
    wanted = regions or (Prices.load(table).regions if table.is_file() else Prices.load().regions)
    here = aws.session(role=None, account=None, region=None)
    client = aws.client("pricing", region=endpoint_region(here.region_name), session=here)
    with working("asking AWS for prices"):
        return refresh(client, wanted, table=table, day=datetime.now(tz=UTC).date())


def written(data: Mapping[str, Any]) -> str:
    """Return the table as its file has it: a figure on each line, so that a change is a line."""
    text = json.dumps({**data, "prices": {}}, indent=2).removesuffix('"prices": {}\n}')
    regions = []
    for region, services in data["prices"].items():
        blocks = []
        for service, items in services.items():
            lines = ",\n".join(f"        {json.dumps(item)}: {json.dumps(entry)}" for item, entry in items.items())
            blocks.append(f'      "{service}": {{\n{lines}\n      }}')
        regions.append(f'    "{region}": {{\n' + ",\n".join(blocks) + "\n    }")
    return text + '"prices": {\n' + ",\n".join(regions) + "\n  }\n}\n"


def _empty() -> dict[str, Any]:
    return {"schema": SCHEMA, "currency": "USD", "sources": {}, "prices": {}}


@dataclass(frozen=True)
class _Figure:
    usage_type: str
    unit: str
    amount: Decimal


class _Region:
    """The prices of one region; what is wrong with them is added to a list."""

    def __init__(self, client: aws.AwsClient, region: str, day: date, problems: list[str]) -> None:
        self._client = client
        self._region = region
        self._day = day
        self._problems = problems

    def prices(self) -> dict[str, dict[str, _Entry]]:
        found: dict[str, dict[str, _Entry]] = {}
        for (service, item), query in QUERIES.items():
            figure = self._single(f"{service} {item}", query)
            if figure is not None:
                amount = figure.amount * Decimal(query.times)
                found.setdefault(service, {})[item] = self._entry(amount.normalize(), figure.usage_type)
        found.update(self._instances())
        found["msk-broker"] = self._brokers()
        return dict(sorted(found.items()))

    def _entry(self, amount: Decimal, usage_type: str) -> _Entry:
        return [f"{amount:f}", "A", SOURCE, str(self._day), usage_type]

    def _single(self, name: str, query: Query) -> _Figure | None:
        at = f"{self._region} {name}"
        filters = {query.region_attribute: self._region, **query.filters}
        products = [
            each
            for each in self._products(query.service_code, filters, usage_type=query.usage_type)
            if query.matches(each["product"]["attributes"].get("usagetype", ""))
        ]
        figures = {figure for each in products for figure in _figures(each)}
        if not figures:
            if not query.everywhere:
                return None
            self._problems.append(f"{at}: no product with the usage type {query.usage_type}")
            return None
        wrong = sorted({figure.unit for figure in figures if figure.unit.lower() not in query.units})
        if wrong:
            self._problems.append(f"{at}: in {', '.join(wrong)}, not in {' or '.join(query.units)}")
            return None
        if len({figure.amount for figure in figures}) > 1:
            listed = ", ".join(sorted(f"{each.usage_type} at {each.amount.normalize():f}" for each in figures))
            self._problems.append(f"{at}: more than one price: {listed}")
            return None
        return min(figures, key=lambda each: each.usage_type)

    def _instances(self) -> Iterator[tuple[str, dict[str, _Entry]]]:
        demand: dict[str, _Figure] = {}
        reserved: dict[str, _Figure] = {}
        for each in self._products("AmazonEC2", {"regionCode": self._region, **EC2_FILTERS}):
            name = each["product"]["attributes"].get("instanceType", "")
            if name in INSTANCE_TYPES:
                self._take(demand, name, _figures(each))
                self._take(reserved, name, _figures(each, reserved=True))
        if not demand:
            self._problems.append(f"{self._region} ec2: no instance type that the settings know")
        yield "ec2", self._families(demand)
        yield "ec2-1-year", self._families(reserved)

    def _brokers(self) -> dict[str, _Entry]:
        found: dict[str, _Figure] = {}
        for each in self._products("AmazonMSK", {"regionCode": self._region}, usage_type="Kafka."):
            match = BROKER.fullmatch(each["product"]["attributes"].get("usagetype", ""))
            if match and f"kafka.{match['type']}" in BROKER_TYPES:
                self._take(found, f"kafka.{match['type']}", _figures(each))
        if not found:
            self._problems.append(f"{self._region} msk-broker: no broker type that the settings know")
        return self._families(found)

    def _take(self, found: dict[str, _Figure], name: str, figures: Iterable[_Figure]) -> None:
        for figure in figures:
            if figure.unit.lower() not in HOURS:
                self._problems.append(f"{self._region} {name}: in {figure.unit}, not in {' or '.join(HOURS)}")
            elif name in found and found[name].amount != figure.amount:
                both = f"{found[name].amount.normalize():f} and {figure.amount.normalize():f}"
                self._problems.append(f"{self._region} {name}: more than one price: {both}")
            else:
                found[name] = figure

    def _families(self, found: Mapping[str, _Figure]) -> dict[str, _Entry]:
        """Return one price for each family, and the types that it does not give to the last digit."""
        entries: dict[str, _Entry] = {}
        for family in sorted({name.rpartition(".")[0] for name in found}):
            sizes = {name.rpartition(".")[2]: each for name, each in found.items() if name.startswith(f"{family}.")}
            largest = max(sizes, key=larges)
            digits = Decimal(1).scaleb(min(_exponent(each.amount) for each in sizes.values()))
            whole = (sizes[largest].amount * larges("16xlarge") / larges(largest)).quantize(digits)
            entries[family] = self._entry(whole, sizes[largest].usage_type)
            for size, each in sizes.items():
                if of_size(whole, larges(size)) != each.amount:
                    entries[f"{family}.{size}"] = self._entry(each.amount.normalize(), each.usage_type)
        return entries

    def _products(
        self, service: str, filters: Mapping[str, str], *, usage_type: str | None = None
    ) -> Iterator[dict[str, Any]]:
        wanted = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()]
        if usage_type:
            # What stands before it in other regions is not known; without this filter, EC2 alone has 100 pages.
            wanted.append({"Type": "CONTAINS", "Field": "usagetype", "Value": usage_type})
        arguments: dict[str, Any] = {"ServiceCode": service, "Filters": wanted, "FormatVersion": "aws_v1"}
        while True:
            answer = self._client.get_products(**arguments)
            for text in answer.get("PriceList", []):
                yield json.loads(text)
            if not answer.get("NextToken"):
                return
            arguments["NextToken"] = answer["NextToken"]


def _figures(product: Mapping[str, Any], *, reserved: bool = False) -> Iterator[_Figure]:
    """Yield the prices of a product: of its first tier, in USD; what is free at first has its price in the next."""
    usage_type = product["product"]["attributes"].get("usagetype", "")
    for term in product.get("terms", {}).get("Reserved" if reserved else "OnDemand", {}).values():
        if reserved and any(term.get("termAttributes", {}).get(key) != value for key, value in RESERVED.items()):
            continue
        tiers = sorted(term["priceDimensions"].values(), key=lambda each: float(each.get("beginRange") or 0))
        for tier in tiers:
            amount = Decimal(tier["pricePerUnit"].get("USD", "0"))
            if amount > 0:
                yield _Figure(usage_type, tier["unit"], amount)
                break


def _exponent(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return min(int(exponent), 0)
