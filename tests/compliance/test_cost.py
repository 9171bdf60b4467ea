"""`milvus-ops cost` on what is synthesized: nothing is left unclassified, and every environment has its bill."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ops.cost.assembly import deployments
from ops.cost.assumptions import Assumptions
from ops.cost.bill import Bill, make_bill
from ops.cost.kinds import BY_USE, FREE, FREE_KINDS, FREE_PREFIX, MANIFEST, PRICED, PRICED_KINDS
from ops.cost.prices import Prices
from settings import load_environment
from tests.assemblies import EVERY_FIXTURE, OWN_ENVIRONMENTS, assembly, kubernetes_objects, templates
from tests.pipelines import pipeline_assembly

DAY = date(2026, 11, 23)


def bills(folder: Path) -> list[Bill]:
    prices, assumed = Prices.load(), Assumptions.load()
    return [make_bill(each, prices, assumed, day=DAY) for each in deployments(folder)]


def bill(name: str) -> Bill:
    (found,) = bills(assembly(name))
    return found


def lines(found: Bill, service: str) -> dict[str, tuple[float, float | None]]:
    return {line.what: (line.quantity, line.monthly) for line in found.lines if line.service == service}


@pytest.mark.parametrize("name", [*EVERY_FIXTURE, *OWN_ENVIRONMENTS])
def test_every_type_and_kind_of_an_environment_is_classified(name: str) -> None:
    # GIVEN everything that an environment deploys
    types = {each["Type"] for template in templates(name).values() for each in template["Resources"].values()}
    kinds = {each["kind"] for each in kubernetes_objects(name)}
    classified = {*FREE, *PRICED, *BY_USE}

    # THEN each is in one of the lists, and the bill says so
    assert [each for each in types - classified if not each.startswith(FREE_PREFIX)] == []
    assert kinds - {*FREE_KINDS, *PRICED_KINDS} == set()
    assert bill(name).unclassified == ()


def test_every_type_and_kind_of_the_pipeline_is_classified() -> None:
    assert [each.unclassified for each in bills(pipeline_assembly("shipped"))] == [(), (), ()]


def test_no_type_or_kind_is_in_two_lists() -> None:
    assert FREE & {*PRICED, *BY_USE} == set()
    assert set(PRICED) & set(BY_USE) == set()
    assert FREE_KINDS & set(PRICED_KINDS) == set()


def test_summary_counts_every_resource_object_and_volume() -> None:
    # GIVEN what dev deploys: resources, what its manifests hold, releases, and volumes of etcd
    resources = [each for template in templates("dev").values() for each in template["Resources"].values()]
    releases = sum(each["Type"] == "Custom::AWSCDK-EKS-HelmChart" for each in resources)
    volumes = load_environment("dev").milvus.etcd.replicas
    whole = len(resources) + len(kubernetes_objects("dev")) + releases + volumes

    # WHEN its bill is made
    found = bill("dev")

    # THEN the last line counts all of them
    assert sum(found.classes.values()) == whole
    priced, free, used = (found.classes[each] for each in ("priced", "free", "by use"))
    assert found.summary == f"{whole} resources: {priced} priced, {free} free, {used} by use, 0 without a price"
    assert min(priced, free, used) > 10
    assert any(each["Type"] == MANIFEST for each in resources)


def test_fixed_lines_of_prod_are_its_resources_times_their_prices() -> None:
    found = bill("prod")

    assert lines(found, "EKS") == {"control plane": (1, 73.00)}
    assert lines(found, "MSK") == {
        "kafka.m7g.large brokers": (3, 446.76),
        "storage of brokers": (600, 60.00),
    }
    assert lines(found, "EC2") == {
        "m7g.2xlarge, node group general": (3, 714.82),
        "r7g.2xlarge, node group query": (3, 938.20),
        "traffic between zones, out and in": (400, 4.00),
    }
    assert lines(found, "EBS") == {
        "disks of nodes general": (240, 19.20),
        "disks of nodes query": (240, 19.20),
        "volumes of etcd": (60, 4.80),
    }
    assert lines(found, "NAT")["NAT gateways"] == (3, 98.55)
    assert lines(found, "VPC")["interface endpoints x zones"] == (18, 131.40)
    assert lines(found, "VPC")["public IPv4 addresses"] == (3, 10.95)
    assert lines(found, "ELB")["NLBs"] == (1, 16.43)
    assert lines(found, "KMS")["keys"] == (5, 5.00)
    assert lines(found, "Secrets Manager")["secrets"] == (2, 0.80)
    assert found.fixed == 2539.11


def test_internet_facing_load_balancers_have_public_addresses() -> None:
    assert lines(bill("guide"), "VPC")["public IPv4 addresses of load balancers"] == (3, 10.95)
    assert lines(bill("guide"), "ELB")["ALBs"] == (1, 16.43)
    assert lines(bill("exposed"), "VPC")["public IPv4 addresses of load balancers"] == (6, 21.90)
    assert "public IPv4 addresses of load balancers" not in lines(bill("prod"), "VPC")


def test_metrics_above_the_free_level_are_counted_of_brokers_and_topics() -> None:
    # GIVEN prod at PER_BROKER and dev at DEFAULT, with 16 channels and two topics more
    metrics = "MSK metrics, PER_BROKER of 3 brokers and 18 topics"

    # THEN prod pays 47 for each broker, and dev nothing
    assert lines(bill("prod"), "CloudWatch")[metrics] == (3 * 47, 42.30)
    assert not any(what.startswith("MSK metrics") for what in lines(bill("dev"), "CloudWatch"))


def test_woodpecker_writes_are_a_range_and_said_to_be_unmeasured() -> None:
    # GIVEN an environment without MSK
    (found,) = [line for line in bill("existing-vpc").lines if line.component == "log: Woodpecker"]

    # THEN one channel that is always written to, up to all sixteen
    assert (found.monthly, found.monthly_at_most) == (65.70, 1051.20)
    assert found.note == "not measured"
    assert found.by_use


def test_woodpecker_line_is_missing_where_msk_is_the_log() -> None:
    assert not any(line.component == "log: Woodpecker" for line in bill("prod").lines)


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_nodes_are_divided_to_the_cent_and_idle_stands_apart(name: str) -> None:
    # GIVEN the cost of each node group, disks included
    found = bill(name)
    groups = {share.group for share in found.shares}

    for group in groups:
        cost = sum(line.monthly or 0 for line in found.lines if line.component == f"nodes of {group}")
        # WHEN it is divided
        shares = [share for share in found.shares if share.group == group]
        # THEN nothing is lost, and what nobody requests is idle
        assert round(sum(share.monthly for share in shares), 2) == round(cost, 2)
        assert [share.component for share in shares].count("idle") == 1
        assert all(share.monthly >= 0 for share in shares)
    assert 0 < found.idle < found.total


def test_query_nodes_of_prod_pay_the_larger_part_of_cpu_and_memory() -> None:
    # GIVEN three query nodes of 6 cores and 48 GiB on three nodes of 8 and 64: both parts are three quarters
    shares = {share.component: share.monthly for share in bill("prod").shares if share.group == "query"}

    assert shares == {"query_node": round(957.40 * 0.75, 2), "idle": round(957.40 * 0.25, 2)}


def test_sums_by_service_and_by_component_are_the_total() -> None:
    for name in EVERY_FIXTURE:
        found = bill(name)
        assert round(sum(found.services.values()), 2) == pytest.approx(found.total, abs=0.005)
        assert round(sum(found.components.values()), 2) == pytest.approx(found.total, abs=0.005)


def test_stages_of_a_pipeline_cost_what_their_environments_do() -> None:
    # GIVEN the pipeline, and the environments by themselves
    own, *stages = bills(pipeline_assembly("shipped"))

    # THEN a stage has the same lines, and beside them its proof in the VPC: a build with its log
    for stage, name in zip(stages, ("dev", "prod"), strict=True):
        alone = bill(name)
        proof = [line for line in stage.lines if line not in alone.lines]
        assert stage.name == alone.name
        assert [(line.what, line.quantity) for line in proof] == [
            ("logs of builds, taken in", 0.1),
            ("logs of builds, kept", 0.1),
            ("builds on small Linux", 60),
        ]
        assert stage.total == pytest.approx(alone.total + sum(line.monthly or 0 for line in proof), abs=0.01)
    assert own.name == "milvus-delivery"
    assert "without a price" not in own.classes


def test_pipeline_pays_for_the_minutes_of_its_builds_and_actions() -> None:
    # GIVEN the shipped pipeline: a synthesis on a medium machine, other builds on small ones, approvals that are free
    own = bills(pipeline_assembly("shipped"))[0]
    (template,) = [json.loads(path.read_text("utf-8")) for path in pipeline_assembly("shipped").glob("*.template.json")]
    resources = template["Resources"].values()
    builds = sum(each["Type"] == "AWS::CodeBuild::Project" for each in resources)
    (pipeline,) = [each["Properties"] for each in resources if each["Type"] == "AWS::CodePipeline::Pipeline"]
    actions = [action["ActionTypeId"]["Provider"] for stage in pipeline["Stages"] for action in stage["Actions"]]

    # THEN twenty runs a month are so many minutes, three of each build and two of each action
    assert lines(own, "CodeBuild") == {
        "builds on small Linux": ((builds - 1) * 60, (builds - 1) * 60 * 0.005),
        "builds on medium Linux": (60, 0.60),
    }
    paid = sum(each != "Manual" for each in actions)
    assert lines(own, "CodePipeline") == {"actions": (paid * 40, paid * 40 * 0.002)}
    assert len(actions) - paid == 3
    assert lines(own, "S3") == {"artifacts": (1, 0.02)}
    assert all(line.by_use for line in own.lines if line.component == "pipeline")


def test_json_of_a_bill_says_grade_day_and_source_of_each_line() -> None:
    data: dict[str, Any] = json.loads(json.dumps(bill("dev").as_dict()))

    (brokers,) = [line for line in data["lines"] if line["what"] == "kafka.m7g.large brokers"]
    assert brokers == {
        "service": "MSK",
        "component": "log: MSK",
        "what": "kafka.m7g.large brokers",
        "quantity": 3,
        "unit": "hour",
        "price": 0.204,
        "monthly": 446.76,
        "monthly_at_most": 446.76,
        "by_use": False,
        "grade": "A",
        "date": "2025-04-04",
        "source": "price files of AWS as https://github.com/yeo/ec2.shop keeps them (MSK)",
        "mark": "",
    }
