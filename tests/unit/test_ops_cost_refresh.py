"""`milvus-ops cost --refresh`: AWS's Price List answers become the table, all of it or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
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
from ops.cost import refresh as module
from ops.cost.prices import SCHEMA, TABLE, UNITS, Prices
from ops.cost.queries import BROKER, EC2_FILTERS, PERMISSIONS, QUERIES, RESERVED
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
    assert after["sources"]["price-list-api"] == (
        "AWS's Price List API (https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/"
        "API_pricing_GetProducts.html)"
    )
    assert list(after["sources"]) == sorted(after["sources"])
    assert list(after["prices"]) == sorted(after["prices"])


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


def changed_nat(change: Callable[[Product], object]) -> Callable[[list[Product]], list[Product]]:
    def changed(products: list[Product]) -> list[Product]:
        found = copy.deepcopy(products)
        for each in found:
            if "NatGateway-Hours" in each["product"]["attributes"]["usagetype"]:
                change(each)
        return found

    return changed


def in_yuan(product: Product) -> None:
    for term in product["terms"]["OnDemand"].values():
        for tier in term["priceDimensions"].values():
            tier["pricePerUnit"] = {"CNY": "1.0"}


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
        # AND a product without a price on demand, in USD, is none
        *(
            (changed_nat(change), "us-east-2 nat hour: no product with the usage type NatGateway-Hours")
            for change in (lambda each: each.pop("terms"), lambda each: each["terms"].clear(), in_yuan)
        ),
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


# Item, our unit, and where AWS has it: service, usage type, its units, how many of them are one of ours, and the
# family of products. A second copy of what ops/cost/queries.py says, so that nobody changes it by mistake.
PLACES = """
cloudwatch alarm | month | AmazonCloudWatch | CW:AlarmMonitorUsage | alarms | 1 | -
cloudwatch logs-ingest | GB | AmazonCloudWatch | DataProcessing-Bytes | gb | 1 | -
cloudwatch logs-storage | GB-month | AmazonCloudWatch | TimedStorage-ByteHrs | gb-mo | 1 | -
cloudwatch metric-first-10000 | month | AmazonCloudWatch | CW:MetricMonitorUsage | metrics | 1 | -
codebuild medium-minute | minutes | CodeBuild | Build-Min:Linux:g1.medium | minutes | 1 | -
codebuild small-minute | minutes | CodeBuild | Build-Min:Linux:g1.small | minutes | 1 | -
codepipeline action-minute | minutes | AWSCodePipeline | actionExecutionMinute | minutes | 1 | -
ebs gp3-iops-over-3000 | IOPS-month | AmazonEC2 | EBS:VolumeP-IOPS.gp3 | iops-mo | 1 | -
ebs gp3-storage | GB-month | AmazonEC2 | EBS:VolumeUsage.gp3 | gb-mo | 1 | -
ebs gp3-throughput-over-125 | MiBps-month | AmazonEC2 | EBS:VolumeP-Throughput.gp3 | gibps-mo | 1/1024 | -
eks cluster-extended-support | hour | AmazonEKS | AmazonEKS-Hours:extendedSupport | hours | 1 | -
eks cluster-standard-support | hour | AmazonEKS | AmazonEKS-Hours:perCluster | hours | 1 | -
elb alb-hour | hour | AWSELB | LoadBalancerUsage | hours | 1 | Load Balancer-Application
elb alb-lcu | LCU-hour | AWSELB | LCUUsage | lcu-hrs | 1 | Load Balancer-Application
elb nlb-hour | hour | AWSELB | LoadBalancerUsage | hours | 1 | Load Balancer-Network
elb nlb-nlcu | NLCU-hour | AWSELB | LCUUsage | lcu-hrs/nlcu-hrs | 1 | Load Balancer-Network
kms key | month | awskms | KMS-Keys | keys/months | 1 | -
kms requests | 10000 requests | awskms | KMS-Requests | requests | 10000 | -
msk-storage gp2 | GB-month | AmazonMSK | Kafka.Storage.GP2 | gb-mo | 1 | -
nat hour | hour | AmazonEC2 | NatGateway-Hours | hours | 1 | NAT Gateway
nat processed | GB | AmazonEC2 | NatGateway-Bytes | gb | 1 | NAT Gateway
s3 get | 1000 requests | AmazonS3 | Requests-Tier2 | requests | 1000 | -
s3 put | 1000 requests | AmazonS3 | Requests-Tier1 | requests | 1000 | -
s3 standard-first-50TB | GB-month | AmazonS3 | TimedStorage-ByteHrs | gb-mo | 1 | -
secretsmanager requests|10000 requests|AWSSecretsManager|AWSSecretsManagerAPIRequest|api requests/requests|10000|-
secretsmanager secret | month | AWSSecretsManager | AWSSecretsManager-Secrets | secrets | 1 | -
transfer between-zones-each-direction | GB | AWSDataTransfer | DataTransfer-Regional-Bytes | gb | 1 | -
vpc interface-endpoint | endpoint-zone-hour | AmazonVPC | VpcEndpoint-Hours | hours | 1 | -
vpc interface-endpoint-processed | GB | AmazonVPC | VpcEndpoint-Bytes | gb | 1 | -
vpc public-ipv4 | hour | AmazonVPC | PublicIPv4:InUseAddress | hours | 1 | -
"""


def test_figures_are_looked_for_where_aws_has_them() -> None:
    hours = {"hours": "hrs/hours/hour"}
    rows = [[each.strip() for each in row.split("|")] for row in PLACES.strip().splitlines()]

    wanted = {
        (*item.split(),): (unit, code, usage_type, hours.get(units, units), eval_times(times), family)
        for item, unit, code, usage_type, units, times, family in rows
    }

    assert {
        item: (
            UNITS[item],
            query.service_code,
            query.usage_type,
            "/".join(query.units),
            query.times,
            query.filters.get("productFamily", "-"),
        )
        for item, query in QUERIES.items()
    } == wanted
    # AND the region stands in the same attribute, but for traffic; pipelines alone are not sold everywhere
    assert {item: query.region_attribute for item, query in QUERIES.items()} == {
        item: "fromRegionCode" if item[0] == "transfer" else "regionCode" for item in QUERIES
    }
    assert {item[0] for item, query in QUERIES.items() if not query.everywhere} == {"codebuild", "codepipeline"}
    assert all(set(query.filters) <= {"productFamily"} for query in QUERIES.values())
    assert set(QUERIES) == set(UNITS)
    assert EC2_FILTERS == {
        "productFamily": "Compute Instance",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "licenseModel": "No License required",
    }
    assert RESERVED == {"LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "No Upfront"}
    assert PERMISSIONS == ("pricing:GetProducts",)


def eval_times(text: str) -> float:
    number, _, divisor = text.partition("/")
    return float(number) / float(divisor or 1)


@pytest.mark.parametrize(
    ("usage_type", "type_"),
    [
        ("USE2-Kafka.m7g.large", "m7g.large"),
        ("Kafka.t3.small", "t3.small"),
        ("EU-Kafka.m5.24xlarge", "m5.24xlarge"),
        ("USE2-Kafka.mcu.general", None),
        ("XKafka.m5.large", None),
    ],
)
def test_broker_is_known_by_its_usage_type(usage_type: str, type_: str | None) -> None:
    match = BROKER.fullmatch(usage_type)

    assert (match and match["type"]) == type_


def test_command_writes_the_named_table(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    def client(service: str, *, region: str | None = None, session: Any = None) -> PriceList:
        asked.append((service, region, session.region_name))
        return PriceList(answers("eu-west-1"))

    monkeypatch.setattr(aws, "client", client)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    result = CliRunner().invoke(app, ["cost", "--refresh", "--region", "eu-west-1", "--prices", str(table)])

    assert result.exit_code == 0, result.output
    assert result.stdout == f"eu-west-1: {len(UNITS) + 4} figures\n"
    assert asked == [("pricing", "eu-central-1", "eu-west-1")]
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


def test_refresh_asks_for_the_named_regions_else_for_those_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a table of one region, and a place without one
    one = tmp_path / "one.json"
    refresh(PriceList(answers("eu-west-1")), ["eu-west-1"], table=one, day=DAY)
    asked: list[tuple[list[str], Path]] = []

    def done(_: Any, regions: Any, *, table: Path, day: date) -> dict[str, int]:
        assert day == datetime.now(tz=UTC).date()
        asked.append((list(regions), table))
        return {}

    monkeypatch.setattr(module, "refresh", done)
    monkeypatch.setattr(aws, "client", lambda *_, **__: None)

    # WHEN they are written anew
    module.refresh_table(one, [])
    module.refresh_table(one, ["us-west-2"])
    module.refresh_table(tmp_path / "none.json", [])
    module.refresh_table(None, ["eu-west-1"])

    # THEN a table that is not there gets the regions of the one that is shipped
    assert asked == [
        (["eu-west-1"], one),
        (["us-west-2"], one),
        (list(Prices.load().regions), tmp_path / "none.json"),
        (["eu-west-1"], TABLE),
    ]


def test_table_that_is_damaged_is_named_and_stays(table: Path) -> None:
    data = json.loads(table.read_text(encoding="utf-8"))
    data["prices"]["us-west-2"]["nat"] = {"minute": ["1", "A", "price-list-api", "2026-01-01"]}
    table.write_text(json.dumps(data), encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        refresh(PriceList(answers("us-east-2")), ["us-east-2"], table=table, day=DAY)

    assert str(caught.value) == (
        f"price table: got {table} (Value error, us-west-2 nat minute: unknown item), allowed is JSON of schema 1. "
        "Write it anew with `milvus-ops cost --refresh`"
    )
    assert json.loads(table.read_text(encoding="utf-8")) == data


def broker_prices(**prices: str) -> dict[str, Any]:
    """The entries of the m5 brokers at these prices for their sizes."""
    given = [
        product("AmazonMSK", f"USE2-Kafka.m5.{size}", "hours", price, regionCode="us-east-2")
        for size, price in prices.items()
    ]
    others = [each for each in answers("us-east-2") if "Kafka.m5" not in each["product"]["attributes"]["usagetype"]]
    # What has no usage type, or is of another service, is passed over.
    nameless = product("AmazonMSK", "x", "hours", "1", regionCode="us-east-2")
    del nameless["product"]["attributes"]["usagetype"]
    problems: list[str] = []
    found = module._Region(PriceList([*others, *given, nameless]), "us-east-2", DAY, problems).prices()
    assert problems == []
    return {name: entry[0] for name, entry in found["msk-broker"].items()}


@pytest.mark.parametrize(
    ("prices", "entries"),
    [
        # proportional: one price, of the 16xlarge, with the digits of the figures
        ({"large": "0.21", "xlarge": "0.42"}, {"kafka.m5": "6.72"}),
        # whole dollars, also of ten
        ({"large": "10", "xlarge": "20"}, {"kafka.m5": "320"}),
        # half a unit of the last digit is rounded up: 0.45 is the 0.5 of AWS
        ({"large": "0.1", "4xlarge": "0.5", "8xlarge": "0.9"}, {"kafka.m5": "1.8"}),
        # and a size that costs something else has its own price
        ({"large": "0.25", "4xlarge": "1.70"}, {"kafka.m5": "6.80", "kafka.m5.large": "0.25"}),
    ],
)
def test_family_has_one_price_and_sizes_that_differ_their_own(prices: dict[str, str], entries: dict[str, str]) -> None:
    assert broker_prices(**prices) == entries


def test_product_without_a_usage_type_has_a_price_all_the_same() -> None:
    products = answers("us-east-2")
    for each in products:
        if "BoxUsage" in each["product"]["attributes"]["usagetype"]:
            del each["product"]["attributes"]["usagetype"]

    found = module._Region(PriceList(products), "us-east-2", DAY, []).prices()

    assert {name: entry[0] for name, entry in found["ec2"].items()} == {"m7g": "2.6112"}
    assert found["ec2"]["m7g"][1:] == ["A", "price-list-api", str(DAY), ""]


def test_file_of_prices_has_a_figure_on_each_line() -> None:
    data = {
        "schema": 1,
        "prices": {
            "a": {"x": {"i": ["1", "A"], "j": ["2", "B"]}, "y": {"k": ["3", "C"]}},
            "b": {"z": {"l": ["4", "A"]}},
        },
    }

    assert (
        written(data)
        == """\
{
  "schema": 1,
  "prices": {
    "a": {
      "x": {
        "i": ["1", "A"],
        "j": ["2", "B"]
      },
      "y": {
        "k": ["3", "C"]
      }
    },
    "b": {
      "z": {
        "l": ["4", "A"]
      }
    }
  }
}
"""
    )
