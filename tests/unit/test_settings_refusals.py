"""Which changes of settings are refused, in whole words, and what the stacks keep to judge them by."""

from __future__ import annotations

from typing import Any

import pytest

from settings import parse_environment
from settings.parts import Part, parts
from settings.record import change_rules, declaration, owner, record, record_of, rules_for
from settings.refusals import refusals, shown
from tests.assemblies import EVERY_FIXTURE, environment
from tests.unit.settings_files import file_with


def found(*changes: tuple[str, Any], before: tuple[tuple[str, Any], ...] = (), accepted: Any = ()) -> list[str]:
    """Return what is refused of changes to the small valid file."""
    old = record(parse_environment(file_with(*before), source="before"))
    new = record(parse_environment(file_with(*before, *changes), source="after"))
    return [str(each) for each in refusals(old, new, change_rules(), accepted)]


@pytest.mark.parametrize(
    ("before", "change", "message"),
    [
        (
            (),
            ("milvus.namespace", "vectors"),
            "milvus.namespace: milvus cannot become vectors: it cannot change once deployed; make a new environment "
            "and move the data",
        ),
        (
            (),
            ("network.cidr", "10.1.0.0/16"),
            "network.cidr: 10.0.0.0/16 cannot become 10.1.0.0/16: it cannot change once deployed; make a new "
            "environment and move the data",
        ),
        (
            (),
            ("milvus.etcd", {"volume_gib": 10}),
            "milvus.etcd.volume_gib: 20 cannot become 10: it only grows; leave it as it is: a volume never shrinks",
        ),
        (
            (),
            ("milvus.etcd", {"replicas": 1}),
            "milvus.etcd.replicas: 3 cannot become 1: it only grows; leave the number; members that go stay in "
            "etcd's list, and it loses its quorum",
        ),
        (
            (("milvus.etcd", {"replicas": 1}),),
            ("milvus.etcd", {"replicas": 3}),
            "milvus.etcd.replicas: 1 cannot become 3: it moves one step at a time; use 2 first",
        ),
        (
            (("queue.kafka_version", "3.9.x.kraft"),),
            ("queue.kafka_version", "3.8.x.kraft"),
            "queue.kafka_version: 3.9.x.kraft cannot become 3.8.x.kraft: it only grows; leave it as it is",
        ),
        (
            (("cluster.version", "1.34"),),
            ("cluster.version", "1.36"),
            "cluster.version: 1.34 cannot become 1.36: it moves one step at a time; use 1.35 first",
        ),
        (
            (("milvus.version", "2.6.18"),),
            ("milvus", {"line": "3.0"}),
            "milvus.line: 2.6 cannot become 3.0: milvus.version is 2.6.18, and has to be 2.6.20 or newer before; "
            "deploy milvus.version: 2.6.20 or newer first",
        ),
    ],
)
def test_change_that_cannot_be_is_refused_with_setting_values_and_remedy(
    before: tuple[tuple[str, Any], ...], change: tuple[str, Any], message: str
) -> None:
    assert found(change, before=before) == [message]


@pytest.mark.parametrize(
    "change",
    [
        ("milvus.etcd", {"replicas": 4}),
        ("milvus.version", "2.6.24"),
        ("milvus.ready_minutes", 20),
        ("milvus.line", "3.0"),
        ("tags", {"a": "b"}),
        ("queue.brokers", 6),
    ],
)
def test_change_that_can_be_is_not_refused(change: tuple[str, Any]) -> None:
    assert found(change) == []


def test_kubernetes_and_size_of_a_group_do_not_go_together() -> None:
    group = "cluster.node_groups.milvus"
    before = (("cluster.version", "1.35"),)
    assert found(("cluster.version", "1.36"), (f"{group}.max_size", 4), before=before) == [
        f"{group}.max_size: 3 cannot become 4: AWS refuses it together with cluster.version (aws-cdk#13602); deploy "
        "one after the other, the version or the disk first"
    ]
    # AND each by itself does, as does a group that is made anew
    assert found(("cluster.version", "1.36"), before=before) == []
    assert found((f"{group}.max_size", 4)) == []
    other = (f"{group}.instance_types", ["m7g.4xlarge"])
    assert found(("cluster.version", "1.36"), (f"{group}.max_size", 4), other, before=before) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_size", 2),
        ("desired_size", 2),
        ("labels", {"role": "vectors"}),
        ("taints", [{"key": "role", "effect": "PREFER_NO_SCHEDULE"}]),
    ],
)
def test_size_labels_and_taints_of_a_group_do_not_go_with_a_version(name: str, value: Any) -> None:
    before = (("cluster.version", "1.35"),)
    path = f"cluster.node_groups.milvus.{name}"
    [refused] = found(("cluster.version", "1.36"), (path, value), before=before)
    assert refused.startswith(f"{path}: ")
    assert refused.endswith(
        ": AWS refuses it together with cluster.version (aws-cdk#13602); deploy one after the other, the version or "
        "the disk first"
    )


def test_disk_and_size_do_not_go_together_in_one_group_but_in_two() -> None:
    more = ("cluster.node_groups.more", {"instance_types": ["m7g.2xlarge"], "desired_size": 3, "max_size": 3})
    disk = ("cluster.node_groups.milvus.disk_gib", 100)
    [refused] = found(disk, ("cluster.node_groups.milvus.max_size", 4), before=(more,))
    assert refused.startswith(
        "cluster.node_groups.milvus.max_size: 3 cannot become 4: AWS refuses it together with "
        "cluster.node_groups.milvus.disk_gib (aws-cdk#13602)"
    )
    assert found(disk, ("cluster.node_groups.more.max_size", 4), before=(more,)) == []


def test_two_kinds_of_change_to_the_brokers_do_not_go_together() -> None:
    refused = found(("queue.retention_hours", 200), ("queue.message_max_bytes", 10485881), ("queue.brokers", 6))
    assert refused == [
        f"{change}: AWS refuses it together with queue.brokers (MSK: you can't update multiple attributes of the "
        "cluster in same request); deploy one after the other"
        for change in (
            "queue.message_max_bytes: 10485880 cannot become 10485881",
            "queue.retention_hours: 168 cannot become 200",
        )
    ]
    # AND two properties of the same configuration are one kind
    assert found(("queue.retention_hours", 200), ("queue.message_max_bytes", 10485881)) == []


def test_change_is_accepted_by_its_path_and_both_values_alone() -> None:
    change = ("milvus.namespace", "vectors")
    accepted = {"path": "milvus.namespace", "old": "milvus", "new": "vectors"}
    assert found(change, accepted=[accepted]) == []
    assert len(found(change, accepted=[{**accepted, "new": "other"}])) == 1
    assert len(found(change, accepted=[{**accepted, "old": "other"}])) == 1


def test_what_takes_effect_is_recorded_and_not_what_was_left_out() -> None:
    kept = record(parse_environment(file_with(), source="file"))
    assert (kept["milvus.version"], kept["milvus.channel_prefix"]) == ("2.6.25", "milvus-test")
    assert kept["milvus.components.proxy.replicas"] == 2
    assert not [path for path in kept if path.startswith(("milvus.components.standalone", "changes", "milvus.ackn"))]


def test_writing_a_default_down_is_no_change() -> None:
    assert found(("milvus.channel_prefix", "milvus-test"), ("milvus.version", "2.6.25")) == []


def test_vpc_cannot_become_an_existing_one() -> None:
    old = record(environment("dev"))
    new = record(environment("existing-vpc"))
    paths = {each.path for each in refusals(old, new, change_rules())}
    assert {"network.existing", "queue.kind", "milvus.channel_prefix"} <= paths


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_stacks_keep_every_setting_with_their_own_rules_and_all_that_is_fixed_first(name: str) -> None:
    env = environment(name)
    everything = record(env)
    kept = {part: record_of(env, part) for part in parts(env)}
    # THEN every setting is kept by the stack that it is about, or by Milvus's where that one is not
    for path, value in everything.items():
        part = owner(path) if owner(path) in kept else Part.MILVUS
        assert kept[part][path] == value
        assert declaration(path)
    # AND what never changes is refused by the first stack, before another one is touched
    assert set(rules_for(kept[Part.NETWORK])["never"]) == {
        each for each in change_rules()["never"] if rules_for(everything)["never"].get(each) is not None
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "nothing"), ("", "nothing"), (True, "true"), (["a", 1], "[a, 1]"), ({"a": [1]}, "{a: [1]}"), (1.5, "1.5")],
)
def test_values_are_shown_as_a_file_has_them(value: Any, text: str) -> None:
    assert shown(value) == text


def test_setting_of_another_version_has_no_declaration() -> None:
    with pytest.raises(KeyError, match=r"milvus\.gone"):
        declaration("milvus.gone")


def test_what_only_grows_may_come_but_not_go() -> None:
    rules = {"grows": {"a.gib": ""}}
    # WHEN a size is taken away, which nothing says any more THEN that is less than any
    assert [str(each) for each in refusals({"a.gib": 5}, {"a.gib": None}, rules)] == [
        "a.gib: 5 cannot become nothing: it only grows; leave it as it is"
    ]
    # AND the other way round it is more
    assert refusals({"a.gib": None}, {"a.gib": 5}, rules) == []
