"""The tables of the command line: every column, state and colour of them, on made-up rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.text import Text

from ops.doctor.facts import Unread
from ops.doctor.findings import Report, advice, blocks, not_checked, ok
from ops.endpoints import Endpoint
from ops.plan.changes import Change, Creation, Plan
from ops.plan.ways import Way
from ops.rebalance.plan import Move, Partition
from ops.rows import add_row, new_table
from ops.stacks import Stack
from ops.status import ManagedService
from ops.tables import (
    changes_table,
    creations_table,
    endpoints_table,
    findings_table,
    moves_table,
    refusal_lines,
    services_table,
    stacks_table,
    way_lines,
    workloads_table,
)
from ops.workloads import Workload
from tests.unit.shown import shown

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def look(table: Any, *, width: int = 120) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines that are shown, and what of them is coloured: titles and heads are left out."""
    text, styled = shown(lambda console: console.print(table), width=width)
    return text.splitlines(), [each for each in styled if each[0] not in {"dim", "bold"}]


def change(setting: str, **more: Any) -> Change:
    given = {"old": 1, "new": 2, "effect": "in-place", "of": "", "affected": "", "takes": ""}
    return Change(setting=setting, **{**given, **more})


def workload(**more: Any) -> Workload:
    given = {"kind": "Deployment", "namespace": "n", "name": "proxy", "wanted": 2, "ready": 2, "rolled_out": True}
    return Workload(**{**given, **more})


PLAN = Plan(
    environment="mine",
    changes=(
        change("a.b", refused="it cannot be", remedy="leave it"),
        change("c", old={"x": [1]}, new=None, of="pods", affected="3 pods", takes="1 to 3 min"),
        change("d", accepted="it is empty", takes="1 min"),
    ),
    created=(Creation(stack="mine-network", holds="the VPC", takes="3 to 5 min"),),
    creation_takes="3 to 5 min",
    ways=(),
    notes=(),
)
REPORT = Report(
    environment="mine",
    region="eu-west-1",
    account="111122223333",
    findings=(
        ok("a", "is well"),
        advice("b", "is odd", why="so it is", remedy="look"),
        not_checked("c", "is unknown", Unread("no answer", "x:Y")),
        blocks("d", "[red]:secret:", why="taken", remedy="free it"),
    ),
)
STACKS = (
    Stack(name="one", state="CREATE_COMPLETE", updated=WHEN, protected=True, protection_asked=True),
    Stack(name="two", state="UPDATE_IN_PROGRESS", reason="[red]", protected=True),
    Stack(name="three", state="ROLLBACK_COMPLETE", reason="it failed", protection_asked=True),
    Stack(name="four", state="NOT_DEPLOYED", protection_asked=True),
    Stack(name="five", state="UPDATE_COMPLETE"),
)
SERVICES = tuple(
    ManagedService(kind="MSK cluster", name="m", state=state, detail="3 brokers")
    for state in (
        *("ACTIVE", "CREATING", "UPDATING", "REBOOTING_BROKER", "MAINTENANCE", "HEALING"),
        *("FAILED", "NOT_DEPLOYED"),
    )
)
WORKLOADS = (
    workload(image="i:1"),
    workload(name="data", ready=1, rolled_out=False),
    workload(kind="StatefulSet", name="etcd", ready=3, wanted=3, rolled_out=False),
)
ENDPOINTS = (
    Endpoint(key="A", label="Milvus", value="https://x"),
    Endpoint(key="B", label="Attu", value=None, why_absent="off"),
)
MOVES = (Move(Partition("t", 0, (1, 2)), (3, 2)), Move(Partition("u", 7, (1, 2)), (3, 4)))

TABLES: dict[str, tuple[Any, str, list[tuple[str, str]]]] = {
    "stacks": (
        stacks_table(STACKS),
        """\
Stacks

  Stack   State                Protected            Last change            Reason
 ────────────────────────────────────────────────────────────────────────────────────
  one     CREATE_COMPLETE      yes                  2026-01-02 03:04 UTC
  two     UPDATE_IN_PROGRESS   yes, not asked for                          [red]
  three   ROLLBACK_COMPLETE    no, but asked for                           it failed
  four    NOT_DEPLOYED
  five    UPDATE_COMPLETE      no""",
        [
            ("green", "CREATE_COMPLETE"),
            ("yellow", "UPDATE_IN_PROGRESS"),
            ("bold red", "ROLLBACK_COMPLETE"),
            ("bold red", "no, but asked for"),
            ("yellow", "NOT_DEPLOYED"),
            ("green", "UPDATE_COMPLETE"),
        ],
    ),
    "services": (
        services_table(SERVICES),
        """\
Services

  Service       Name   State              Detail
 ───────────────────────────────────────────────────
  MSK cluster   m      ACTIVE             3 brokers
  MSK cluster   m      CREATING           3 brokers
  MSK cluster   m      UPDATING           3 brokers
  MSK cluster   m      REBOOTING_BROKER   3 brokers
  MSK cluster   m      MAINTENANCE        3 brokers
  MSK cluster   m      HEALING            3 brokers
  MSK cluster   m      FAILED             3 brokers
  MSK cluster   m      NOT_DEPLOYED       3 brokers""",
        [
            ("green", "ACTIVE"),
            ("yellow", "CREATING"),
            ("yellow", "UPDATING"),
            ("yellow", "REBOOTING_BROKER"),
            ("yellow", "MAINTENANCE"),
            ("yellow", "HEALING"),
            ("bold red", "FAILED"),
            ("yellow", "NOT_DEPLOYED"),
        ],
    ),
    "workloads": (
        workloads_table(WORKLOADS),
        """\
Deployments

  Kind          Name    Ready/wanted    Image
 ─────────────────────────────────────────────
  Deployment    proxy   2/2             i:1
  Deployment    data    1/2
  StatefulSet   etcd    3/3, some old""",
        [("green", "2/2"), ("red", "1/2"), ("red", "3/3, some old")],
    ),
    "workloads-of": (
        workloads_table((), source="a file"),
        """\
Deployments (a file)

  Kind   Name   Ready/wanted   Image
 ────────────────────────────────────""",
        [],
    ),
    "endpoints": (
        endpoints_table(ENDPOINTS),
        """\
Endpoints

  What     Where
 ────────────────────
  Milvus   https://x
  Attu     - off""",
        [],
    ),
    "moves": (
        moves_table(MOVES),
        """\
2 partitions, 3 copies to make

  Topic   Partition   Brokers   Then
 ────────────────────────────────────
  t       0           1, 2      3, 2
  u       7           1, 2      3, 4""",
        [],
    ),
    "changes": (
        changes_table(PLAN),
        """\
Changes of mine

  Setting   From       To        Effect                             Affected   Takes about
 ──────────────────────────────────────────────────────────────────────────────────────────
  a.b       1          2         refused
  c         {x: [1]}   nothing   in-place: pods                     3 pods     1 to 3 min
  d         1          2         in-place (accepted: it is empty)              1 min""",
        [("bold red", "refused"), ("yellow", "in-place (accepted: it is empty)")],
    ),
    "refusals": (
        refusal_lines(PLAN),
        """\
Refused
  a.b: it cannot be; leave it""",
        [("bold red", "Refused")],
    ),
    "creations": (
        creations_table(PLAN),
        """\
Created for mine

  Stack          Holds     Takes about
 ──────────────────────────────────────
  mine-network   the VPC   3 to 5 min""",
        [],
    ),
    "way": (
        way_lines(Way(title="T [x]", steps=("a [y]", "b"))),
        """\
T [x]
  1. a [y]
  2. b""",
        [],
    ),
    "findings": (
        findings_table(REPORT),
        """\
mine in eu-west-1 of 111122223333

  Check                 What            Why         Do
 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
  a       ok            is well
  b       advice        is odd          so it is    look
  c       not checked   is unknown      no answer   The call needs x:Y; policies/doctor.json allows all that doctor
                                                    reads
  d       blocks        [red]:secret:   taken       free it""",
        [("green", "ok"), ("yellow", "advice"), ("yellow", "not checked"), ("bold red", "blocks")],
    ),
    "findings-of-nobody": (
        findings_table(REPORT.model_copy(update={"account": "", "findings": ()})),
        """\
mine in eu-west-1

  Check      What   Why   Do
 ────────────────────────────""",
        [],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_table_shows_each_column_in_order_and_colours_what_matters(name: str) -> None:
    table, text, coloured = TABLES[name]

    assert look(table) == (text.splitlines(), coloured)


def test_title_is_bold_and_heads_and_what_is_absent_are_dim() -> None:
    _, styled = shown(lambda console: console.print(endpoints_table(ENDPOINTS)))

    assert styled == [("bold", "Endpoints"), ("dim", "What"), ("dim", "Where"), ("dim", "- off")]
    assert shown(lambda console: console.print(TABLES["way"][0]))[1] == [("bold", "T [x]")]


def test_narrow_terminal_folds_a_cell_and_cuts_no_path() -> None:
    # GIVEN a path and an ARN that are wider than the terminal
    where = Endpoint(key="A", label="ARN", value="arn:aws:x:" + "y" * 40)
    plan = PLAN.model_copy(update={"changes": (change("cluster.node_groups.general.instance_types", of="z " * 30),)})

    # THEN the ARN goes on in the next line, and the path is searched for as it is
    assert "".join(line.strip() for line in look(endpoints_table([where]), width=30)[0]).endswith("y" * 20)
    assert "…" not in shown(lambda console: console.print(endpoints_table([where])), width=30)[0]
    assert any("cluster.node_groups.general.instance_types" in line for line in look(changes_table(plan), width=80)[0])


def test_number_stands_at_the_right_of_its_column() -> None:
    table = new_table("T", ("What", "Number"), right=("Number",))
    add_row(table, "a", Text("1", style="red"))
    add_row(table, "b [x] :secret:", "22")

    assert look(table) == (
        [
            "T",
            "",
            "  What             Number",
            " ─────────────────────────",
            "  a                     1",
            "  b [x] :secret:       22",
        ],
        [("red", "1")],
    )
