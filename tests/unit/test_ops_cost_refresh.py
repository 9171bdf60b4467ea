"""`milvus-ops cost --refresh`: AWS's Price List answers become the table, all of it or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.cost import assembly
from ops.cost.prices import SCHEMA, TABLE, UNITS, Prices
from ops.cost.queries import BROKER, QUERIES, Query
from ops.cost.refresh import endpoint_region, refresh, written
from ops.errors import OpsError

DAY = date(2026, 11, 23)

Product = dict[str, Any]

# What stands before a usage type in each region, as AWS's bills have it.
PREFIXES = {"us-east-1": "", "us-east-2": "USE2-", "eu-west-1": "EU-", "ap-southeast-1": "APS1-"}


def product(
    service: str, usage_type: str, unit: str, *tiers: str, reserved: str | None = None, **attributes: str
) -> Product:
    """A product in the format aws_v1, with a price for each tier."""
    sku = f"{service}-{usage_type}-{attributes.get('productFamily', '')}-{attributes.get('regionCode', '')}"

    def term(prices: tuple[str, ...], **more: Any) -> dict[str, Any]:
        dimensions = {
            f"{sku}.{index}": {"unit": unit, "beginRange": str(index * 10), "pricePerUnit": {"USD": amount}}
            for index, amount in enumerate(prices)
        }
        return {"priceDimensions": dimensions, "effectiveDate": "2026-11-01T00:00:00Z", **more}

    terms: dict[str, Any] = {"OnDemand": {f"{sku}.JRTCKXETXF": term(tiers)}}
    if reserved is not None:
        wanted = {"LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "No Upfront"}
        terms["Reserved"] = {
            "one": term((reserved,), termAttributes=wanted),
            "three": term(("0.01",), termAttributes={**wanted, "LeaseContractLength": "3yr"}),
        }
    return {
        "serviceCode": service,
        "product": {
            "productFamily": attributes.pop("productFamily", ""),
            "attributes": {"usagetype": usage_type, **attributes},
        },
        "terms": terms,
    }


def answers(region: str) -> list[Product]:
    """One product for each figure of a region, and instances and brokers of two sizes."""
    prefix = PREFIXES[region]
    found = []
    for query in QUERIES.values():
        # The price in AWS's unit that is 0.05 in ours, at the first tier that is not free.
        price = f"{0.05 / query.times:.10f}"
        unit = {"hrs": "Hrs", "gb-mo": "GB-Mo", "lcu-hrs": "LCU-Hrs"}.get(query.units[0], query.units[0])
        found.append(
            product(
                query.service_code,
                prefix + query.usage_type,
                unit,
                "0.0000000000",
                price,
                "0.0001",
                **{query.region_attribute: region, **query.filters},
            )
        )
    for size, price, reserved in (("large", "0.0816000000", "0.054"), ("4xlarge", "0.6528000000", "0.43200")):
        found.append(
            product(
                "AmazonEC2",
                f"{prefix}BoxUsage:m7g.{size}",
                "Hrs",
                price,
                reserved=reserved,
                regionCode=region,
                productFamily="Compute Instance",
                instanceType=f"m7g.{size}",
                operatingSystem="Linux",
                tenancy="Shared",
                preInstalledSw="NA",
                capacitystatus="Used",
                licenseModel="No License required",
            )
        )
    for size, price in (("large", "0.21"), ("8xlarge", "3.36"), ("16xlarge", "6.73")):
        found.append(product("AmazonMSK", f"{prefix}Kafka.m5.{size}", "hours", price, regionCode=region))
    return found


class PriceList:
    """AWS's API: checks the parameters as boto3 does, filters, and answers two products a page."""

    def __init__(self, products: list[Product], error: Exception | None = None) -> None:
        self._products = products
        self._error = error
        model = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x").meta
        self._shape = model.service_model.operation_model("GetProducts").input_shape

    def get_products(self, **arguments: Any) -> dict[str, Any]:
        report = ParamValidator().validate(arguments, self._shape)
        assert not report.has_errors(), report.generate_report()
        if self._error:
            raise self._error
        found = [each for each in self._products if self._fits(each, arguments)]
        start = int(arguments.get("NextToken", "0"))
        page = {"PriceList": [json.dumps(each) for each in found[start : start + 2]]}
        return page if start + 2 >= len(found) else {**page, "NextToken": str(start + 2)}

    @staticmethod
    def _fits(each: Product, arguments: dict[str, Any]) -> bool:
        values = {**each["product"]["attributes"], "productFamily": each["product"]["productFamily"]}
        return each["serviceCode"] == arguments["ServiceCode"] and all(
            wanted["Value"] in values.get(wanted["Field"], "")
            if wanted["Type"] == "CONTAINS"
            else values.get(wanted["Field"]) == wanted["Value"]
            for wanted in arguments["Filters"]
        )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(TABLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("region", PREFIXES)
def test_region_gets_every_figure_whatever_stands_before_its_usage_types(table: Path, region: str) -> None:
    # WHEN a region's prices are fetched
    done = refresh(PriceList(answers(region)), [region], table=table, day=DAY)

    # THEN every single item, the family and the broker that is not proportional are there, in our units
    prices = Prices.load(table)
    assert done == {region: len(UNITS) + 1 + 1 + 2}
    for service, item in UNITS:
        price = prices.of(region, service, item)
        assert price.amount == pytest.approx(0.05, rel=1e-3), (service, item)
        assert (price.grade, price.date) == ("A", DAY)
        assert price.note == PREFIXES[region] + QUERIES[service, item].usage_type
    assert prices.instance(region, "m7g.2xlarge").amount == 0.3264
    assert prices.instance(region, "m7g.large", "1-year").amount == 0.054
    assert prices.broker(region, "kafka.m5.16xlarge").amount == 6.73
    assert prices.broker(region, "kafka.m5.8xlarge").amount == 3.36
    assert prices.broker(region, "kafka.m5.large").amount == 0.21
    assert prices.instance(region, "m7g.large").mark == ""


def test_other_regions_keep_their_prices_and_unused_sources_go(table: Path) -> None:
    before = json.loads(table.read_text(encoding="utf-8"))

    refresh(PriceList(answers("us-east-2")), ["us-east-2"], table=table, day=DAY)

    after = json.loads(table.read_text(encoding="utf-8"))
    assert {**after["prices"], "us-east-2": 0} == {**before["prices"], "us-east-2": 0}
    assert set(after["sources"]) - set(before["sources"]) == {"price-list-api"}


def test_table_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new.json"

    refresh(PriceList(answers("us-east-1")), ["us-east-1"], table=path, day=DAY)

    assert Prices.load(path).regions == ("us-east-1",)
    assert [each.name for each in tmp_path.iterdir()] == ["new.json"]


def test_shipped_table_is_written_as_refresh_writes_it() -> None:
    text = TABLE.read_text(encoding="utf-8")

    assert written(json.loads(text)) == text
    assert json.loads(text)["schema"] == SCHEMA


def without_nat(products: list[Product]) -> list[Product]:
    return [each for each in products if "NatGateway-Hours" not in each["product"]["attributes"]["usagetype"]]


def nat_twice(products: list[Product]) -> list[Product]:
    (nat,) = [each for each in products if "NatGateway-Hours" in each["product"]["attributes"]["usagetype"]]
    other = copy.deepcopy(nat)
    for term in other["terms"]["OnDemand"].values():
        for tier in term["priceDimensions"].values():
            tier["pricePerUnit"]["USD"] = "0.0900000000"
    return [*products, other]


def nat_by_the_second(products: list[Product]) -> list[Product]:
    changed = copy.deepcopy(products)
    for each in changed:
        if "NatGateway-Hours" in each["product"]["attributes"]["usagetype"]:
            for term in each["terms"]["OnDemand"].values():
                for tier in term["priceDimensions"].values():
                    tier["unit"] = "Second"
    return changed


def without_instances(products: list[Product]) -> list[Product]:
    return [each for each in products if "BoxUsage" not in each["product"]["attributes"]["usagetype"]]


def without_brokers(products: list[Product]) -> list[Product]:
    return [each for each in products if "Kafka.m5" not in each["product"]["attributes"]["usagetype"]]


def broker_by_the_second(products: list[Product]) -> list[Product]:
    return [*products, product("AmazonMSK", "USE2-Kafka.m7g.large", "Second", "0.1", regionCode="us-east-2")]


def broker_twice(products: list[Product]) -> list[Product]:
    return [*products, product("AmazonMSK", "USE2-Kafka.m5.large", "hours", "0.3", regionCode="us-east-2")]


def nothing(_: list[Product]) -> list[Product]:
    return []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without_nat, "us-east-2 nat hour: no product with the usage type NatGateway-Hours"),
        (
            nat_twice,
            "us-east-2 nat hour: more than one price: USE2-NatGateway-Hours at 0.05, USE2-NatGateway-Hours at 0.09",
        ),
        (nat_by_the_second, "us-east-2 nat hour: in Second, not in hrs or hours or hour"),
        (without_instances, "us-east-2 ec2: no instance type that the settings know"),
        (without_brokers, "us-east-2 msk-broker: no broker type that the settings know"),
        (broker_by_the_second, "us-east-2 kafka.m7g.large: in Second, not in hrs or hours or hour"),
        (broker_twice, "us-east-2 kafka.m5.large: more than one price: 0.21 and 0.3"),
    ],
)
def test_answer_that_cannot_be_used_leaves_the_table_as_it_is(
    table: Path, change: Callable[[list[Product]], list[Product]], problem: str
) -> None:
    before = table.read_bytes()

    with pytest.raises(OpsError) as caught:
        refresh(PriceList(change(answers("us-east-2"))), ["us-east-2"], table=table, day=DAY)

    assert str(caught.value) == (
        f"the price table stays as it is: {problem}. "
        "Look them up on AWS's pages; if AWS has renamed one, correct ops/cost/queries.py"
    )
    assert table.read_bytes() == before


def test_empty_answer_names_every_figure_that_is_missing(table: Path) -> None:
    with pytest.raises(OpsError) as caught:
        refresh(PriceList([]), ["us-east-2"], table=table, day=DAY)

    assert str(caught.value).count("no product with the usage type") == sum(
        query.everywhere for query in QUERIES.values()
    )
    assert sorted(path.name for path in table.parent.iterdir()) == ["prices.json"]


def test_region_without_pipelines_gets_every_other_figure(table: Path) -> None:
    # GIVEN a region in which AWS sells neither builds nor pipelines
    there = [each for each in answers("eu-west-1") if not each["serviceCode"].endswith(("CodeBuild", "CodePipeline"))]

    # WHEN its prices are fetched
    refresh(PriceList(there), ["eu-west-1"], table=table, day=DAY)

    # THEN those alone have none
    prices = Prices.load(table)
    missing = {item for item in UNITS if prices.of("eu-west-1", *item).amount is None}
    assert missing == {
        ("codebuild", "medium-minute"),
        ("codebuild", "small-minute"),
        ("codepipeline", "action-minute"),
    }


def test_missing_permission_names_the_policy(table: Path) -> None:
    denied = ClientError(
        {
            "Error": {
                "Code": "AccessDeniedException",
                "Message": "User: x is not authorized to perform: pricing:GetProducts",
            }
        },
        "GetProducts",
    )

    with pytest.raises(OpsError) as caught:
        refresh(PriceList([], denied), ["us-east-2"], table=table, day=DAY)

    assert str(caught.value) == (
        "cannot read the Price List API (it takes pricing:GetProducts, see policies/cost.json): "
        "User: x is not authorized to perform: pricing:GetProducts. Use a role that may read it"
    )


@pytest.mark.parametrize(
    ("region", "asked"),
    [(None, "us-east-1"), ("us-west-2", "us-east-1"), ("eu-west-1", "eu-central-1"), ("ap-northeast-1", "ap-south-1")],
)
def test_api_is_asked_in_one_of_its_three_regions(region: str | None, asked: str) -> None:
    assert endpoint_region(region) == asked


@pytest.mark.parametrize(
    "usage_type", ["NatGateway-Hours", "USE1-NatGateway-Hours", "EU-NatGateway-Hours", "APS1-NatGateway-Hours"]
)
def test_usage_type_is_found_whatever_stands_before_it(usage_type: str) -> None:
    assert QUERIES["nat", "hour"].matches(usage_type)


@pytest.mark.parametrize("usage_type", ["NatGateway-Hours-Regional", "MyNatGateway-Hours", "USE2-NatGateway-Bytes"])
def test_usage_type_of_something_else_is_not_taken(usage_type: str) -> None:
    assert not QUERIES["nat", "hour"].matches(usage_type)
    assert not BROKER.fullmatch("USE2-Kafka.Storage.GP2")


def test_every_single_item_has_its_query() -> None:
    assert set(QUERIES) == set(UNITS)
    assert all(isinstance(query, Query) and query.units for query in QUERIES.values())


def test_command_writes_the_named_table(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def client(_: str, *, region: str | None = None, **__: Any) -> PriceList:
        asked.append(region)
        return PriceList(answers("eu-west-1"))

    monkeypatch.setattr(aws, "client", client)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    result = CliRunner().invoke(app, ["cost", "--refresh", "--region", "eu-west-1", "--prices", str(table)])

    assert result.exit_code == 0, result.output
    assert result.stdout == f"eu-west-1: {len(UNITS) + 4} figures\n"
    assert asked == ["eu-central-1"]
    assert Prices.load(table).of("eu-west-1", "nat", "hour").grade == "A"


def test_region_that_is_none_is_refused(table: Path) -> None:
    result = CliRunner().invoke(app, ["cost", "--refresh", "--region", "ohio", "--prices", str(table)])

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error --region: got 'ohio', allowed is a region of AWS",
        "   do Correct it",
    ]


def test_installed_program_needs_a_file_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.cost.refresh.checkout", lambda: None)
    assert assembly.checkout() is not None

    result = CliRunner().invoke(app, ["cost", "--refresh"])

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error --refresh: got it where there is no checkout, whose table it would write, "
        "allowed is --refresh --prices FILE",
        "   do Name a file, and give it to later calls by --prices",
    ]
