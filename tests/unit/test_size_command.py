"""`ops size` as a person uses it: what it prints and writes, and one clear error for each wrong input."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from ops.cost.prices import Price
from ops.size import indexes, page, report
from ops.size.components import Pods
from ops.size.nodes import Group
from ops.size.plan import Charge, Plan
from ops.size.prices import Priced
from ops.size.workload import Workload
from settings import load_environment_file
from settings.instances import INSTANCE_TYPES

SMALL = ("--vectors", "1M", "--dim", "1024")


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["size", *options], env={"COLUMNS": "200", "TERM": "dumb"})


def said(*options: str) -> str:
    result = run(*options)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return " ".join(result.stderr.split())


WRONG = {
    "unknown index": (
        ("--index", "HNWS"),
        "error --index: got HNWS, allowed is FLAT, IVF_FLAT, IVF_SQ8, IVF_RABITQ, SCANN, HNSW, DISKANN, AISAQ do Name "
        "one of these",
    ),
    "parameter of another index": (
        ("--param", "nlist=128"),
        "error --param: got nlist for HNSW, allowed is M do Leave it out",
    ),
    "parameter out of its range": (
        ("--param", "M=1"),
        "error --param M: got 1, allowed is 2 to 2048 do Give one of these",
    ),
    "parameter that is none of a few": (
        ("--index", "IVF_RABITQ", "--param", "refine=SQ4"),
        "error --param refine: got SQ4, allowed is none, sq8, fp16, bf16, sq32 do Give one of these",
    ),
    "parameter without a value": (("--param", "M"), "error --param: got M, allowed is NAME=VALUE do Give --param M=16"),
    "no vectors": (
        ("--vectors", "0"),
        "error --vectors: got 0, allowed is 1 to 1000B, such as 300000, 50M or 1.5B do Give the vectors that one copy "
        "of "
        "all collections has together",
    ),
    "fewer than no vectors": (
        ("--vectors=-5M",),
        "error --vectors: got -5M, allowed is 1 to 1000B, such as 300000, 50M or 1.5B do Give the vectors that one "
        "copy "
        "of all collections has together",
    ),
    "too many dimensions": (
        ("--dim", "32769"),
        "error --dim: got 32769, allowed is 1 to 32768 do Give the dimensions of one vector; Milvus takes no more",
    ),
    "no dimensions": (
        ("--dim", "0"),
        "error --dim: got 0, allowed is 1 to 32768 do Give the dimensions of one vector; Milvus takes no more",
    ),
    "more rows than are sized": (
        ("--rows-per-second", "9999999"),
        "error --rows-per-second: got 9999999, allowed is 0 to 1000000 do Choose a value in that range",
    ),
    "page in a folder that is not there": (
        ("--html", "/nowhere/size.html"),
        "error --html: got '/nowhere/size.html' (No such file or directory), allowed is a file that can be written do "
        "Make its folder, or choose another one",
    ),
    "dimensions that the index does not take": (
        ("--index", "SCANN", "--dim", "767"),
        "error --dim: got 767, allowed is an even number for SCANN do Take HNSW or IVF_SQ8 for it",
    ),
    "index that the line lacks": (
        ("--index", "IVF_RABITQ", "--line", "2.5"),
        "error --index: got IVF_RABITQ on Milvus 2.5, allowed is IVF_RABITQ on 2.6, 3.0 do Give --line 2.6 or another "
        "index",
    ),
    "line that is not sized": (
        ("--line", "2.3"),
        "error --line: got 2.3, allowed is 2.5, 2.6, 3.0 do Take a line whose security advisories all have a fix",
    ),
    "queue that the line lacks": (
        ("--queue", "woodpecker", "--line", "2.5"),
        "error --queue: got woodpecker with Milvus 2.5, allowed is woodpecker with 2.6, 3.0 do Give --queue msk, or "
        "another --line",
    ),
    "more writes than a broker's volume holds": (
        ("--rows-per-second", "10000"),
        "error --rows-per-second: got 10000, which are 38,453 GiB for each of three brokers, allowed is what 16,384 "
        "GiB "
        "hold do Write by bulk import, which passes the queue by, or give --queue woodpecker",
    ),
    "copies out of range": (
        ("--copies", "0"),
        "error --copies: got 0, allowed is 1 to 10 do Choose a value in that range",
    ),
    "region without a price": (
        ("--region", "eu-south-2"),
        "error region: got 'eu-south-2', of which the price table has nothing, allowed is ap-northeast-1, "
        "ap-southeast-1, "
        "eu-central-1, eu-west-1, us-east-1, us-east-2, us-west-2 do Fetch its prices with `milvus-ops cost --refresh "
        "--region eu-south-2`",
    ),
    "workload that nothing holds": (
        ("--vectors", "1000B", "--dim", "4096"),
        "error no group of 450 nodes with 200 query nodes holds 1,000,000,000,000 vectors of 4096 dimensions in HNSW: "
        "1 x 17,804,655 GiB of memory and 0 of disk; the largest instance has 487 GiB for pods do No other index would "
        "fit either: take fewer --copies, fewer --cores-per-gib, or several deployments",
    ),
    "workload that another index holds": (
        ("--vectors", "10B"),
        "error no group of 450 nodes with 200 query nodes holds 10,000,000,000 vectors of 1024 dimensions in HNSW: "
        "1 x 46,442 GiB of memory and 0 of disk; the largest instance has 487 GiB for pods do IVF_SQ8, IVF_RABITQ, "
        "DISKANN would fit; or take fewer --copies, fewer --cores-per-gib, or several deployments",
    ),
    "aisaq for more than anybody has shown": (
        ("--index", "AISAQ", "--vectors", "11M"),
        "error --index: got AISAQ for 11,000,000 vectors, allowed is AISAQ for at most 10,000,000: the published "
        "formula "
        "gives the same memory for any number of them, which nobody has shown do Take DISKANN or IVF_RABITQ, or "
        "measure "
        "it with a part of the data",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_refused_with_its_remedy(case: str) -> None:
    options, message = WRONG[case]
    assert said(*SMALL, *options) == message


@pytest.mark.parametrize("name", ["HNSW_SQ", "HNSW_PQ", "IVF_PQ", "SPARSE_INVERTED_INDEX", "BIN_FLAT"])
def test_index_without_a_published_formula_is_refused_with_the_reason(name: str) -> None:
    assert said(*SMALL, "--index", name) == (
        f"error --index: got {name}, of which nobody has published what it takes, allowed is FLAT, IVF_FLAT, IVF_SQ8, "
        "IVF_RABITQ, SCANN, HNSW, DISKANN, AISAQ do Measure it with a part of the data: real clusters used almost "
        "twice "
        "what a formula of the kind gave (milvus#45815)"
    )


def test_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine", encoding="utf-8")
    assert said(*SMALL, "--write", str(path)) == (
        f"error --write: {path} is there already do Name another file, or remove it first"
    )
    assert path.read_text(encoding="utf-8") == "mine"


def test_name_that_no_environment_can_have_is_refused(tmp_path: Path) -> None:
    assert said(*SMALL, "--write", str(tmp_path / "My_File.yaml")).startswith("error --write: name: ")
    assert list(tmp_path.iterdir()) == []


def test_written_file_is_an_environment(tmp_path: Path) -> None:
    # WHEN
    result = run(*SMALL, "--copies", "2", "--write", str(tmp_path / "small.yaml"))
    # THEN
    assert result.exit_code == 0, result.output
    env = load_environment_file(tmp_path / "small.yaml")
    assert (env.name, env.components["query_node"].replicas, env.components["query_node"].memory_gib) == (
        "milvus-small",
        3,
        8,
    )
    # AND it says what it is for, and why
    text = (tmp_path / "small.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[:6] == [
        "# yaml-language-server: $schema=schema.json",
        "# Made by `milvus-ops size` for 1,000,000 vectors of 1024 dimensions in HNSW: it survives the loss of a zone.",
        "# Load memory of each of 2 copies: 6.9 GiB.",
        "# What each setting means: docs/settings.md",
        "name: milvus-small",
        "region: us-east-2",
    ]
    assert "# A copy fills its query node to 87% when a zone is lost; Milvus loads up to 90 %." in text
    assert "# Two, where the public sizing tool gives one." in text


def test_memory_is_explained_step_by_step() -> None:
    assert run(*SMALL, "--explain").stdout.startswith(
        "raw vectors: 4 x 1,000,000 x 1,024 = 3.81 GiB\n"
        "HNSW (M 30): raw x (1 + 2 x M / dimensions) = 4.04 GiB\n"
        "two segments of 1024 MiB beside it: 2.00 GiB\n"
        "15 % more while it loads: 6.94 GiB\n"
        "scalar fields in full: 1,000,000 x 0 = 0.00 GiB\n"
        "load memory of one copy: 6.94 GiB\n"
    )


def test_json_is_the_whole_output_and_its_sum_is_that_of_its_lines() -> None:
    found = json.loads(run(*SMALL, "--copies", "2", "--json").stdout)
    assert found["load_memory_bytes"] == 7456006195
    assert found["estimate_usd_month"] == pytest.approx(sum(each["usd_month"] for each in found["charges"]), abs=0.05)
    assert {each["grade"] for each in found["charges"]} <= {"A", "B", "C"}


def test_guide_s_own_case_is_compared_with_the_guide() -> None:
    text = run(*SMALL, "--survive", "none").stderr
    assert "published guide's query node (2 CPU, 8 GiB) is what the tool gives today" in " ".join(text.split())
    assert "published guide" not in run("--vectors", "2M", "--dim", "1024").stderr


def test_more_searches_ask_for_more_cores_and_the_assumption_is_stated() -> None:
    few, many = (json.loads(run(*SMALL, "--qps", qps, "--json").stdout) for qps in ("100", "1000"))
    cores = [each["node_groups"][0]["components"]["query_node"]["cpu"] for each in (few, many)]
    assert cores[0] < cores[1]
    assert any("at an assumed 50 a core" in text for text in many["notes"])


def test_page_shows_the_bill_the_nodes_and_other_indexes_and_needs_nothing_else(tmp_path: Path) -> None:
    # WHEN
    path = tmp_path / "size.html"
    result = run("--vectors", "3M", "--dim", "64", "--survive", "none", "--html", str(path))
    # THEN
    assert result.exit_code == 0, result.output
    text = path.read_text(encoding="utf-8")
    for each in (
        "EKS control plane",
        "query_node",
        "idle",
        "IVF_RABITQ",
        "DISKANN",
        "300K",
        "30M",
        "load memory of one copy",
    ):
        assert each in text, each
    assert not any(outside in text for outside in ("http:", "https:", "<script", "@import", "url("))
    # AND it is well formed, for all that browsers forgive
    svg = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])  # noqa: S314 - our own page
    assert len(svg.findall("polyline")) == 8


def test_range_of_what_woodpecker_writes_is_said_beside_the_sum() -> None:
    # GIVEN 200 ms for each object, and 0.005 USD for a thousand of them
    notes = json.loads(run(*SMALL, "--queue", "woodpecker", "--line", "3.0", "--json").stdout)["notes"]

    assert [each.rpartition(": ")[2] for each in notes if each.startswith("Woodpecker")] == [
        "66 USD a month for a channel that is written to all the time, 1,051 for 16 of them"
    ]


@pytest.mark.parametrize(
    ("costs", "steps"),
    [
        ([900, 1500, 21000], [1000, 2000, 5000, 10000, 20000]),
        ([1150, 2900], [1200, 1500, 2000, 2500]),
        ([1010, 1480], [1100, 1200, 1300, 1400]),
        ([1092], []),
    ],
)
def test_steps_of_a_cost_axis_are_round_and_not_too_few(costs: list[float], steps: list[float]) -> None:
    assert page._round_steps([*costs]) == pytest.approx(steps)


def test_page_has_in_figures_what_the_chart_shows() -> None:
    # GIVEN two indexes that cost the same, one of which nothing holds when it grows
    text = page._figures({"HNSW": [(1_000_000, 1314.4), (3_000_000, 1700.0)], "FLAT": [(1_000_000, 1314.4)]})

    rows = ElementTree.fromstring(text).findall("table/tr")  # noqa: S314 - our own page
    assert [[cell.text for cell in row] for row in rows] == [
        [None, "1M", "3M"],
        ["HNSW", "1,314", "1,700"],
        ["FLAT", "1,314", "-"],
    ]


def made_up() -> Plan:
    """Return a plan of one group: two nodes, each with 3.72 cores and 14.09 GiB for pods."""
    price = Price(0.1, "hour", "A", date(2026, 11, 1), "made up")
    index = indexes.find("DISKANN")
    work = Workload(
        vectors=2_000_000,
        dim=256,
        region="us-east-2",
        index=index,
        parameters=index.parameters({"max_degree": "32"}),
        copies=2,
        line="2.5",
        survive="node",
    )
    pods = (Pods("query_node", 1.5, 6.0, 2), Pods("proxy", 1.0, 3.5, 1))
    return Plan(
        work=work,
        groups=(Group("query", Priced(INSTANCE_TYPES["m7g.xlarge"], price, 0.1, 0.08), 2, pods, 90),),
        charges=(
            Charge("nodes", 100.126, price),
            Charge("brokers", None, Price(None, "hour", "none", None, "")),
        ),
        notes=("a note",),
    )


def test_json_has_each_figure_of_the_plan_under_its_name() -> None:
    assert report.as_data(made_up(), 120.5) == {
        "schema": 1,
        "vectors": 2_000_000,
        "dim": 256,
        "index": "DISKANN",
        "parameters": {"max_degree": 32},
        "line": "2.5",
        "region": "us-east-2",
        "survive": "node",
        "copies": 2,
        # A quarter of 4 x 2,000,000 x 256, and 15 % more; on disk an eighth more than all of it.
        "load_memory_bytes": 588_800_000,
        "local_disk_bytes": 2_304_000_000,
        "node_groups": [
            {
                "name": "query",
                "instance_type": "m7g.xlarge",
                "nodes": 2,
                "disk_gib": 90,
                "cpu_requested": 0.5376,
                "memory_requested": 0.55,
                "components": {
                    "query_node": {"replicas": 2, "cpu": 1.5, "memory_gib": 6.0},
                    "proxy": {"replicas": 1, "cpu": 1.0, "memory_gib": 3.5},
                },
            }
        ],
        "estimate_usd_month": 100.13,
        "cost_usd_month": 120.5,
        "charges": [
            {"what": "nodes", "usd_month": 100.13, "grade": "A"},
            {"what": "brokers", "usd_month": None, "grade": "none"},
        ],
        "notes": ["a note"],
    }


def test_page_shows_what_each_component_takes_of_its_nodes_and_what_is_idle() -> None:
    assert page._filled(made_up().groups[0]) == (
        "<p>query: 2 x m7g.xlarge</p>\n"
        '<div class="stack"><span style="width:42.58%"></span><span style="width:12.42%"></span>'
        '<span class=rest style="width:45.00%"></span></div>'
        '<p class="dim">GiB: query_node 12, proxy 3.5, idle 12.7 (45%)</p>\n'
        '<div class="stack"><span style="width:40.32%"></span><span style="width:13.44%"></span>'
        '<span class=rest style="width:46.24%"></span></div>'
        '<p class="dim">cores: query_node 3, proxy 1, idle 3.4 (46%)</p>'
    )


def test_chart_has_ten_times_as_much_at_the_same_distance_on_both_axes() -> None:
    # GIVEN a line from corner to corner of a field of 560 x 280 at 80, 20, and a point in its middle
    text = page.chart({"HNSW": [(1_000_000, 100.0), (100_000_000, 10_000.0)], "A<B": [(10_000_000, 1000.0)]})

    svg = ElementTree.fromstring(text)  # noqa: S314 - our own page
    assert [(line.get("points"), line.get("stroke")) for line in svg.findall("polyline")] == [
        ("80.0,300.0 640.0,20.0", "#2563eb"),
        ("360.0,160.0", "#059669"),
    ]
    assert [(each.text, each.get("x"), each.get("y")) for each in svg.findall("text")] == [
        ("1M", "80", "320"),
        ("10M", "360", "320"),
        ("100M", "640", "320"),
        ("100", "72", "304"),
        ("200", "72", "262"),
        ("500", "72", "206"),
        ("1,000", "72", "164"),
        ("2,000", "72", "122"),
        ("5,000", "72", "66"),
        ("10,000", "72", "24"),
        ("HNSW", "678", "31"),
        ("A<B", "678", "53"),
    ]
    assert [(each.get("y"), each.get("fill")) for each in svg.findall("rect")] == [("20", "#2563eb"), ("42", "#059669")]
    assert [each.get("y1") for each in svg.findall("line")] == ["300", "258", "202", "160", "118", "62", "20"]
    # AND a single point has a place too
    assert 'points="80.0,300.0"' in page.chart({"HNSW": [(1000, 50.0)]})


@pytest.mark.parametrize(
    ("number", "text"),
    [(999, "999"), (1000, "1K"), (1_500_000, "1.5M"), (999_000_000, "999M"), (1_000_000_000, "1B")],
)
def test_numbers_of_vectors_are_short(number: int, text: str) -> None:
    assert page._short(number) == text
