"""`ops plan`: what a deployment of a file would do to what is deployed, before anything is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from ops import aws
from ops.cli import app
from ops.plan import Plan, make_plan, markdown, read_deployed
from ops.plan.changes import values
from ops.plan.markdown import summary
from settings import Environment, parse_environment
from settings.parts import Part, parts, stack_name
from settings.record import record_of
from settings.version import version
from tests.assemblies import environment
from tests.unit.settings_files import file_with


def env(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="file")


class CloudFormation:
    """The stacks of an environment as they are deployed."""

    def __init__(self, *deployed: tuple[Part, Environment], silent: tuple[str, ...] = (), by: str = version()) -> None:
        self.templates: dict[str, Any] = {}
        for part, settings in deployed:
            kept = {"Settings": json.dumps(record_of(settings, part)), "Version": by}
            guard = {"Type": "Custom::ChangeGuard", "Properties": kept}
            self.templates[stack_name(settings, part)] = {"Resources": {"A": {"Type": "AWS::X"}, "G": guard}}
        for name in silent:
            self.templates[name] = {"Resources": {"A": {"Type": "AWS::X"}}}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert TemplateStage == "Original"
        if StackName not in self.templates:
            message = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": message}, "GetTemplate")
        return {"TemplateBody": self.templates[StackName]}


def deployed(settings: Environment, **options: Any) -> CloudFormation:
    return CloudFormation(*((part, settings) for part in parts(settings)), **options)


def plan(wanted: Environment, cloudformation: CloudFormation) -> Plan:
    return make_plan(wanted, read_deployed(wanted, client=cloudformation))


def rows(found: Plan) -> list[tuple[Any, ...]]:
    return [(each.setting, each.old, each.new, each.effect, each.affected, each.takes) for each in found.changes]


def test_nothing_changes_where_the_file_is_what_is_deployed() -> None:
    found = plan(env(), deployed(env()))
    assert (found.changes, found.created, found.notes) == ((), (), ())
    assert summary(found) == "no setting changes"


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (
            ("milvus.version", "2.6.24"),
            ("milvus.version", "2.6.25", "2.6.24", "restarts-pods", "7 pods", "7 to 21 min"),
        ),
        (
            ("cluster.node_groups.milvus.disk_gib", 100),
            ("cluster.node_groups.milvus.disk_gib", 80, 100, "rolls-nodes", "3 nodes", "12 to 24 min"),
        ),
        (
            ("cluster.node_groups.milvus.instance_types", ["m7g.4xlarge"]),
            (
                "cluster.node_groups.milvus.instance_types",
                ["m7g.2xlarge"],
                ["m7g.4xlarge"],
                "replaces-node-group",
                "3 nodes",
                "10 to 20 min",
            ),
        ),
        (
            ("queue.retention_hours", 200),
            ("queue.retention_hours", 168, 200, "broker-by-broker", "3 brokers", "30 to 45 min"),
        ),
        (("queue.brokers", 6), ("queue.brokers", 3, 6, "in-place, only grows", "", "1 to 5 min")),
        (
            ("milvus.components.proxy", {"cpu": 2}),
            ("milvus.components.proxy.cpu", 1.0, 2.0, "restarts-pods", "2 pods", "2 to 6 min"),
        ),
        (
            ("milvus.etcd", {"replicas": 4}),
            ("milvus.etcd.replicas", 3, 4, "restarts-pods, only grows", "11 pods", "11 to 33 min"),
        ),
        (("tags", {"a": "b"}), ("tags", {}, {"a": "b"}, "in-place", "", "1 to 5 min")),
        (
            ("cluster.node_groups.more", {"instance_types": ["m7g.2xlarge"], "desired_size": 1, "max_size": 1}),
            ("cluster.node_groups.more", None, "there", "in-place", "", "1 to 5 min"),
        ),
    ],
)
def test_change_is_shown_with_its_effect_how_much_it_concerns_and_how_long(
    change: tuple[str, Any], row: tuple[Any, ...]
) -> None:
    assert rows(plan(env(change), deployed(env()))) == [row]


def test_upgrade_of_kubernetes_takes_the_control_plane_and_every_node() -> None:
    found = plan(env(), deployed(env(("cluster.version", "1.35"))))
    assert rows(found) == [
        ("cluster.version", "1.35", "1.36", "rolls-nodes, only grows", "3 nodes", "22 to 39 min"),
    ]


def test_taint_restarts_what_is_bound_to_the_group() -> None:
    old = environment("prod")
    data = json.loads(old.model_dump_json())
    data["cluster"]["node_groups"]["query"]["taints"][0]["key"] = "purpose"
    new = Environment.model_validate(data)
    [row] = rows(plan(new, deployed(old)))
    assert row[3:] == ("restarts-pods", "3 pods", "3 to 9 min")


def test_group_that_goes_takes_its_nodes_along() -> None:
    more = {"instance_types": ["m7g.2xlarge"], "desired_size": 1, "max_size": 1}
    found = plan(env(), deployed(env(("cluster.node_groups.more", more))))
    assert rows(found) == [("cluster.node_groups.more", "there", None, "replaces-node-group", "", "10 to 20 min")]
    assert found.changes[0].of == "the group goes: all its pods with its nodes"


def test_component_that_a_line_does_not_have_goes() -> None:
    found = {row[0]: row[1:] for row in rows(plan(env(), deployed(env(("milvus.line", "2.5")))))}
    assert found["milvus.components.index_node"] == ("there", None, "restarts-pods", "", "1 to 3 min")
    assert found["milvus.components.streaming_node"] == (None, "there", "in-place", "", "1 to 5 min")


def test_refusals_come_first_with_reason_and_remedy() -> None:
    found = plan(env(("milvus.namespace", "vectors"), ("milvus.version", "2.6.24")), deployed(env()))
    first = found.changes[0]
    assert (first.setting, first.refused, first.remedy) == (
        "milvus.namespace",
        "it cannot change once deployed",
        "make a new environment and move the data",
    )
    assert summary(found) == "1 of 2 changes refused"


def test_accepted_change_is_shown_with_its_reason() -> None:
    accepted = [{"path": "milvus.namespace", "old": "milvus", "new": "vectors", "reason": "it holds nothing yet"}]
    found = plan(env(("milvus.namespace", "vectors"), ("changes", {"accept": accepted})), deployed(env()))
    assert (found.refused, found.changes[0].accepted) == ((), "it holds nothing yet")
    assert "never (accepted: it holds nothing yet)" in markdown(found)


def test_without_a_deployment_it_shows_what_is_created_and_for_how_long() -> None:
    found = plan(env(), CloudFormation())
    assert found.changes == ()
    assert [each.stack for each in found.created] == [f"milvus-test-{part}" for part in Part]
    # Brokers and cluster are created at the same time.
    assert found.creation_takes == "34 to 62 min"
    assert summary(found) == "5 stacks are created, about 34 to 62 min"


def test_stack_that_is_not_there_yet_is_created_and_not_changed() -> None:
    # GIVEN a deployment that ended after its first stack
    found = plan(env(("milvus.namespace", "vectors")), CloudFormation((Part.NETWORK, env())))
    # THEN settings of the others are none that change, but for what the first stack refuses
    assert [each.setting for each in found.changes] == ["milvus.namespace"]
    assert len(found.created) == 4


def test_stack_knows_its_own_settings_better_than_the_copy_of_another() -> None:
    # GIVEN an update that changed the first stack alone, because the second one failed
    old, new = env(), env(("queue.retention_hours", 200))
    cloudformation = CloudFormation(*((part, new if part is Part.MILVUS else old) for part in parts(old)))
    assert [each.setting for each in plan(new, cloudformation).changes] == ["queue.retention_hours"]


def test_stack_of_before_the_guard_is_said_to_be_unknown() -> None:
    cloudformation = CloudFormation(silent=tuple(stack_name(env(), part) for part in Part))
    found = plan(env(("milvus.version", "2.6.24")), cloudformation)
    assert (found.changes, found.created) == ((), ())
    assert found.notes[0] == (
        "milvus-test-network was deployed before stacks kept their settings: what changes there is not known"
    )


def test_brokers_that_the_file_no_longer_has_are_named() -> None:
    wanted = env(("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0"))
    found = plan(wanted, deployed(env(("milvus.line", "3.0"))))
    assert [each.setting for each in found.refused] == ["queue.kind"]
    assert "milvus-test-streaming is deployed, but the file has no brokers any more; nothing deletes it" in found.notes


def test_another_version_of_the_project_is_said() -> None:
    [note] = plan(env(), deployed(env(), by="0.0.9")).notes
    assert note == (
        f"deployed by version 0.0.9 of this project, this is {version()}: `make diff` shows what else changes"
    )


def test_setting_that_only_the_deployed_version_had_is_shown() -> None:
    cloudformation = deployed(env())
    guard = cloudformation.templates["milvus-test-milvus"]["Resources"]["G"]["Properties"]
    guard["Settings"] = json.dumps({**json.loads(guard["Settings"]), "milvus.gone": 1})
    [row] = rows(plan(env(), cloudformation))
    assert row[:4] == ("milvus.gone", 1, None, "in-place")


def test_template_that_boto3_leaves_a_text_is_read() -> None:
    cloudformation = deployed(env())
    cloudformation.templates = {name: json.dumps(each) for name, each in cloudformation.templates.items()}
    assert plan(env(), cloudformation).changes == ()


def test_markdown_is_one_table_in_which_no_value_becomes_markdown_of_ours() -> None:
    text = markdown(plan(env(("tags", {"a": "x/y"}), ("milvus.version", "2.6.24")), deployed(env())))
    assert text.splitlines()[0] == "**milvus-test**: 2 settings change"
    assert text == f"{text.strip()}\n"
    assert text.splitlines()[-1][:2] in {"| ", "- "}
    assert (
        "| `milvus.version` | `2.6.25` | `2.6.24` | restarts-pods: every pod of Milvus | 7 pods | 7 to 21 min |" in text
    )


MSK_ONE_BY_ONE = (
    "AWS takes one kind of these changes at a time (MSK: you can't update multiple attributes of the cluster "
)
_OTHER_GROUP = {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3}


def test_brokers_change_in_one_way_at_a_time_in_the_order_that_is_shown() -> None:
    # GIVEN a file that changes everything of the brokers that MSK takes one by one
    new = env(
        ("queue.broker_type", "kafka.m7g.xlarge"),
        ("queue.brokers", 6),
        ("queue.storage.volume_gib", 200),
        ("queue.retention_hours", 200),
        ("queue.message_max_bytes", 10485881),
        ("queue.monitoring", "DEFAULT"),
    )
    found = plan(new, deployed(env(("queue.kafka_version", "3.8.x.kraft"))))
    # THEN all but one are refused
    assert len(found.refused) == 6
    # AND the deployments that do it are listed, each with what it leaves as it is
    [way] = found.ways
    assert way.title == f"6 deployments, one after the other: {MSK_ONE_BY_ONE}in same request)"
    last = "queue.monitoring stays PER_BROKER"
    properties = f"queue.message_max_bytes stays 10485880, queue.retention_hours stays 168, {last}"
    volume = f"queue.storage.volume_gib stays 100, {properties}"
    version = f"queue.kafka_version stays 3.8.x.kraft, {volume}"
    assert way.steps == (
        f"queue.broker_type: kafka.m7g.large to kafka.m7g.xlarge, while queue.brokers stays 3, {version}",
        f"queue.brokers: 3 to 6, while {version}",
        f"queue.kafka_version: 3.8.x.kraft to 3.9.x.kraft, while {volume}",
        f"queue.storage.volume_gib: 100 to 200, while {properties}",
        f"queue.message_max_bytes: 10485880 to 10485881, queue.retention_hours: 168 to 200, while {last}",
        "queue.monitoring: PER_BROKER to DEFAULT",
    )


def test_members_of_etcd_come_one_by_one() -> None:
    found = plan(env(("milvus.etcd", {"replicas": 3})), deployed(env(("milvus.etcd", {"replicas": 1}))))
    [refused] = found.refused
    assert (refused.refused, refused.remedy) == ("it moves one step at a time", "use 2 first")
    [way] = found.ways
    assert way.title == "2 deployments, one after the other: milvus.etcd.replicas moves one step at a time"
    assert way.steps == ("milvus.etcd.replicas: 1 to 2", "milvus.etcd.replicas: 2 to 3")


def test_each_deployment_that_is_shown_is_refused_by_nobody() -> None:
    # GIVEN the kinds of change that MSK takes one by one, and the version of Kubernetes beside a size
    sizes = ("cluster.node_groups.milvus.desired_size", 4), ("cluster.node_groups.milvus.max_size", 4)
    wanted = (("queue.broker_type", "kafka.m7g.xlarge"), ("queue.brokers", 6), *sizes)
    old = env(("cluster.version", "1.35"))
    assert [each.setting for each in plan(env(*wanted), deployed(old)).refused] == [
        *(path for path, _ in sizes),
        "queue.brokers",
    ]
    # WHEN they are deployed as the plan says, THEN it refuses none of them
    first = env(wanted[0])
    assert [each.refused for each in plan(first, deployed(old)).changes] == ["", ""]
    assert [each.refused for each in plan(env(*wanted), deployed(first)).changes] == ["", "", ""]


def test_version_moves_step_by_step_and_the_size_after_it() -> None:
    sizes = ("cluster.node_groups.milvus.desired_size", 4), ("cluster.node_groups.milvus.max_size", 4)
    disk = ("cluster.node_groups.milvus.disk_gib", 100)
    [way] = plan(env(*sizes, disk), deployed(env(("cluster.version", "1.34")))).ways
    group = "cluster.node_groups.milvus"
    later = f"{group}.desired_size stays 3, {group}.max_size stays 3"
    assert (
        way.title == "3 deployments, one after the other: AWS takes one kind of these changes at a time (aws-cdk#13602)"
    )
    assert way.steps == (
        f"cluster.version: 1.34 to 1.35, while {group}.disk_gib stays 80, {later}",
        f"cluster.version: 1.35 to 1.36, {group}.disk_gib: 80 to 100, while {later}",
        f"{group}.desired_size: 3 to 4, {group}.max_size: 3 to 4",
    )


def test_line_moves_by_the_newest_version_of_each_line_between() -> None:
    old = env(("milvus.line", "2.4"), ("milvus.acknowledge", ["CVE-2026-26190"]))
    [way] = plan(env(), deployed(old)).ways
    assert way.title == "2 deployments, one after the other: milvus.line moves one step at a time"
    assert way.steps == (
        "milvus.line: 2.4 to 2.5, without milvus.version: the newest of the line",
        "milvus.line: 2.5 to 2.6",
    )


def test_way_is_shown_for_nothing_that_the_file_accepts() -> None:
    accepted = [{"path": "queue.brokers", "old": 3, "new": 6, "reason": "AWS took it once"}]
    new = env(("queue.brokers", 6), ("queue.monitoring", "DEFAULT"), ("changes", {"accept": accepted}))
    assert [each.setting for each in plan(new, deployed(env())).refused] == ["queue.monitoring"]
    accepted.append({"path": "queue.monitoring", "old": "PER_BROKER", "new": "DEFAULT", "reason": "and this too"})
    new = env(("queue.brokers", 6), ("queue.monitoring", "DEFAULT"), ("changes", {"accept": accepted}))
    assert plan(new, deployed(env())).ways == ()


@pytest.mark.parametrize(
    ("before", "moves"),
    [
        ((), "milvus.node_group: nothing to milvus-2"),
        (
            (("milvus", {"node_group": "milvus", "etcd": {"node_group": "milvus"}}),),
            "milvus.etcd.node_group: milvus to milvus-2, milvus.node_group: milvus to milvus-2",
        ),
    ],
)
@pytest.mark.parametrize("change", [("instance_types", ["m7i.2xlarge"]), ("spot", True)])
def test_group_that_is_replaced_has_a_way_without_an_interruption(
    before: tuple[tuple[str, Any], ...], moves: str, change: tuple[str, Any]
) -> None:
    new = env(*before, (f"cluster.node_groups.milvus.{change[0]}", change[1]))
    found = plan(new, deployed(env(*before)))
    assert (found.refused, [each.effect for each in found.changes]) == ((), ["replaces-node-group"])
    [way] = found.ways
    group = "cluster.node_groups.milvus"
    assert way.title == f"3 deployments, one after the other: {group} without an interruption"
    assert way.steps == (
        f"leave {group} as it is deployed, and add {group}-2 with what this file says of milvus "
        "(`milvus-ops doctor` says whether the quota has vCPUs for both)",
        f"{moves}; the pods move one after the other, within their disruption budgets",
        f"remove {group}",
    )


def test_group_that_goes_with_its_pods_has_a_way_without_an_interruption() -> None:
    # GIVEN a file that has another group in place of the one that holds the pods
    new = env(("cluster.node_groups", {"new": _OTHER_GROUP}), ("milvus.node_group", "new"))
    [way] = plan(new, deployed(env(("milvus.node_group", "milvus")))).ways
    # THEN the way begins with both
    assert way.steps == (
        "add cluster.node_groups.new, and leave the rest as it is deployed",
        "milvus.node_group: milvus to new; the pods move one after the other, within their disruption budgets",
        "remove cluster.node_groups.milvus",
    )


def test_pods_that_are_bound_to_nothing_are_bound_before_their_group_goes() -> None:
    old = env(("cluster.node_groups.more", _OTHER_GROUP))
    [way] = plan(env(), deployed(old)).ways
    move = "the pods move one after the other, within their disruption budgets"
    assert way.steps == (
        f"milvus.node_group: nothing to a group that stays; {move}",
        "remove cluster.node_groups.more",
    )


def test_group_that_holds_no_pod_of_milvus_just_goes() -> None:
    bound = ("milvus.node_group", "milvus")
    found = plan(env(bound), deployed(env(bound, ("cluster.node_groups.more", _OTHER_GROUP))))
    assert found.ways == ()
    assert [each.of for each in found.changes] == ["the group goes: no pod of Milvus is on it"]


def test_ways_are_numbered_lists_in_markdown() -> None:
    text = markdown(plan(env(), deployed(env(("cluster.version", "1.34")))))
    assert "2 deployments, one after the other: cluster.version moves one step at a time:" in text.splitlines()
    assert "1. cluster.version: 1.34 to 1.35" in text.splitlines()


def test_maps_are_shown_as_a_file_has_them() -> None:
    taints = ("cluster.node_groups.milvus.taints", [{"key": "role", "value": "milvus", "effect": "NO_EXECUTE"}])
    new = env(("tags", {"owner": "search", "stage": "dev"}), ("cluster.node_groups.more", _OTHER_GROUP), taints)
    found = {each.setting: values(each) for each in plan(new, deployed(env())).changes}
    assert found["tags"] == ("{}", "{owner: search, stage: dev}")
    assert found[taints[0]] == ("[]", "[{key: role, value: milvus, effect: NO_EXECUTE}]")


def run(monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, *arguments: str) -> Any:
    monkeypatch.setattr(aws, "session", lambda **_: None)
    monkeypatch.setattr(aws, "client", lambda *_, **__: cloudformation)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(app, ["plan", "--env", "dev", *arguments])


def changed(path: str, value: Any) -> Environment:
    """Return dev as it was deployed, before its file said something else."""
    data = json.loads(environment("dev").model_dump_json())
    *parents, leaf = path.split(".")
    place = data
    for parent in parents:
        place = place[parent]
    place[leaf] = value
    return Environment.model_validate(data)


def test_command_ends_with_3_where_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, deployed(changed("milvus.etcd.replicas", 5)))
    assert result.exit_code == 3
    assert "milvus.etcd.replicas" in result.stdout
    assert "  milvus.etcd.replicas: it only grows; leave the number;" in result.stdout
    assert "milvus-dev: 1 of 1 changes refused" in result.stdout


def test_command_shows_the_deployments_that_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, deployed(changed("cluster.version", "1.34")))
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-5:-1] == [
        "2 deployments, one after the other: cluster.version moves one step at a time",
        "  1. cluster.version: 1.34 to 1.35",
        "  2. cluster.version: 1.35 to 1.36",
        "",
    ]


@pytest.mark.parametrize("options", [(), ("--json",), ("--markdown",)])
def test_command_ends_with_0_where_all_can_be(monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    result = run(monkeypatch, deployed(changed("milvus.ready_minutes", 20), by="0.0.9"), *options)
    assert result.exit_code == 0
    assert "milvus.ready_minutes" in result.stdout
    if options == ("--json",):
        found = json.loads(result.stdout)
        assert found["changes"][0]["old"] == 20
        assert found["changes"][0]["effect"] == "in-place"


def test_command_shows_what_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, CloudFormation())
    assert result.exit_code == 0
    assert "milvus-dev-streaming" in result.stdout
    assert "25 to 40 min" in result.stdout
