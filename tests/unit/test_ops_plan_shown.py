"""What `ops plan` shows of a made-up plan, all of it; how much a change concerns, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.plan import Change, Plan, markdown
from ops.plan.amounts import HOLDS, affected, creation_takes, takes
from ops.plan.changes import Creation
from ops.plan.markdown import effect, summary
from ops.plan.ways import Way, bound_to, may_hold_pods, ways
from settings import Environment, parse_environment
from settings.changes import Change as Declared
from settings.changes import Effect
from settings.parts import Part
from settings.refusals import Refusal
from tests.unit.settings_files import file_with


def change(setting: str, **more: Any) -> Change:
    given = {"old": 1, "new": 2, "effect": "in-place", "of": "", "affected": "", "takes": ""}
    return Change(setting=setting, **{**given, **more})


REFUSED = change("a.b", old=5, new=3, affected="8 pods", takes="8 min", refused="it only grows", remedy="leave | it")
ACCEPTED = change("c", old="x", new=None, of="pods", affected="3 pods", takes="1 to 3 min", accepted="it is empty")
PLAN = Plan(
    environment="mine",
    changes=(REFUSED, ACCEPTED),
    created=(Creation(stack="mine-network", holds="the VPC", takes="3 to 5 min"),),
    creation_takes="3 to 5 min",
    ways=(Way(title="2 deployments: why", steps=("a to b", "b to c|d\ne")), Way(title="T", steps=("x",))),
    notes=("one is odd", "another, too"),
)
NOTHING = Plan(environment="mine", changes=(), created=(), creation_takes="", ways=(), notes=())


def run(monkeypatch: pytest.MonkeyPatch, plan: Plan, *options: str) -> Any:
    monkeypatch.setattr(aws, "session", lambda **_: None)
    monkeypatch.setattr(aws, "client", lambda *_, **__: None)
    monkeypatch.setattr("ops.plan.read_deployed", lambda *_, **__: "deployed")
    monkeypatch.setattr("ops.plan.make_plan", lambda _, deployed: {"deployed": plan}[deployed])
    result = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["plan", "--env", "dev", *options])
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    return result.exit_code, lines, result.stderr


def test_terminal_shows_changes_refusals_creations_and_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, PLAN) == (
        3,
        """\
Changes of mine

  Setting   From   To        Effect                                   Affected   Takes about
 ────────────────────────────────────────────────────────────────────────────────────────────
  a.b       5      3         refused                                  8 pods
  c         x      nothing   in-place: pods (accepted: it is empty)   3 pods     1 to 3 min

Refused
  a.b: it only grows; leave | it

Created for mine

  Stack          Holds     Takes about
 ──────────────────────────────────────
  mine-network   the VPC   3 to 5 min

2 deployments: why
  1. a to b
  2. b to c|d
e

T
  1. x

mine: 1 of 2 changes refused""".splitlines(),
        "note  one is odd\nnote  another, too\n",
    )


def test_terminal_shows_nothing_of_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, NOTHING) == (0, ["mine: no setting changes"], "")
    only = NOTHING.model_copy(update={"changes": (change("a", of="pods"),)})
    code, lines, _ = run(monkeypatch, only)
    assert (code, lines[0], lines[-2:]) == (0, "Changes of mine", ["", "mine: 1 setting changes"])
    assert "Refused" not in lines


def test_markdown_is_whole_and_has_its_notes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
**mine**: 1 of 2 changes refused

| setting | from | to | effect | affected | takes |
|---|---|---|---|---|---|
| `a.b` | `5` | `3` | refused: it only grows; leave \\| it | 8 pods | 8 min |
| `c` | `x` | `nothing` | in-place: pods (accepted: it is empty) | 3 pods | 1 to 3 min |

| created | holds | takes |
|---|---|---|
| `mine-network` | the VPC | 3 to 5 min |

2 deployments: why:

1. a to b
2. b to c\\|d e

T:

1. x

- one is odd
- another, too
"""
    assert markdown(PLAN) == text
    assert markdown(NOTHING) == "**mine**: no setting changes\n"
    assert run(monkeypatch, PLAN, "--markdown") == (3, [*text.splitlines(), ""], "")


def test_value_of_a_file_is_no_markdown_of_ours() -> None:
    odd = change("a", old="x`y|z", new="l\nm")

    assert "| `a` | `xy\\|z` | `l m` | in-place |  |  |" in markdown(NOTHING.model_copy(update={"changes": (odd,)}))


def test_json_is_the_plan_and_its_notes_are_said_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    code, lines, said = run(monkeypatch, PLAN, "--json")

    assert (code, said) == (3, "note  one is odd\nnote  another, too\n")
    assert json.loads("\n".join(lines)) == {
        "environment": "mine",
        "changes": [
            {
                "setting": "a.b",
                "old": 5,
                "new": 3,
                "effect": "in-place",
                "of": "",
                "affected": "8 pods",
                "takes": "8 min",
                "refused": "it only grows",
                "remedy": "leave | it",
                "accepted": "",
            },
            {
                "setting": "c",
                "old": "x",
                "new": None,
                "effect": "in-place",
                "of": "pods",
                "affected": "3 pods",
                "takes": "1 to 3 min",
                "refused": "",
                "remedy": "",
                "accepted": "it is empty",
            },
        ],
        "created": [{"stack": "mine-network", "holds": "the VPC", "takes": "3 to 5 min"}],
        "creation_takes": "3 to 5 min",
        "ways": [
            {"title": "2 deployments: why", "steps": ["a to b", "b to c|d\ne"]},
            {"title": "T", "steps": ["x"]},
        ],
        "notes": ["one is odd", "another, too"],
    }


@pytest.mark.parametrize(
    ("update", "line"),
    [
        ({}, "no setting changes"),
        ({"changes": (ACCEPTED,)}, "1 setting changes"),
        ({"changes": (ACCEPTED, ACCEPTED)}, "2 settings change"),
        ({"changes": (ACCEPTED, REFUSED, REFUSED), "created": PLAN.created}, "2 of 3 changes refused"),
        ({"created": PLAN.created, "creation_takes": "1 to 2 min"}, "1 stacks are created, about 1 to 2 min"),
        (
            {"created": PLAN.created, "creation_takes": "1 to 2 min", "changes": (ACCEPTED,)},
            "1 stacks are created, about 1 to 2 min, 1 settings change",
        ),
    ],
)
def test_one_line_says_whether_it_can_be_deployed(update: dict[str, Any], line: str) -> None:
    assert summary(NOTHING.model_copy(update=update)) == line


def test_effect_is_said_with_what_it_happens_to_or_why_it_cannot_be() -> None:
    assert [effect(each) for each in (REFUSED, ACCEPTED, change("a"), change("a", of="nodes"))] == [
        "refused: it only grows; leave | it",
        "in-place: pods (accepted: it is empty)",
        "in-place",
        "in-place: nodes",
    ]


# -- how much, and for how long


def env(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="file")


MORE = ("cluster.node_groups.more", {"instance_types": ["m7g.2xlarge"], "desired_size": 1, "max_size": 1})


@pytest.mark.parametrize(
    ("path", "what", "number", "time"),
    [
        # nodes: of all groups, or of one
        ("cluster.version", Effect.ROLLS_NODES, "4 nodes", "26 to 47 min"),
        ("tags", Effect.ROLLS_NODES, "4 nodes", "16 to 32 min"),
        ("cluster.node_groups.milvus.disk_gib", Effect.ROLLS_NODES, "3 nodes", "12 to 24 min"),
        ("cluster.node_groups.more.disk_gib", Effect.ROLLS_NODES, "1 node", "4 to 8 min"),
        ("cluster.node_groups.more.spot", Effect.REPLACES_NODE_GROUP, "1 node", "10 to 20 min"),
        ("cluster.node_groups.gone", Effect.REPLACES_NODE_GROUP, "", "10 to 20 min"),
        # brokers
        ("queue.retention_hours", Effect.BROKER_BY_BROKER, "3 brokers", "30 to 45 min"),
        # pods: of all components, with etcd where its members or their place change, or of one
        ("milvus.version", Effect.RESTARTS_PODS, "7 pods", "7 to 21 min"),
        ("milvus.line", Effect.RESTARTS_PODS, "10 pods", "10 to 30 min"),
        ("milvus.node_group", Effect.RESTARTS_PODS, "10 pods", "10 to 30 min"),
        ("milvus.etcd.replicas", Effect.RESTARTS_PODS, "10 pods", "10 to 30 min"),
        ("milvus.etcd.cpu", Effect.RESTARTS_PODS, "3 pods", "3 to 9 min"),
        ("milvus.attu.exposure", Effect.RESTARTS_PODS, "1 pod", "1 to 3 min"),
        ("milvus.components.proxy.cpu", Effect.RESTARTS_PODS, "2 pods", "2 to 6 min"),
        ("milvus.components.index_node", Effect.RESTARTS_PODS, "", "1 to 3 min"),
        # nothing is counted, or nothing is waited for
        ("a", Effect.IN_PLACE, "", "1 to 5 min"),
        ("a", Effect.REPLACES, "", "3 to 10 min"),
        ("a", Effect.NONE, "", ""),
        ("a", Effect.NEVER, "", ""),
    ],
)
def test_change_concerns_so_many_and_takes_so_long(path: str, what: Effect, number: str, time: str) -> None:
    settings, declared = env(MORE), Declared(what)

    assert (affected(settings, path, declared), takes(settings, path, declared)) == (number, time)


def test_brokers_that_are_not_there_are_not_counted() -> None:
    woodpecker = env(("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0"))

    declared = Declared(Effect.BROKER_BY_BROKER)
    assert affected(woodpecker, "queue.brokers", declared) == ""
    assert takes(woodpecker, "queue.brokers", declared) == "10 to 15 min"


@pytest.mark.parametrize(
    ("missing", "time"),
    [
        ((), ""),
        ((Part.NETWORK,), "3 to 5 min"),
        ((Part.STORAGE,), "1 to 2 min"),
        ((Part.STREAMING,), "25 to 40 min"),
        ((Part.EKS,), "15 to 25 min"),
        ((Part.MILVUS,), "5 to 15 min"),
        ((Part.STORAGE, Part.STREAMING, Part.EKS), "26 to 42 min"),
        ((Part.EKS, Part.MILVUS), "20 to 40 min"),
    ],
)
def test_stacks_take_their_time_brokers_and_cluster_together(missing: tuple[Part, ...], time: str) -> None:
    assert creation_takes(missing) == time


def test_what_each_stack_holds_is_said() -> None:
    assert HOLDS == {
        Part.NETWORK: "the VPC, its ways out and endpoints",
        Part.STORAGE: "buckets and their keys",
        Part.STREAMING: "the brokers and their user",
        Part.EKS: "the cluster, its nodes and controllers",
        Part.MILVUS: "the release and its load balancers",
    }


# -- ways

GROUP = "cluster.node_groups"


def test_pods_are_bound_to_a_group_by_settings_of_milvus_alone() -> None:
    settings = {
        "milvus.node_group": "",
        "milvus.components.proxy.node_group": "a",
        "milvus.etcd.node_group": "a",
        "milvus.attu.node_group": "b",
        "milvus.node_group_of": "a",
        "queue.node_group": "a",
    }

    assert bound_to(settings, "a") == ["milvus.components.proxy.node_group", "milvus.etcd.node_group"]
    assert [may_hold_pods(settings, each) for each in ("a", "b", "c")] == [True, True, True]
    # AND where all of Milvus is bound to one, no other holds a pod of it
    bound = {**settings, "milvus.node_group": "d"}
    assert [may_hold_pods(bound, each) for each in ("a", "b", "c", "d")] == [True, True, False, True]


def test_second_group_has_a_name_that_neither_file_has() -> None:
    old = {f"{GROUP}.a.instance_types": ["x"], f"{GROUP}.a-2.instance_types": ["x"], f"{GROUP}.b.instance_types": ["x"]}
    new = {**old, f"{GROUP}.a.instance_types": ["y"], f"{GROUP}.a-3.instance_types": ["x"]}

    [way] = ways(old, new, [])

    assert way.steps == (
        f"leave {GROUP}.a as it is deployed, and add {GROUP}.a-4 with what this file says of a "
        "(`milvus-ops doctor` says whether the quota has vCPUs for both)",
        "milvus.node_group: nothing to a-4; the pods move one after the other, within their disruption budgets",
        f"remove {GROUP}.a",
    )


def test_groups_that_come_for_one_that_goes_are_added_first() -> None:
    old = {f"{GROUP}.a.instance_types": ["x"], "milvus.node_group": "a", "milvus.etcd.node_group": "a"}
    new = {
        f"{GROUP}.c.instance_types": ["x"],
        f"{GROUP}.b.instance_types": ["x"],
        "milvus.node_group": "b",
        "milvus.etcd.node_group": "c",
    }

    [way] = ways(old, new, [])

    assert way.title == f"3 deployments, one after the other: {GROUP}.a goes without an interruption"
    assert way.steps == (
        f"add {GROUP}.b, {GROUP}.c, and leave the rest as it is deployed",
        "milvus.etcd.node_group: a to c, milvus.node_group: a to b; the pods move one after the other, within their "
        "disruption budgets",
        f"remove {GROUP}.a",
    )


def test_setting_that_only_one_of_two_versions_has_makes_no_way() -> None:
    before = {f"{GROUP}.a.instance_types": ["x"]}
    after = {**before, f"{GROUP}.a.spot": True}

    assert list(ways(before, after, [])) == list(ways(after, before, [])) == []
    [way] = ways({**before, f"{GROUP}.a.spot": False}, after, [])
    assert way.title == f"3 deployments, one after the other: {GROUP}.a without an interruption"


def test_step_that_is_refused_for_another_reason_has_no_way() -> None:
    # GIVEN a version that goes back, which no number of steps makes possible
    back = Refusal("cluster.version", "1.36", "1.34", "it only grows", "leave it")

    assert list(ways({"cluster.version": "1.36"}, {"cluster.version": "1.34"}, [back])) == []
