"""What `milvus-ops cost` shows of a small made-up bill: all of the terminal, the page, the JSON and the Markdown."""

# ruff: noqa: E501 - lines of HTML and Markdown stand as they are written

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ops.cost.bill import Bill, Share
from ops.cost.difference import Difference, as_json, compare
from ops.cost.lines import Line, merged
from ops.cost.markdown import markdown
from ops.cost.page import bars, document, page
from ops.cost.prices import Grade, Price
from ops.cost.show import quantity, show, show_all, show_difference, warning
from tests.unit.shown import shown

HOURLY = Price(0.1, "hour", "A", date(2026, 1, 2), "AWS & its list")
STORED = Price(0.08, "GB-month", "B", date(2026, 2, 3), "a <bill>")
ASKED = Price(0.005, "1000 requests", "C", date(2025, 12, 31), "", "of elsewhere")
NO_PRICE = Price(None, "month", "none", None, "")


def line(what: str, amount: float, price: Price, **more: Any) -> Line:
    given = {"service": "S", "component": "c", **more}
    return Line(what=what, quantity=amount, price=price, **given)


# The lines stand in no order, so that the order in which they are shown is the program's.
WRITES = line(
    "writes",
    1_500_000,
    ASKED,
    service="S3",
    component="object storage",
    by_use=True,
    most=3_000_000,
    note="not measured",
)
UNKNOWN = line("AWS::X::Y", 1, NO_PRICE, service="other", component="other", note="not classified")
VOLUMES = line("volumes of etcd", 10, STORED, service="EBS", component="etcd")
NODES = line("m7g.large, node group a", 2, HOURLY, service="EC2", component="nodes of a")
BILL = Bill(
    name="mine",
    region="eu-west-1",
    day=date(2026, 3, 31),
    term="on-demand",
    lines=(WRITES, UNKNOWN, VOLUMES, NODES),
    shares=(Share("a", "proxy", 100.0), Share("a", "idle", 46.0), Share("b", "none", 0.0)),
    vcpu=4,
    requested=1.5,
    classes={"priced": 3, "free": 2, "by use": 4, "without a price": 1},
    unclassified=("AWS::X::Y",),
)
SURE = (
    "List prices of 2025-12-31 to 2026-02-03. Of the bill on grade A 95%, B 1%, C 5% (A: AWS's own figure, "
    "B: a dated record of one, C: taken over or inferred, none: no verified source)."
)

TERMINAL = """\
mine in eu-west-1: 154.30 USD a month (146.80 by the hour, 7.50 to 15.00 by use)

 Service  What                        Quantity   Each  Grade      USD a month
 ────────────────────────────────────────────────────────────────────────────
 EC2      m7g.large, node group a            2    0.1  A               146.00
 EBS      volumes of etcd                10 GB   0.08  B                 0.80
 other    AWS::X::Y, not classified          1      -  none          no price
 S3       writes, not measured       1,500,000  0.005  C      ~ 7.50 to 15.00

By service

 Service  USD a month
 ────────────────────────────────────────────────────
 EC2           146.00  94.6%  ███████████████████████
 S3              7.50   4.9%  █
 EBS             0.80   0.5%
 other           0.00   0.0%

By component

 Component       USD a month
 ────────────────────────────────────────────────────
 proxy                100.00  64.8%  ████████████████
 idle                  46.00  29.8%  ███████
 object storage         7.50   4.9%  █
 etcd                   0.80   0.5%
 other                  0.00   0.0%
 none                   0.00   0.0%

Nodes: pods of Milvus request 1.5 of 4 vCPU

 Group  For    USD a month
 ─────────────────────────
 a      proxy       100.00
 a      idle         46.00
 b      none          0.00

~: by use, as assumed (assumptions.yaml; your own figures: --assumptions)
grade C: of elsewhere
no price
List prices of 2025-12-31 to 2026-02-03. Of the bill on grade A 95%, B 1%, C 5% (A: AWS's own
figure, B: a dated record of one, C: taken over or inferred, none: no verified source).
10 resources: 3 priced, 2 free, 4 by use, 1 without a price"""


def test_terminal_shows_lines_sums_nodes_and_how_sure_they_are() -> None:
    text, styled = shown(lambda console: show(console, BILL))

    assert text == TERMINAL
    # AND what stands out: sums, what is idle, and what is not AWS's own figure
    assert [each for each in styled if each[0] != "dim"] == [
        ("bold", "mine in eu-west-1: 154.30 USD a month (146.80 by the hour, 7.50 to 15.00 by use)"),
        ("bold", "146.00"),
        ("bold", "0.80"),
        ("yellow", ", not classified"),
        ("yellow", "none"),
        ("bold", "no price"),
        ("yellow", ", not measured"),
        ("yellow", "C"),
        ("bold", "~ 7.50 to 15.00"),
        ("bold", "By service"),
        ("bold", "By component"),
        ("yellow", "idle"),
        ("yellow", "███████"),
        ("bold", "Nodes: pods of Milvus request 1.5 of 4 vCPU"),
        ("yellow", "idle"),
    ]
    # AND what is dim: the heads of columns, and the remarks
    assert [piece for style, piece in styled if style == "dim"] == [
        *("Service", "What", "Quantity", "Each", "Grade", "USD a month"),
        *("Service", "USD a month", "Component", "USD a month", "Group", "For", "USD a month"),
        "~: by use, as assumed (assumptions.yaml; your own figures: --assumptions)",
        "grade C: of elsewhere",
        "no price",
        "List prices of 2025-12-31 to 2026-02-03. Of the bill on grade A 95%, B 1%, C 5% (A: AWS's own",
        "figure, B: a dated record of one, C: taken over or inferred, none: no verified source).",
    ]


def test_narrow_terminal_folds_cells_and_never_the_headline_or_the_title_of_the_nodes() -> None:
    text, _ = shown(lambda console: show(console, BILL), width=40)

    lines = text.splitlines()
    assert lines[0] == TERMINAL.splitlines()[0]
    assert "Nodes: pods of Milvus request 1.5 of 4 vCPU" in lines
    assert "…" not in text


def test_bill_without_nodes_or_a_price_says_nothing_of_shares() -> None:
    bare = replace(BILL, lines=(UNKNOWN,), shares=(), classes={})

    text, _ = shown(lambda console: show(console, bare), width=200)

    assert text.splitlines() == [
        "mine in eu-west-1: 0.00 USD a month (0.00 by the hour, 0.00 by use)",
        "",
        " Service  What                       Quantity  Each  Grade  USD a month",
        " ──────────────────────────────────────────────────────────────────────",
        " other    AWS::X::Y, not classified         1     -  none      no price",
        "",
        "By service",
        "",
        " Service  USD a month",
        " ─────────────────────────────",
        " other           0.00  0.0%",
        "",
        "By component",
        "",
        " Component  USD a month",
        " ───────────────────────────────",
        " other             0.00  0.0%",
        "",
        "~: by use, as assumed (assumptions.yaml; your own figures: --assumptions)",
        "no price",
        "Nothing in it has a price.",
        "0 resources: 0 priced, 0 free, 0 by use, 0 without a price",
    ]


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (3, "month", "3"),
        (3000, "hour", "3,000"),
        (1.5, "endpoint-zone-hour", "1.5"),
        (1234567.8, "1000 requests", "1,234,568"),
        (240, "GB-month", "240 GB"),
        (1000.25, "IOPS-month", "1,000.25 IOPS"),
        (0.123456, "GB", "0.1235 GB"),
        (2_000_000, "GB-month", "2,000,000 GB"),
    ],
)
def test_quantity_is_said_in_its_unit(amount: float, unit: str, text: str) -> None:
    assert quantity(line("x", amount, Price(1, unit, "A", None, ""))) == text


@pytest.mark.parametrize(
    ("unit", "monthly"),
    [
        ("hour", 730.0),
        ("LCU-hour", 730.0),
        ("NLCU-hour", 730.0),
        ("endpoint-zone-hour", 730.0),
        ("month", 1.0),
        ("GB", 1.0),
        ("1000 requests", 0.001),
        ("10000 requests", 0.0001),
    ],
)
def test_month_has_730_hours_and_requests_are_sold_by_the_thousand(unit: str, monthly: float) -> None:
    # 100 of them, so that a ten-thousandth of a request shows in cents
    assert line("x", 100, Price(1, unit, "A", None, "")).monthly == monthly * 100


@pytest.mark.parametrize(("amount", "cents"), [(0.005, 0.01), (0.0049, 0.0), (1.005, 1.01), (2.675, 2.68)])
def test_half_a_cent_is_a_cent(amount: float, cents: float) -> None:
    assert line("x", 1, Price(amount, "month", "A", None, "")).monthly == cents


def test_price_that_is_small_or_long_is_shown_with_its_digits() -> None:
    small = replace(BILL, lines=(line("x", 1, Price(0.0000123456, "month", "A", None, "")),))

    assert " 1.23456e-05 " in shown(lambda console: show(console, small))[0]
    assert '<td class="n">1.23456e-05</td>' in page([small])


def test_lines_that_are_one_add_up_and_differ_by_each_other_field() -> None:
    again = replace(VOLUMES, quantity=2.5)

    assert merged([VOLUMES, NODES, again, replace(again, note="other")]) == [
        replace(VOLUMES, quantity=12.5),
        NODES,
        replace(again, note="other"),
    ]


def test_grade_of_a_price_is_said_where_it_is_not_sure() -> None:
    def mark(grade: Grade, note: str = "") -> str:
        return Price(1, "hour", grade, None, "", note).mark

    assert [mark(grade, "why") for grade in ("A", "B", "C", "none")] == [
        "",
        "",
        "grade C: why",
        "no verified source",
    ]
    assert mark("C") == "grade C"
    assert Price(None, "hour", "C", None, "", "why").mark == "no price"


def test_old_prices_are_said_from_the_91st_day_before_their_bill(capsys: pytest.CaptureFixture[str]) -> None:
    at_last, after = replace(BILL, day=date(2026, 3, 31)), replace(BILL, day=date(2026, 4, 1))

    assert warning(at_last) is None
    assert warning(after) == (
        "the oldest price of mine is of 2025-12-31, 91 days ago, more than 90: "
        "`milvus-ops cost --refresh` fetches today's"
    )
    # AND of each of several bills, on standard error
    show_all([at_last, after, replace(after, name="other")])
    printed = capsys.readouterr()
    assert printed.err == f"note  {warning(after)}\nnote  {warning(replace(after, name='other'))}\n"
    assert [each for each in printed.out.splitlines() if "USD a month (" in each] == [
        f"{name} in eu-west-1: 154.30 USD a month (146.80 by the hour, 7.50 to 15.00 by use)"
        for name in ("mine", "mine", "other")
    ]


# -- the page

BODY = f"""
<h1>mine in eu-west-1: 154.30 USD a month (146.80 by the hour, 7.50 to 15.00 by use)</h1>
<h2>By component, USD a month</h2>
<table><tr><td>proxy</td><td class="n">100.00</td><td class="n dim">64.8%</td><td class="bar"><span style="width:100.0%"></span></td></tr>
<tr><td>idle</td><td class="n">46.00</td><td class="n dim">29.8%</td><td class="bar idle"><span style="width:46.0%"></span></td></tr>
<tr><td>object storage</td><td class="n">7.50</td><td class="n dim">4.9%</td><td class="bar"><span style="width:7.5%"></span></td></tr>
<tr><td>etcd</td><td class="n">0.80</td><td class="n dim">0.5%</td><td class="bar"><span style="width:0.8%"></span></td></tr>
<tr><td>other</td><td class="n">0.00</td><td class="n dim">0.0%</td><td class="bar"><span style="width:0.0%"></span></td></tr>
<tr><td>none</td><td class="n">0.00</td><td class="n dim">0.0%</td><td class="bar"><span style="width:0.0%"></span></td></tr>
</table>
<h2>By service, USD a month</h2>
<table><tr><td>EC2</td><td class="n">146.00</td><td class="n dim">94.6%</td><td class="bar"><span style="width:100.0%"></span></td></tr>
<tr><td>S3</td><td class="n">7.50</td><td class="n dim">4.9%</td><td class="bar"><span style="width:5.1%"></span></td></tr>
<tr><td>EBS</td><td class="n">0.80</td><td class="n dim">0.5%</td><td class="bar"><span style="width:0.5%"></span></td></tr>
<tr><td>other</td><td class="n">0.00</td><td class="n dim">0.0%</td><td class="bar"><span style="width:0.0%"></span></td></tr>
</table>
<h2>What fills the nodes, by the larger of the CPU and memory that pods request</h2>
<p>a: 146.00 USD</p><div class="stack"><span style="width:68.49%" title="proxy: 100.00 USD"></span><span class=rest style="width:31.51%" title="idle: 46.00 USD"></span></div><p class="dim">proxy 68%, idle 32%</p>
<p>b: 0.00 USD</p><div class="stack"></div><p class="dim"></p>
<h2>Every line</h2>
<div class="scroll"><table><tr><th>Service</th><th>What</th><th class=n>Quantity</th><th class=n>Each, USD</th><th>Grade</th><th class=n>USD a month</th></tr><tr><td>EC2</td><td>m7g.large, node group a</td><td class="n">2</td><td class="n">0.1</td><td title="AWS &amp; its list">A</td><td class="n">146.00</td></tr>
<tr><td>EBS</td><td>volumes of etcd</td><td class="n">10 GB</td><td class="n">0.08</td><td title="a &lt;bill&gt;">B</td><td class="n">0.80</td></tr>
<tr><td>other</td><td>AWS::X::Y <span class="mark">no price; not classified</span></td><td class="n">1</td><td class="n">-</td><td title="">none</td><td class="n">no price</td></tr>
<tr><td>S3</td><td>writes <span class="mark">by use; grade C: of elsewhere; not measured</span></td><td class="n">1,500,000</td><td class="n">0.005</td><td title="">C</td><td class="n">7.50 to 15.00</td></tr>
</table></div>
<p class="dim">{SURE.replace("'", "&#x27;")}</p><p>10 resources: 3 priced, 2 free, 4 by use, 1 without a price</p>
"""


def test_page_has_bars_of_components_and_services_what_fills_the_nodes_and_every_line() -> None:
    text = page([BILL])

    head, body, end = re.split("<body>|</body>", text)
    assert body == BODY
    assert end == "</html>\n"
    assert head.startswith(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>What it costs a month</title>'
        "<style>\n:root { color-scheme: light dark; --bar: #2563eb; "
    )
    assert head.endswith("\n.scroll { overflow-x: auto; }\n</style></head>")


def test_page_of_several_bills_shows_them_one_after_the_other_and_old_prices_first() -> None:
    small = replace(BILL, name="a<b", lines=(), shares=(), classes={"free": 1}, day=date(2027, 1, 1))
    old = replace(BILL, day=date(2026, 4, 1))
    remark = (
        '<p class="mark">the oldest price of mine is of 2025-12-31, 91 days ago, more than 90: '
        "`milvus-ops cost --refresh` fetches today&#x27;s</p>"
    )
    nothing = """\
<h1>a&lt;b in eu-west-1: 0.00 USD a month (0.00 by the hour, 0.00 by use)</h1>
<h2>By component, USD a month</h2>
<table></table>
<h2>By service, USD a month</h2>
<table></table>
<h2>Every line</h2>
<div class="scroll"><table><tr><th>Service</th><th>What</th><th class=n>Quantity</th><th class=n>Each, USD</th><th>Grade</th><th class=n>USD a month</th></tr></table></div>
<p class="dim">Nothing in it has a price.</p><p>1 resources: 0 priced, 1 free, 0 by use, 0 without a price</p>
"""

    body = re.split("<body>|</body>", page([old, small]))[1]

    headline, rest = BODY.removeprefix("\n").split("\n", 1)
    assert body == f"\n{headline}\n{remark}\n{rest}{nothing}"


def test_title_and_names_on_a_page_are_no_html() -> None:
    assert "<title>a &lt;b&gt;</title>" in document("a <b>", "")
    shares = (Share("<g>", "<c>", 3.0), Share("<g>", "<d>", 1.0))
    text = page([replace(BILL, name="<n>", lines=(line("<w>", 1, HOURLY, service="<s>"),), shares=shares)])
    assert not re.search(r"<[ncdgsw]>", text)
    assert text.count("&lt;c&gt; 75%, &lt;d&gt; 25%") == 1


def test_bar_is_as_long_as_its_part_of_the_largest() -> None:
    assert bars({"a": 1.0, "b": 4.0}, 0) == (
        '<table><tr><td>a</td><td class="n">1.00</td><td class="n dim">0.0%</td>'
        '<td class="bar"><span style="width:25.0%"></span></td></tr>\n'
        '<tr><td>b</td><td class="n">4.00</td><td class="n dim">0.0%</td>'
        '<td class="bar"><span style="width:100.0%"></span></td></tr>\n</table>'
    )


# -- JSON, and what a change costs


def test_json_has_every_figure_of_the_bill() -> None:
    assert as_json([BILL]) == {
        "schema": 1,
        "bills": [
            {
                "name": "mine",
                "region": "eu-west-1",
                "term": "on-demand",
                "total": 154.3,
                "fixed": 146.8,
                "by_use": 7.5,
                "by_use_at_most": 15.0,
                "idle": 46.0,
                "vcpu": 4,
                "vcpu_requested": 1.5,
                "on_grade_a": 0.9462,
                "prices_from": "2025-12-31",
                "prices_to": "2026-02-03",
                "services": {"EC2": 146.0, "S3": 7.5, "EBS": 0.8, "other": 0.0},
                "components": {
                    "proxy": 100.0,
                    "idle": 46.0,
                    "object storage": 7.5,
                    "etcd": 0.8,
                    "other": 0.0,
                    "none": 0.0,
                },
                "lines": [
                    {
                        "service": "S3",
                        "component": "object storage",
                        "what": "writes",
                        "quantity": 1_500_000,
                        "unit": "1000 requests",
                        "price": 0.005,
                        "monthly": 7.5,
                        "monthly_at_most": 15.0,
                        "by_use": True,
                        "grade": "C",
                        "date": "2025-12-31",
                        "source": "",
                        "mark": "grade C: of elsewhere; not measured",
                    },
                    {
                        "service": "other",
                        "component": "other",
                        "what": "AWS::X::Y",
                        "quantity": 1,
                        "unit": "month",
                        "price": None,
                        "monthly": None,
                        "monthly_at_most": None,
                        "by_use": False,
                        "grade": "none",
                        "date": "",
                        "source": "",
                        "mark": "no price; not classified",
                    },
                    {
                        "service": "EBS",
                        "component": "etcd",
                        "what": "volumes of etcd",
                        "quantity": 10,
                        "unit": "GB-month",
                        "price": 0.08,
                        "monthly": 0.8,
                        "monthly_at_most": 0.8,
                        "by_use": False,
                        "grade": "B",
                        "date": "2026-02-03",
                        "source": "a <bill>",
                        "mark": "",
                    },
                    {
                        "service": "EC2",
                        "component": "nodes of a",
                        "what": "m7g.large, node group a",
                        "quantity": 2,
                        "unit": "hour",
                        "price": 0.1,
                        "monthly": 146.0,
                        "monthly_at_most": 146.0,
                        "by_use": False,
                        "grade": "A",
                        "date": "2026-01-02",
                        "source": "AWS & its list",
                        "mark": "",
                    },
                ],
                "nodes": [
                    {"group": "a", "component": "proxy", "monthly": 100.0},
                    {"group": "a", "component": "idle", "monthly": 46.0},
                    {"group": "b", "component": "none", "monthly": 0.0},
                ],
                "resources": {"priced": 3, "free": 2, "by use": 4, "without a price": 1},
                "unclassified": ["AWS::X::Y"],
            }
        ],
    }


def test_json_of_nothing_has_empty_days_and_rounds_quantities() -> None:
    bare = replace(BILL, lines=(line("x", 1.23456, NO_PRICE),), shares=()).as_dict()

    assert (bare["prices_from"], bare["prices_to"], bare["idle"], bare["on_grade_a"]) == ("", "", 0.0, 0.0)
    assert bare["lines"][0]["quantity"] == 1.2346


# More nodes at another price, a volume gone, a line that is new, one whose most alone is another, one without a price.
LATER = replace(
    BILL,
    lines=(
        replace(WRITES, most=6_000_000),
        replace(UNKNOWN, quantity=2),
        replace(NODES, quantity=3, price=replace(HOURLY, amount=0.2)),
        line("keys", 1, Price(1, "month", "A", date(2026, 1, 2), ""), service="KMS"),
    ),
)


def test_change_is_shown_line_by_line_the_largest_first() -> None:
    (difference,) = compare([BILL.as_dict()], [LATER.as_dict()])

    text, styled = shown(lambda console: show_difference(console, difference))

    assert text.splitlines() == [
        "mine: +292.20 USD a month, now 446.50",
        "",
        " What                                              Before                     After  Change a month",
        " ──────────────────────────────────────────────────────────────────────────────────────────────────",
        " EC2: m7g.large, node group a            2 at 0.1: 146.00          3 at 0.2: 438.00         +292.00",
        " KMS: keys                                              -                   1: 1.00           +1.00",
        " EBS: volumes of etcd                            10: 0.80                         -           -0.80",
        " S3: writes (by use; grade C:    1,500,000: 7.50 to 15.00  1,500,000: 7.50 to 30.00           +0.00",
        " of elsewhere; not measured)",
        " other: AWS::X::Y (no price;                  1: no price               2: no price           +0.00",
        " not classified)",
    ]
    assert [each for each in styled if each[0] != "dim"] == [
        ("bold", "mine: +292.20 USD a month, now 446.50"),
        ("bold", "+292.00"),
        ("bold", "+1.00"),
        ("bold", "-0.80"),
        ("bold", "+0.00"),
        ("bold", "+0.00"),
    ]


def test_change_that_is_none_or_a_whole_environment_is_one_line() -> None:
    one, other = BILL.as_dict(), {**LATER.as_dict(), "name": "other"}

    found = [*compare([one], [one]), *compare([one], [one, other]), *compare([one, other], [one])]

    def text(change: Difference) -> object:
        return shown(lambda console: show_difference(console, change))

    assert [text(each) for each in found] == [
        ("mine: no change, 154.30 USD a month", [("bold", "mine: no change, 154.30 USD a month")]),
        ("mine: no change, 154.30 USD a month", [("bold", "mine: no change, 154.30 USD a month")]),
        ("other: new, 446.50 USD a month", [("bold", "other: new, 446.50 USD a month")]),
        ("mine: no change, 154.30 USD a month", [("bold", "mine: no change, 154.30 USD a month")]),
        ("other: gone, 446.50 USD a month less", [("bold", "other: gone, 446.50 USD a month less")]),
    ]


def test_json_of_changes_lists_what_changes_alone() -> None:
    one, other = BILL.as_dict(), {**LATER.as_dict(), "name": "other"}
    found = compare([one, {**one, "name": "gone"}], [LATER.as_dict(), other])

    assert as_json([], found)["differences"] == [
        {
            "name": "mine",
            "monthly": 292.2,
            "total_before": 154.3,
            "total_after": 446.5,
            "lines": [
                {"service": "EC2", "what": "m7g.large, node group a", "monthly": 292.0, "mark": ""},
                {"service": "KMS", "what": "keys", "monthly": 1.0, "mark": ""},
                {"service": "EBS", "what": "volumes of etcd", "monthly": -0.8, "mark": ""},
                {
                    "service": "S3",
                    "what": "writes",
                    "monthly": 0.0,
                    "mark": "by use; grade C: of elsewhere; not measured",
                },
                {"service": "other", "what": "AWS::X::Y", "monthly": 0.0, "mark": "no price; not classified"},
            ],
        },
        {"name": "other", "monthly": 446.5, "total_before": None, "total_after": 446.5, "lines": []},
        {"name": "gone", "monthly": -154.3, "total_before": 154.3, "total_after": None, "lines": []},
    ]


def test_pull_request_shows_each_environment_that_changes_and_its_lines() -> None:
    one = BILL.as_dict()
    # GIVEN an environment that changes, one that does not, one that comes and one that goes
    before = [one, {**one, "name": "same"}, {**one, "name": "gone"}]
    after = [LATER.as_dict(), {**one, "name": "same"}, {**LATER.as_dict(), "name": "new", "on_grade_a": 0.5}]

    assert (
        markdown(compare(before, after))
        == """\
| environment | change, USD a month | new total | of it by use, assumed |
|---|---|---|---|
| mine | +292.20 | 446.50 | 7.50 to 30.00 |
| new | +446.50 (new) | 446.50 | 7.50 to 30.00 |
| gone | -154.30 (gone) | - | - |

<details><summary>Lines of mine</summary>

| what | before | after | change |
|---|---|---|---|
| EC2: m7g.large, node group a | 2 at 0.1: 146.00 | 3 at 0.2: 438.00 | +292.00 |
| KMS: keys | - | 1: 1.00 | +1.00 |
| EBS: volumes of etcd | 10: 0.80 | - | -0.80 |
| S3: writes *(by use; grade C: of elsewhere; not measured)* | 1,500,000: 7.50 to 15.00 | 1,500,000: 7.50 to 30.00 | +0.00 |
| other: AWS::X::Y *(no price; not classified)* | 1: no price | 2: no price | +0.00 |

</details>

List prices of 2025-12-31 to 2026-01-02; 50% of the bill or more is on AWS's own figures.
"""
    )


def test_cell_of_a_pull_request_keeps_its_column() -> None:
    before = replace(BILL, lines=(line("a|b\nc", 1, replace(ASKED, note="d|e")),)).as_dict()
    after = replace(BILL, lines=()).as_dict()

    assert "| S: a\\|b c *(grade C: d\\|e)* | 1: 0.00 | - | +0.00 |" in markdown(compare([before], [after]))


@pytest.mark.parametrize(("amount", "text"), [(1_000_000, "1,000,000"), (12_345_678.9, "12,345,678.9"), (0.5, "0.5")])
def test_millions_of_requests_are_written_out(amount: float, text: str) -> None:
    before = {"name": "n", "total": 1, "lines": [{**BILL.as_dict()["lines"][0], "quantity": amount}]}

    ((change,),) = [each.changes for each in compare([before], [{**before, "lines": []}])]

    assert (change.text_before, change.text_after) == (f"{text}: 7.50 to 15.00", "-")


def test_base_of_an_older_version_has_no_upper_end() -> None:
    old = {"service": "S", "what": "w", "monthly": 1.0, "price": 0.5, "quantity": 2}

    (difference,) = compare(
        [{"name": "n", "total": 1.0, "lines": [old]}],
        [{"name": "n", "total": 1.006, "lines": [{**old, "monthly": 1.006, "price": 0.503, "monthly_at_most": 1.006}]}],
    )

    (change,) = difference.changes
    assert (change.text_before, change.text_after, change.mark) == ("2 at 0.5: 1.00", "2 at 0.503: 1.01", "")
    # AND what changes is rounded to cents
    assert (change.monthly, difference.monthly) == (0.01, 0.01)
