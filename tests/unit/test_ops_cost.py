"""`milvus-ops cost`: options, errors, what is shown, and what a change costs."""

from __future__ import annotations

import copy
import json
import re
import stat
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from _paths import ROOT
from ops.cli import app
from ops.cost import assembly as assemblies
from ops.cost.assembly import Deployment, Resource, deployments
from ops.cost.assumptions import Assumptions
from ops.cost.bill import Bill, divide, make_bill
from ops.cost.by_use import msk_metrics
from ops.cost.difference import compare, read_bills
from ops.cost.found import Inventory, NodeGroup
from ops.cost.lines import Line, merged
from ops.cost.markdown import markdown
from ops.cost.page import page
from ops.cost.prices import Price, Prices
from ops.cost.release import Pods, Volume, cpu, gib, read_release
from ops.errors import OpsError
from tests.unit.cost_assemblies import NODES, RESOURCES, VALUES, write_assembly

DAY = "2026-11-23"


def run(*arguments: str | Path, **environment: str) -> Any:
    return CliRunner(env={"COLUMNS": "100", **environment}).invoke(app, ["cost", *map(str, arguments)])


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    resources = copy.deepcopy(RESOURCES)
    change(resources)
    return resources


def bill(resources: dict[str, Any] | None = None, *, day: date = date(2026, 11, 23), region: str = "us-east-2") -> Bill:
    found = tuple(
        Resource("mine", name, each["Type"], each.get("Properties", {}))
        for name, each in (RESOURCES if resources is None else resources).items()
    )
    return make_bill(Deployment("mine", region, found), Prices.load(), Assumptions.load(), day=day)


def what_costs(found: Bill) -> dict[str, float | None]:
    return {line.what: line.monthly for line in found.lines}


# -- what is billed


def test_bill_is_made_of_the_template_and_the_release() -> None:
    found = bill()

    assert what_costs(found) == {
        "m7g.xlarge, node group general": 357.41,
        "disks of nodes general": 19.20,
        "control plane": 73.00,
        "NAT gateways": 32.85,
        "interface endpoints x zones": 21.90,
        "kafka.m7g.large brokers": 446.76,
        "storage of brokers": 30.00,
        "volumes of etcd": 2.40,
        "traffic between zones, out and in": 4.00,
        "traffic through NAT gateways": 1.35,
        "traffic through interface endpoints": 0.30,
        "MSK metrics, PER_BROKER of 3 brokers and 6 topics": 42.30,
    }
    assert (found.fixed, found.used, found.total) == (983.52, 47.95, 1031.47)
    assert found.summary == "12 resources: 8 priced, 4 free, 0 by use, 0 without a price"


def test_control_plane_past_its_standard_support_costs_six_times_as_much() -> None:
    found = bill({"Cluster": RESOURCES["Cluster"]}, day=date(2027, 8, 3))

    assert what_costs(found) == {"control plane, in extended support": 438.00}


def test_spot_nodes_are_shown_at_most_and_no_spot_price_is_invented() -> None:
    found = bill(changed(lambda all_: all_["Nodes"]["Properties"].update(CapacityType="SPOT")))

    (line,) = [each for each in found.lines if each.what.startswith("m7g.xlarge")]
    assert (line.monthly, line.mark) == (357.41, "spot: at most this, the price on demand")


def test_disk_beyond_what_gp3_includes_is_billed() -> None:
    def faster(all_: dict[str, Any]) -> None:
        disk = all_["Launch"]["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"][0]["Ebs"]
        disk.update(Iops=4000, Throughput=125)

    found = what_costs(bill(changed(faster)))

    assert found["IOPS of nodes general"] == 3 * 1000 * 0.005
    assert "MiB/s of nodes general" not in found


def test_type_that_is_not_classified_has_no_price_and_is_named() -> None:
    found = bill({"Table": {"Type": "AWS::DynamoDB::Table"}})

    assert found.unclassified == ("AWS::DynamoDB::Table",)
    assert [(line.what, line.mark) for line in found.lines] == [("AWS::DynamoDB::Table", "no price; not classified")]
    assert found.summary == "1 resources: 0 priced, 0 free, 0 by use, 1 without a price"


def test_build_on_a_machine_of_which_nothing_is_known_has_no_price() -> None:
    environment = {"Type": "ARM_CONTAINER", "ComputeType": "BUILD_GENERAL1_LARGE"}

    found = bill({"Build": {"Type": "AWS::CodeBuild::Project", "Properties": {"Environment": environment}}})

    assert found.unclassified == ("build on BUILD_GENERAL1_LARGE of ARM_CONTAINER",)
    assert found.classes == {"without a price": 1}


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ({"Type": "Custom::AWSCDK-EKS-HelmChart", "Properties": {"Chart": "minio"}}, "release of chart minio"),
        (
            {
                "Type": "Custom::AWSCDK-EKS-KubernetesResource",
                "Properties": {"Manifest": json.dumps([{"kind": "Gateway", "metadata": {}}])},
            },
            "object Gateway",
        ),
    ],
)
def test_chart_or_kind_that_is_not_classified_is_named(resource: dict[str, Any], what: str) -> None:
    found = bill({"Mine": resource})

    assert found.unclassified == (what,)
    assert found.classes == {"free": 1, "without a price": 1}


def test_instance_type_of_which_nothing_is_known_has_no_price() -> None:
    found = bill(changed(lambda all_: all_["Nodes"]["Properties"].update(InstanceTypes=["x9z.large"])))

    (line,) = [each for each in found.lines if "x9z.large" in each.what]
    assert (line.monthly, line.mark) == (None, "no price")
    assert found.classes["without a price"] == 1
    assert found.components["idle"] == 19.20


def test_release_is_read_from_the_values_that_it_gets() -> None:
    release = read_release(VALUES)

    assert release.pods == (
        Pods("proxy", 2, 0.5, 2.0, None),
        Pods("query_node", 3, 2.0, 16.0, "query"),
        Pods("etcd", 3, 1.0, 0.5, None),
    )
    assert release.volumes == (Volume("etcd", 3, 10.0),)
    assert (release.channels, release.topics, release.woodpecker) == (4, 6, False)


def test_release_without_a_word_of_channels_has_sixteen() -> None:
    assert read_release({"standalone": {"messageQueue": "woodpecker"}}).channels == 16
    assert read_release({"standalone": {"messageQueue": "woodpecker"}}).woodpecker


@pytest.mark.parametrize(("text", "cores"), [("250m", 0.25), ("2", 2.0), (1.5, 1.5)])
def test_cores_are_read_as_kubernetes_writes_them(text: str | float, cores: float) -> None:
    assert cpu(text) == cores


@pytest.mark.parametrize(("text", "amount"), [("512Mi", 0.5), ("4Gi", 4.0), ("1Ti", 1024.0), ("1073741824", 1.0)])
def test_memory_is_read_as_kubernetes_writes_it(text: str, amount: float) -> None:
    assert gib(text) == amount


@pytest.mark.parametrize(
    ("level", "metrics"),
    [("DEFAULT", 0), ("PER_BROKER", 141), ("PER_TOPIC_PER_BROKER", 303), ("PER_TOPIC_PER_PARTITION", 339)],
)
def test_metrics_of_msk_grow_with_the_level(level: str, metrics: int) -> None:
    assert msk_metrics(level, brokers=3, topics=18, assumed=Assumptions.load()) == metrics


def test_pods_that_name_no_group_are_spread_over_the_untainted_ones() -> None:
    # GIVEN a group of 3 x 4 cores, one of 1 x 4, and a tainted one; pods of 4 cores together
    found = Inventory("us-east-2")
    found.node_groups = [
        NodeGroup("a", "m7g.xlarge", 3, tainted=False),
        NodeGroup("b", "m7g.xlarge", 1, tainted=False),
        NodeGroup("c", "m7g.xlarge", 1, tainted=True),
    ]
    found.pods = [Pods("proxy", 4, 1.0, 1.0, None), Pods("query_node", 1, 1.0, 8.0, "c")]
    price = Price(1.0, "month", "A", None, "")
    lines = [
        Line(service="EC2", component=f"nodes of {name}", what=name, quantity=100, price=price)
        for name in ("a", "b", "c")
    ]

    # WHEN the cost is divided
    shares = {(share.group, share.component): share.monthly for share in divide(found, lines)}

    # THEN a quarter of each untainted group is theirs, and the larger part decides in the tainted one
    assert shares == {
        ("a", "proxy"): 25.0,
        ("a", "idle"): 75.0,
        ("b", "proxy"): 25.0,
        ("b", "idle"): 75.0,
        ("c", "query_node"): 50.0,
        ("c", "idle"): 50.0,
    }


def test_lines_of_the_same_thing_are_one() -> None:
    line = Line(
        service="NAT", component="network", what="NAT gateways", quantity=1, price=Price(1, "hour", "A", None, "")
    )

    assert merged([line, line, replace(line, what="other")]) == [
        replace(line, quantity=2),
        replace(line, what="other"),
    ]


# -- what is shown


def test_table_ends_with_the_count_and_names_grade_days_and_use(tmp_path: Path) -> None:
    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES))

    assert result.exit_code == 0, result.output
    lines = result.stdout.rstrip().splitlines()
    assert lines[0] == "mine in us-east-2: 1,031.47 USD a month (983.52 by the hour, 47.95 by use)"
    assert lines[-1] == "12 resources: 8 priced, 4 free, 0 by use, 0 without a price"
    assert re.search(r"NAT +NAT gateways +1 +0\.045 +C +32\.85", result.stdout)
    assert re.search(r"EC2 +traffic between zones, out and in +400 GB +0\.01 +A +~ 4\.00", result.stdout)
    assert "grade C: price of us-east-1, taken over" in lines
    assert "List prices of 2024-07-01 to 2026-09-23. Of the bill on grade A 83%, B 11%, C 5%" in " ".join(lines)


def test_nodes_are_shown_where_there_are_some(tmp_path: Path) -> None:
    # GIVEN an environment, and what has no nodes, such as a pipeline
    pages = tmp_path / "nodes.html", tmp_path / "none.html"
    nodes = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--html", pages[0])
    none = run("--assembly", write_assembly(tmp_path / "b", {"Key": {"Type": "AWS::KMS::Key"}}), "--html", pages[1])

    # THEN the title of the nodes stands on a line of its own
    assert "Nodes: pods of Milvus request 10 of 12 vCPU" in nodes.stdout.splitlines()
    assert "Nodes:" not in none.stdout
    assert ["What fills the nodes" in page.read_text(encoding="utf-8") for page in pages] == [True, False]


def test_old_prices_are_a_note_and_fresh_ones_are_not(tmp_path: Path) -> None:
    folder = write_assembly(tmp_path / "a", {"Cluster": RESOURCES["Cluster"]})

    old = run("--assembly", folder, MILVUS_TODAY="2026-12-23")
    fresh = run("--assembly", folder, MILVUS_TODAY="2026-12-22")

    assert "the oldest price of mine is of 2026-09-23, 91 days ago, more than 90" in old.stderr
    assert fresh.stderr == ""


@pytest.mark.parametrize("columns", ["80", "100"])
def test_tables_fit_the_terminal(tmp_path: Path, columns: str) -> None:
    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), COLUMNS=columns)

    body = result.stdout.splitlines()[1:]
    assert max(len(line.rstrip()) for line in body) <= int(columns)


def test_json_is_the_base_of_a_later_comparison(tmp_path: Path) -> None:
    folder = write_assembly(tmp_path / "a", RESOURCES)
    base = tmp_path / "base.json"
    base.write_text(run("--assembly", folder, "--json").stdout, encoding="utf-8")

    result = run("--assembly", folder, "--diff", base)
    as_markdown = run("--assembly", folder, "--diff", base, "--markdown")

    assert result.stdout == "mine: no change, 1,031.47 USD a month\n"
    assert as_markdown.stdout == ""


def test_html_is_one_page_that_loads_nothing(tmp_path: Path) -> None:
    target = tmp_path / "cost.html"

    assert run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--html", target).exit_code == 0

    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert not re.search(r"(src|href)=|@import|url\(", text)
    assert "mine in us-east-2: 1,031.47 USD a month" in text
    assert "12 resources: 8 priced" in text
    # AND a line is marked where it is by use, or its price is not AWS's own, and nowhere else
    marks = re.findall(r'<span class="mark">(.*?)</span>', text)
    grade = "grade C: price of us-east-1, taken over"
    assert set(marks) == {"by use", grade, f"by use; {grade}"}
    assert len(marks) < text.count("<tr><td>")


def test_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "none" / "cost.html"

    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--html", target)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error --html: got '{target}' (No such file or directory), allowed is a file that can be written",
        "   do Make its folder, or choose another one",
    ]


def test_page_escapes_what_a_template_says() -> None:
    found = bill({"X": {"Type": "<script>alert(1)</script>"}})

    assert "<script>" not in page([found])


def test_term_of_a_year_is_cheaper_and_said(tmp_path: Path) -> None:
    result = run("--assembly", write_assembly(tmp_path / "a", {"Nodes": NODES}), "--term", "1-year")

    assert "USD a month, nodes reserved for a year" in result.stdout
    assert re.search(r"m7g\.xlarge, node group general +3 +0\.108 +A +236\.52", result.stdout)


def test_own_assumptions_replace_single_figures(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("nat_gb: 1000\nmsk_metrics: {broker: 10}\n", encoding="utf-8")

    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--assumptions", own, "--json")

    found = {line["what"]: line["monthly"] for line in json.loads(result.stdout)["bills"][0]["lines"]}
    assert found["traffic through NAT gateways"] == 45.00
    assert found["MSK metrics, PER_BROKER of 3 brokers and 6 topics"] == 9.00
    assert found["traffic between zones, out and in"] == 4.00


# -- what a change costs


def brokers(all_: dict[str, Any]) -> None:
    all_["Brokers"]["Properties"]["BrokerNodeGroupInfo"]["InstanceType"] = "kafka.m7g.xlarge"


def one_node_more(all_: dict[str, Any]) -> None:
    all_["Nodes"]["Properties"]["ScalingConfig"]["DesiredSize"] = 4


def no_endpoint(all_: dict[str, Any]) -> None:
    del all_["Endpoint"]


@pytest.mark.parametrize(
    ("change", "row", "details"),
    [
        (
            brokers,
            "| mine | +446.76 | 1,478.23 | 47.95 |",
            [
                "| MSK: kafka.m7g.xlarge brokers | - | 3: 893.52 | +893.52 |",
                "| MSK: kafka.m7g.large brokers | 3: 446.76 | - | -446.76 |",
            ],
        ),
        (
            one_node_more,
            "| mine | +125.53 | 1,157.00 | 47.95 |",
            [
                "| EC2: m7g.xlarge, node group general | 3: 357.41 | 4: 476.54 | +119.13 |",
                "| EBS: disks of nodes general | 240: 19.20 | 320: 25.60 | +6.40 |",
            ],
        ),
        (
            no_endpoint,
            "| mine | -22.20 | 1,009.27 | 47.65 |",
            [
                "| VPC: interface endpoints x zones *(grade C: price of us-east-1, taken over)* "
                "| 3: 21.90 | - | -21.90 |",
                "| VPC: traffic through interface endpoints *(by use; grade C: price of us-east-1, taken over)* "
                "| 30: 0.30 | - | -0.30 |",
            ],
        ),
    ],
)
def test_pull_request_shows_change_new_total_and_what_it_is_made_of(
    change: Callable[[dict[str, Any]], None], row: str, details: list[str]
) -> None:
    # GIVEN a change of the templates
    before, after = bill().as_dict(), bill(changed(change)).as_dict()

    # WHEN it is shown
    text = markdown(compare([before], [after]))

    # THEN row and details are there, and nothing else
    lines = text.splitlines()
    assert lines[0] == "| environment | change, USD a month | new total | of it by use, assumed |"
    assert lines[2] == row
    assert lines[4:8] == [
        "<details><summary>Lines of mine</summary>",
        "",
        "| what | before | after | change |",
        "|---|---|---|---|",
    ]
    assert lines[8:-4] == details
    assert lines[-1].startswith("List prices of 2024-07-01 to 2026-09-23; ")


def test_pull_request_shows_prices_that_change_alone() -> None:
    # GIVEN the same templates, and a table in which NAT gateways cost twice as much
    before = bill({"Nat": RESOURCES["Nat"]}).as_dict()
    after = copy.deepcopy(before)
    after["lines"][0].update(price=0.09, monthly=65.70, monthly_at_most=65.70)
    after["total"] += 32.85

    text = markdown(compare([before], [after]))

    assert "| 1 at 0.045: 32.85 | 1 at 0.09: 65.70 | +32.85 |" in text


def test_environments_that_come_and_go_are_shown() -> None:
    one, other = bill().as_dict(), {**bill().as_dict(), "name": "other"}

    text = markdown(compare([one], [one, other]))
    gone = markdown(compare([one, other], [one]))

    assert text.splitlines()[2:] == [
        "| other | +1,031.47 (new) | 1,031.47 | 47.95 |",
        "",
        "List prices of 2024-07-01 to 2026-09-23; 83% of the bill or more is on AWS's own figures.",
    ]
    assert gone.splitlines()[2:] == ["| other | -1,031.47 (gone) | - | - |"]


def test_two_environments_are_compared_whatever_they_are_called() -> None:
    (found,) = compare([{**bill().as_dict(), "name": "other"}], [bill(changed(one_node_more)).as_dict()])

    assert found.headline == "other -> mine: +125.53 USD a month, now 1,157.00"


def test_difference_on_the_terminal_and_as_json(tmp_path: Path) -> None:
    base = tmp_path / "base.json"
    base.write_text(run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--json").stdout, encoding="utf-8")
    folder = write_assembly(tmp_path / "b", changed(one_node_more))

    table = run("--assembly", folder, "--diff", base)
    data = json.loads(run("--assembly", folder, "--diff", base, "--json").stdout)

    assert table.stdout.splitlines()[0] == "mine: +125.53 USD a month, now 1,157.00"
    assert re.search(r"EC2: m7g\.xlarge, node group general +3: 357\.41 +4: 476\.54 +\+119\.13", table.stdout)
    assert data["differences"][0]["monthly"] == 125.53
    assert [line["what"] for line in data["differences"][0]["lines"]] == [
        "m7g.xlarge, node group general",
        "disks of nodes general",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"schema": 2, "bills": []}', "schema 2"),
        ("[]", "schema null"),
        ('{"schema": 1, "bills": [{"name": "x"}]}', "no bills in it"),
    ],
)
def test_base_of_another_schema_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        read_bills(path)

    assert str(caught.value) == (
        f"--diff: got '{path}' ({reason}), allowed is the name of an environment, or a file that "
        "`milvus-ops cost --json` wrote (schema 1). Write the file anew"
    )


def test_base_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--diff", tmp_path / "none.json")

    assert result.exit_code == 2
    assert "none.json' (No such file or directory)" in result.stderr


# -- bad input


@pytest.fixture
def no_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to synthesize: a command that is not refused ends at once, with another error."""
    monkeypatch.setattr(assemblies, "checkout", lambda: None)


@pytest.mark.usefixtures("no_checkout")
def test_assembly_and_environment_together_are_refused(tmp_path: Path) -> None:
    result = run("--env", "dev", "--assembly", tmp_path)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error --env: got dev and --assembly, allowed is one of them",
        "   do Drop one",
    ]


@pytest.mark.usefixtures("no_checkout")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--region", "us-east-2"),
            "error --region: got it without --refresh, allowed is --refresh --region NAME",
        ),
        (("--refresh", "--env", "dev"), "error --refresh: got it and --env, allowed is one of them"),
        (("--refresh", "--json"), "error --refresh: got it and --json, allowed is one of them"),
        (
            ("--diff", "dev", "--json", "--markdown"),
            "error --markdown: got it and --json, allowed is one of them",
        ),
    ],
)
def test_option_that_would_be_passed_over_in_silence_is_refused(options: tuple[str, ...], message: str) -> None:
    result = run(*options)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == message


@pytest.mark.usefixtures("no_checkout")
def test_markdown_without_a_base_is_refused() -> None:
    result = run("--markdown")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error --markdown: got it without --diff, allowed is --diff BASE --markdown",
        "   do Add --diff BASE",
    ]


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (None, "No such file or directory"),
        ("{", "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("{}", "KeyError: 'artifacts'"),
        ('{"artifacts": {}}', "it has no stack"),
    ],
)
def test_folder_that_is_no_assembly_is_refused(tmp_path: Path, manifest: str | None, reason: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        deployments(tmp_path)

    assert str(caught.value) == (
        f"--assembly: got '{tmp_path}' ({reason}), allowed is the folder of a cloud assembly, such as cdk.out. "
        "Make one with `make synth ENV=NAME`"
    )


def test_assembly_of_no_certain_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="its region is known only when it is deployed; name one"):
        deployments(write_assembly(tmp_path, RESOURCES, region="unknown-region"))


def test_region_without_a_price_is_refused(tmp_path: Path) -> None:
    result = run("--assembly", write_assembly(tmp_path, RESOURCES, region="sa-east-1"))

    assert result.exit_code == 2
    assert result.stderr.startswith("error region: got 'sa-east-1', of which the price table has nothing, allowed is ")


def test_damaged_price_table_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "prices.json"
    table.write_text("{}", encoding="utf-8")

    result = run("--assembly", write_assembly(tmp_path / "a", RESOURCES), "--prices", table)

    assert result.exit_code == 2
    assert f"price table: got {table} (schema: Field required), allowed is JSON of schema 1" in result.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nat_gb: -1", "nat_gb: Input should be greater than or equal to 0, got -1"),
        ("nat_tb: 1", "nat_tb: Extra inputs are not permitted, got 1"),
        ("flow_log_gb: {SOME: 1}", "flow_log_gb.SOME: Input should be 'ALL', 'ACCEPT' or 'REJECT', got 'SOME'"),
        ("nat_gb: {a: 1}", "nat_gb: Input should be a valid number, got {'a': 1}"),
        ("msk_metrics: 3", "msk_metrics: Input should be a valid dictionary, got 3"),
        ("woodpecker_flush_ms: 0", "woodpecker_flush_ms: Input should be greater than 0, got 0"),
        ("nat_gb: .inf", "nat_gb: Input should be a finite number, got inf"),
        ("- 1", "no map"),
        ("a: [", "while parsing a flow node expected the node content, but found '<stream end>'"),
        (None, "No such file or directory"),
    ],
)
def test_assumption_that_is_none_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(OpsError) as caught:
        Assumptions.load(path)

    assert str(caught.value).startswith(f"--assumptions: got '{path}' ({reason}")
    assert str(caught.value).endswith("allowed is a YAML file with figures of assumptions.yaml. Correct it")


def test_wrong_day_is_refused(tmp_path: Path) -> None:
    result = run("--assembly", write_assembly(tmp_path, RESOURCES), MILVUS_TODAY="tomorrow")

    assert result.exit_code == 2
    assert "MILVUS_TODAY: must be a day such as 2027-12-31, got tomorrow" in result.stderr


# -- --env


@pytest.fixture
def app_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose `cdk` writes an assembly, or fails for the environment `broken`."""
    folder = tmp_path / "checkout"
    tools = folder / "node_modules" / ".bin"
    tools.mkdir(parents=True)
    for name in ("app.py", "cdk.json"):
        (folder / name).write_text("", encoding="utf-8")
    write_assembly(folder / "made", RESOURCES)
    script = (
        f"#!{sys.executable}\nimport os, shutil, sys\n"
        f"assert os.getcwd() == {str(folder)!r}, os.getcwd()\n"
        f"assert os.environ['PATH'].startswith({str(folder / '.venv' / 'bin')!r} + os.pathsep + {str(tools)!r})\n"
        "if 'env=broken' in sys.argv: sys.exit('queue.brokers: must be a multiple of the 3 zones\\n'\n"
        "    'python app.py: Subprocess exited with error 1')\n"
        "assert sys.argv[1:-1] == ['synth', '--quiet', '-c', 'env=mine', '--output'], sys.argv\n"
        f"shutil.copytree({str(folder / 'made')!r}, sys.argv[-1], dirs_exist_ok=True)\n"
    )
    cdk = tools / "cdk"
    cdk.write_text(script, encoding="utf-8")
    cdk.chmod(cdk.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("app_folder")
def test_environment_of_the_checkout_is_synthesized() -> None:
    result = run("--env", "mine")

    assert result.stdout.splitlines()[0].startswith("mine in us-east-2: 1,031.47 USD a month")


def test_environment_is_synthesized_in_its_checkout_wherever_the_command_is_called(
    app_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(assemblies, "checkout", lambda: app_folder)

    assert run("--env", "mine").exit_code == 0


@pytest.mark.usefixtures("app_folder")
def test_environment_is_compared_with_another_one() -> None:
    assert run("--env", "mine", "--diff", "mine").stdout == "mine: no change, 1,031.47 USD a month\n"


@pytest.mark.usefixtures("app_folder")
def test_environment_that_the_app_refuses_is_an_error_with_its_reason() -> None:
    result = run("--env", "broken")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error `cdk synth -c env=broken` fails: queue.brokers: must be a multiple of the 3 zones",
        "   do Correct the environment's file",
    ]


def test_checkout_without_cdk_is_an_error(app_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app_folder / "node_modules" / ".bin" / "cdk").unlink()
    monkeypatch.setenv("PATH", "")

    result = run("--env", "mine")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error There is no `cdk` on the PATH or in {app_folder / 'node_modules'}",
        "   do Run `make setup` there, or give --assembly DIR",
    ]


def test_cdk_of_the_path_is_taken_where_the_checkout_has_none(
    app_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a checkout without tools, one that has them in its .venv, and a `cdk` on the PATH
    own = app_folder / "node_modules" / ".bin" / "cdk"
    elsewhere, venv = tmp_path / "elsewhere", app_folder / ".venv" / "bin"
    for folder in (elsewhere, venv):
        folder.mkdir(parents=True)
    own.rename(elsewhere / "cdk")
    monkeypatch.setenv("PATH", str(elsewhere))
    assert run("--env", "mine").exit_code == 0
    # THEN the one in .venv goes before
    (venv / "cdk").write_text(f"#!{sys.executable}\nraise SystemExit('that of .venv')\n", encoding="utf-8")
    (venv / "cdk").chmod(0o755)
    assert "error `cdk synth -c env=mine` fails: that of .venv" in run("--env", "mine").stderr


def test_environment_without_a_checkout_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemblies, "checkout", lambda: None)

    result = run("--env", "prod")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "error --env: got 'prod', where there is no checkout of the app to synthesize, "
        "allowed is --env in a checkout, or --assembly DIR anywhere",
        "   do Change to the checkout, or give the folder that `cdk synth --output DIR` wrote",
    ]


def test_checkout_is_found_where_the_program_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert assemblies.checkout() == ROOT

    monkeypatch.setattr(assemblies, "__file__", str(tmp_path / "site" / "ops" / "cost" / "assembly.py"))
    assert assemblies.checkout() is None


def test_names_of_stacks_give_the_name_of_the_environment(tmp_path: Path) -> None:
    write_assembly(tmp_path, RESOURCES, name="milvus-a-eks")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    manifest["artifacts"]["other"] = {
        **manifest["artifacts"]["milvus-a-eks"],
        "properties": {"templateFile": "milvus-a-eks.template.json", "stackName": "milvus-a-network"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    (found,) = deployments(tmp_path)

    assert found.name == "milvus-a"
    assert Counter(each.stack for each in found.resources) == {"milvus-a-eks": 8, "milvus-a-network": 8}


def test_stack_is_called_by_its_own_name_else_by_its_file_and_lies_in_one_region(tmp_path: Path) -> None:
    write_assembly(tmp_path, RESOURCES, name="alone")
    (found,) = deployments(tmp_path)

    assert (found.name, found.region) == ("alone", "us-east-2")
    assert found.resources[3] == Resource("alone", "Nat", "AWS::EC2::NatGateway", {})
    # AND a nested assembly, of a stage of a pipeline, is a deployment of its own, after the pipeline
    write_assembly(tmp_path / "stage", {"Key": {"Type": "AWS::KMS::Key"}}, name="milvus-b-eks", region="eu-west-1")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "stage"}}
    (tmp_path / "manifest.json").write_text(
        json.dumps({"artifacts": {"stage": nested, **manifest["artifacts"], "tree": {"type": "cdk:tree"}}}),
        encoding="utf-8",
    )
    assert [(each.name, each.region, len(each.resources)) for each in deployments(tmp_path)] == [
        ("alone", "us-east-2", 8),
        ("milvus-b-eks", "eu-west-1", 1),
    ]


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["milvus-a-eks", "milvus-a-network-more"], "milvus-a"),
        (["a-b", "a-b"], "a-b"),
        (["one-x", "two-x"], "one-x"),
        (["single-eks"], "single-eks"),
    ],
)
def test_stacks_that_belong_together_are_called_by_what_their_names_share(names: list[str], name: str) -> None:
    assert assemblies._common(names) == name
