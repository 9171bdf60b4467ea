"""The embedded price table: figures with grade, day and source, and one price for each family of instances."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from _paths import ROOT
from ops.cost.prices import SCHEMA, TABLE, UNITS, Price, Prices, larges, of_size
from ops.errors import ExitCode, OpsError
from settings.instances import BROKER_TYPES, INSTANCE_TYPES

HOURS = ROOT / "tests" / "fixtures" / "prices" / "hours.csv"
"""Every size of the families and brokers of the table, by region, as AWS's own files have them."""

PRICES = Prices.load()


def recorded() -> list[tuple[str, str, float]]:
    with HOURS.open(encoding="utf-8", newline="") as file:
        return [
            (region, row["type"], float(row[region]))
            for row in csv.DictReader(file)
            for region in row
            if region != "type" and row[region]
        ]


def table(**changes: Any) -> dict[str, Any]:
    return {**json.loads(TABLE.read_text(encoding="utf-8")), **changes}


def test_one_price_of_a_family_gives_the_price_of_each_of_its_sizes() -> None:
    # GIVEN what AWS's files say of each size, 1,331 figures
    figures = recorded()
    assert len(figures) > 1300

    # WHEN the table is asked
    differing = {
        (region, name): (known, found)
        for region, name, known in figures
        if (found := (PRICES.broker if name.startswith("kafka") else PRICES.instance)(region, name).amount) != known
    }

    # THEN every figure is the same
    assert differing == {}


def test_few_types_need_a_price_of_their_own() -> None:
    own = [
        name
        for services in table()["prices"].values()
        for name in (*services["ec2"], *services["msk-broker"])
        if re.search(r"\.\d*x?large$", name)
    ]

    assert len(own) <= 21


@pytest.mark.parametrize(
    ("size", "price"),
    [("large", "0.172"), ("xlarge", "0.343"), ("8xlarge", "2.746"), ("medium", "0.086"), ("small", "0.043")],
)
def test_size_is_proportional_and_rounded_as_aws_rounds(size: str, price: str) -> None:
    assert of_size(Decimal("5.491"), larges(size)) == Decimal(price)


def test_types_that_the_settings_know_have_a_price_but_for_those_without_a_source() -> None:
    missing = {
        (region, name.split(".")[0])
        for region in ("us-east-1", "us-east-2", "us-west-2")
        for name in INSTANCE_TYPES
        if PRICES.instance(region, name).amount is None
    }

    # AWS offered it there later than the day of the source.
    assert missing == {("us-east-2", "i8g")}
    for region in PRICES.regions:
        assert [name for name in BROKER_TYPES if PRICES.broker(region, name).amount is None] == []


def test_price_says_its_unit_grade_day_and_source() -> None:
    assert PRICES.instance("us-east-2", "m7g.xlarge") == Price(
        amount=0.1632,
        unit="hour",
        grade="A",
        date=date(2025, 4, 4),
        source="price files of AWS as https://github.com/yeo/ec2.shop keeps them (EC2)",
    )
    assert PRICES.instance("us-east-2", "m7g.2xlarge", "1-year").amount == 0.2159
    assert PRICES.of("us-east-2", "eks", "cluster-standard-support").grade == "B"


def test_inferred_and_missing_prices_are_marked() -> None:
    carried = PRICES.of("us-east-2", "nat", "hour")
    unsure = PRICES.of("eu-west-1", "elb", "nlb-nlcu")
    unknown = PRICES.of("eu-central-1", "cloudwatch", "logs-storage")

    assert (carried.grade, carried.mark) == ("C", "grade C: price of us-east-1, taken over")
    assert (unsure.amount, unsure.grade, unsure.mark) == (0.006, "none", "no verified source")
    assert (unknown.amount, unknown.unit, unknown.mark) == (None, "GB-month", "no price")
    assert PRICES.of("us-east-1", "nat", "hour").mark == ""


@pytest.mark.parametrize("name", ["m7g.metal", "zz9.large", "m7g"])
def test_type_of_which_nothing_is_known_has_no_price(name: str) -> None:
    assert PRICES.instance("us-east-2", name) == Price(None, "hour", "none", None, "")


def test_every_region_has_every_single_item_or_says_so() -> None:
    missing = {
        (region, *item) for region in PRICES.regions for item in UNITS if PRICES.of(region, *item).amount is None
    }

    assert missing == {
        ("ap-northeast-1", "cloudwatch", "logs-storage"),
        ("eu-central-1", "cloudwatch", "logs-storage"),
    }


def test_region_without_prices_is_an_error_that_says_how_to_get_them() -> None:
    with pytest.raises(OpsError) as caught:
        PRICES.instance("sa-east-1", "m7g.large")

    assert str(caught.value) == (
        "region: got 'sa-east-1', of which the price table has nothing, allowed is ap-northeast-1, ap-southeast-1, "
        "eu-central-1, eu-west-1, us-east-1, us-east-2, us-west-2. "
        "Fetch its prices with `milvus-ops cost --refresh --region sa-east-1`"
    )
    assert caught.value.code == ExitCode.USAGE


def test_table_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(table(schema=SCHEMA + 1)), encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        Prices.load(path)

    assert str(caught.value) == (
        f"price table {path}: got schema 2, allowed is 1. "
        "Install the milvus-ops that wrote it, or write it anew with `milvus-ops cost --refresh`"
    )
    assert caught.value.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "Input should be a valid dictionary or instance of _Table"),
        (table(schema=0), "schema: Input should be 1"),
        (table(currency="CNY"), "currency: Input should be 'USD'"),
        (
            table(prices={"us-east-2": {"nat": {"hour": ["0", "A", "karpenter", "2026-07-20"]}}}),
            "prices us-east-2 nat hour 0: Input should be greater than 0",
        ),
        (
            table(prices={"us-east-2": {"nat": {"hour": ["0.045", "D", "karpenter", "2026-07-20"]}}}),
            "prices us-east-2 nat hour 1: Input should be 'A', 'B', 'C' or 'none'",
        ),
        (
            table(prices={"us-east-2": {"nat": {"minute": ["1", "A", "karpenter", "2026-07-20"]}}}),
            "Value error, us-east-2 nat minute: unknown item",
        ),
        (
            table(prices={"us-east-2": {"nat": {"hour": ["1", "A", "rumour", "2026-07-20"]}}}),
            "Value error, us-east-2 nat hour: unknown source 'rumour'",
        ),
    ],
)
def test_damaged_table_is_refused_with_the_place(tmp_path: Path, content: Any, reason: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        Prices.load(path)

    assert str(caught.value) == (
        f"price table: got {path} ({reason}), allowed is JSON of schema 1. "
        "Write it anew with `milvus-ops cost --refresh`"
    )


def test_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        OpsError, match=r"^price table: got .*none\.json \(No such file or directory\), allowed is JSON"
    ):
        Prices.load(tmp_path / "none.json")


def test_units_are_those_by_which_aws_sells() -> None:
    # THEN what is kept is by the month, what is used by its measure: https://aws.amazon.com/pricing/
    assert {item for item, unit in UNITS.items() if unit == "month"} == {
        ("cloudwatch", "alarm"),
        ("cloudwatch", "metric-first-10000"),
        ("kms", "key"),
        ("secretsmanager", "secret"),
    }
    assert set(UNITS.values()) == {
        *("month", "GB", "GB-month", "minutes", "hour", "IOPS-month", "MiBps-month", "LCU-hour", "NLCU-hour"),
        *("10000 requests", "1000 requests", "endpoint-zone-hour"),
    }
