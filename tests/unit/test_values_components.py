"""Replicas, resources, placement and environment of single components."""

from __future__ import annotations

from typing import Any

import pytest

from charts.values.components import component_values
from charts.workloads import CHART_COMPONENTS
from settings.milvus import Worker
from settings.releases import RELEASE_LINES
from tests.unit.chart_objects import environment, on_line, values_of

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
GROUPS: tuple[str, Any] = (
    "cluster.node_groups.query",
    {
        "instance_types": ["r7g.2xlarge"],
        "desired_size": 3,
        "max_size": 3,
        "taints": [
            {"key": "role", "value": "query"},
            {"key": "soft", "effect": "PREFER_NO_SCHEDULE"},
            {"key": "hard", "effect": "NO_EXECUTE"},
        ],
    },
)


def test_memory_is_requested_in_full_and_cpu_as_set() -> None:
    # GIVEN a component with fractions
    env = environment(("milvus.components.proxy", {"replicas": 3, "cpu": 1.5, "cpu_request": 0.5, "memory_gib": 2.5}))
    # THEN Kubernetes gets whole millicores and mebibytes
    assert values_of(env)["proxy"]["replicas"] == 3
    assert values_of(env)["proxy"]["resources"] == {
        "limits": {"cpu": "1500m", "memory": "2560Mi", "ephemeral-storage": "2Gi"},
        "requests": {"cpu": "500m", "memory": "2560Mi", "ephemeral-storage": "2Gi"},
    }


def test_several_replicas_are_replaced_one_by_one_without_room_for_another() -> None:
    # GIVEN query nodes, of which each fills its node
    env = environment(("milvus.components.query_node", {"replicas": 3, "cpu": 2, "memory_gib": 8}))
    # THEN an upgrade takes one away first; a single replica keeps Kubernetes's default, which adds one first
    assert values_of(env)["queryNode"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
    }
    assert "strategy" not in values_of(environment(("milvus.components.query_node", {"replicas": 1})))["queryNode"]


def test_single_pod_that_answers_nobody_needs_no_room_for_a_second() -> None:
    # GIVEN the guide's index node, which takes half of a node
    env = environment(
        ("milvus.line", "2.3"),
        ("milvus.acknowledge", ["CVE-2026-26190", "CVE-2025-64513"]),
        ("milvus.components.index_node", {"replicas": 1, "cpu": 4, "memory_gib": 8}),
    )
    assert values_of(env)["indexNode"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


@pytest.mark.parametrize(("replicas", "at_once"), [(2, 1), (8, 1), (9, 2), (40, 5), (200, 25)])
def test_upgrade_of_many_replicas_takes_eight_rounds_at_the_most(replicas: int, at_once: int) -> None:
    query = component_values(environment(), "query_node", Worker(replicas=replicas), spread_constraints=True)
    assert query["strategy"]["rollingUpdate"]["maxUnavailable"] == at_once


def test_cpu_request_is_the_limit_unless_set() -> None:
    env = environment(("milvus.components.query_node", {"cpu": 2, "memory_gib": 8}))
    assert values_of(env)["queryNode"]["resources"] == {
        "limits": {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "20Gi"},
        "requests": {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "20Gi"},
    }


@pytest.mark.parametrize("standby", [True, False])
def test_coordinator_has_a_standby_as_set(standby: bool) -> None:
    env = environment(
        ("milvus.active_standby", standby),
        ("milvus.components.mix_coordinator", {"replicas": 2 if standby else 1}),
    )
    assert values_of(env)["mixCoordinator"]["activeStandby"] == {"enabled": standby}


def test_only_coordinators_have_a_standby() -> None:
    values = values_of(environment())
    assert "activeStandby" not in values["proxy"]
    assert "activeStandby" not in values["queryNode"]


def test_component_goes_to_its_node_group_and_tolerates_its_taints() -> None:
    # GIVEN a tainted group for the query nodes
    values = values_of(environment(GROUPS, ("milvus.components.query_node", {"node_group": "query"})))
    # THEN they go there, and nobody else does
    assert values["queryNode"]["nodeSelector"] == {"node-group": "query"}
    assert values["queryNode"]["tolerations"] == [
        {"key": "role", "operator": "Equal", "value": "query", "effect": "NoSchedule"},
        {"key": "soft", "operator": "Equal", "value": "", "effect": "PreferNoSchedule"},
        {"key": "hard", "operator": "Equal", "value": "", "effect": "NoExecute"},
    ]
    assert "nodeSelector" not in values["proxy"]
    assert "tolerations" not in values["etcd"]


def test_node_group_of_milvus_is_for_everything_that_names_none() -> None:
    values = values_of(environment(("milvus.node_group", "milvus"), ("milvus.attu.exposure", "internal")))
    for key in ("proxy", "queryNode", "streamingNode", "etcd", "attu"):
        # THEN by one label: Attu's template breaks with two
        assert values[key]["nodeSelector"] == {"node-group": "milvus"}


@pytest.mark.parametrize("line", ["2.5", "2.6", "3.0"])
def test_pods_of_a_component_spread_over_zones_and_hosts(line: str) -> None:
    zone, host = values_of(on_line(line))["queryNode"]["topologySpreadConstraints"]
    assert (zone["topologyKey"], host["topologyKey"]) == (ZONE, HOST)
    for constraint in (zone, host):
        # THEN softly, counting the pods of this component and revision: the chart adds no selector
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        assert constraint["matchLabelKeys"] == ["pod-template-hash"]
        assert constraint["labelSelector"]["matchLabels"] == {
            "app.kubernetes.io/name": "milvus",
            "app.kubernetes.io/instance": "milvus",
            "component": "querynode",
        }


@pytest.mark.parametrize("line", ["2.3", "2.4"])
def test_older_charts_get_anti_affinity_instead(line: str) -> None:
    values = values_of(on_line(line))["queryNode"]
    assert "topologySpreadConstraints" not in values
    terms = values["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [term["podAffinityTerm"]["topologyKey"] for term in terms] == [ZONE, HOST]


def test_etcd_members_must_be_in_different_zones() -> None:
    (constraint,) = values_of(environment())["etcd"]["topologySpreadConstraints"]
    assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == (ZONE, "DoNotSchedule")
    assert constraint["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == "etcd"
    # AND this chart's own key for it is not given to a StatefulSet, which has no such label
    assert "matchLabelKeys" not in constraint


def test_group_that_pods_would_rather_avoid_still_gives_each_member_a_zone() -> None:
    # GIVEN only a group with a taint that keeps nobody away, and an old chart
    taint = {"key": "query", "effect": "PREFER_NO_SCHEDULE"}
    group = "cluster.node_groups.milvus"
    env = on_line("2.5", (f"{group}.min_size", 3), (f"{group}.taints", [taint]))
    # THEN the zones are required, as the rules count the group among those that are open
    required = values_of(env)["etcd"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [term["topologyKey"] for term in required] == [ZONE]


def test_etcd_of_older_charts_gets_a_zone_each_where_there_is_a_node_in_each() -> None:
    rules = values_of(on_line("2.5", ("cluster.node_groups.milvus.min_size", 3)))["etcd"]["affinity"]["podAntiAffinity"]
    (required,) = rules["requiredDuringSchedulingIgnoredDuringExecution"]
    assert required["topologyKey"] == ZONE


@pytest.mark.parametrize(
    "change", [("cluster.node_groups.milvus.min_size", 2), ("milvus.etcd", {"replicas": 5})], ids=["nodes", "members"]
)
def test_etcd_of_older_charts_is_never_kept_from_starting(change: tuple[str, Any]) -> None:
    # GIVEN fewer nodes, or more members, than zones
    env = on_line("2.5", ("cluster.node_groups.milvus.min_size", 3), change)
    rules = values_of(env)["etcd"]["affinity"]["podAntiAffinity"]
    # THEN zones are preferred, not required
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in rules
    preferred = rules["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [term["podAffinityTerm"]["topologyKey"] for term in preferred] == [ZONE, HOST]


def test_etcd_is_as_set_on_the_encrypted_storage_class() -> None:
    env = environment(("milvus.etcd", {"replicas": 5, "cpu": 0.5, "memory_gib": 1, "volume_gib": 30}))
    etcd = values_of(env)["etcd"]
    assert etcd["replicaCount"] == 5
    assert etcd["persistence"] == {"storageClass": "ebs-sc", "size": "30Gi"}
    assert etcd["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert etcd["pdb"] == {"create": False}


@pytest.mark.parametrize("mode", ["cluster", "standalone"])
def test_every_milvus_component_takes_its_credentials_from_secrets(mode: str) -> None:
    # GIVEN MSK and authorization
    env = environment(("milvus.mode", mode))
    values = values_of(env)
    keys = (
        ["standalone"]
        if mode == "standalone"
        else ["mixCoordinator", "proxy", "queryNode", "streamingNode", "dataNode"]
    )
    for key in keys:
        # THEN each has both names of the Kafka user and root's password, by reference
        references = {
            each["name"]: tuple(each["valueFrom"]["secretKeyRef"].values()) for each in values[key]["extraEnv"]
        }
        assert references == {
            "KAFKA_SASLUSERNAME": ("milvus-kafka", "username"),
            "KAFKA_SASLPASSWORD": ("milvus-kafka", "password"),
            "COMMON_SECURITY_DEFAULTROOTPASSWORD": ("milvus-root", "password"),
        }


def test_no_credentials_where_there_are_none() -> None:
    env = on_line(
        "3.0",
        ("queue", {"kind": "woodpecker"}),
        ("milvus.authorization", False),
        ("milvus.acknowledge", ["CVE-2026-26190"]),
    )
    assert "extraEnv" not in values_of(env)["proxy"]


@pytest.mark.parametrize(
    ("repository", "image"),
    [
        ("milvusdb/etcd", {"repository": "milvusdb/etcd"}),
        ("registry.test/mirror/etcd", {"registry": "registry.test", "repository": "mirror/etcd"}),
        ("localhost:5000/etcd", {"registry": "localhost:5000", "repository": "etcd"}),
    ],
)
def test_etcd_comes_from_the_given_registry(repository: str, image: dict[str, str]) -> None:
    assert values_of(environment(("milvus.etcd.image_repository", repository)))["etcd"]["image"] == image


def test_attu_is_off_by_default() -> None:
    assert values_of(environment())["attu"] == {"enabled": False}


@pytest.mark.parametrize(("version", "tag"), [(None, "v2.6.5"), ("v2.5.12", "v2.5.12")])
def test_attu_is_the_version_of_the_line_or_the_given_one(version: str | None, tag: str) -> None:
    values = values_of(environment(("milvus.attu", {"exposure": "internal", "version": version})))
    assert values["attu"]["image"] == {"repository": "zilliz/attu", "tag": tag}
    # AND the chart's Ingress stays off: ours replaces it
    assert values["attu"]["ingress"] == {"enabled": False}


def test_every_component_asks_for_its_disk_and_is_limited_to_it() -> None:
    # A pod without a request is the first to go when another one fills the node's disk (milvus#49712).
    for line in RELEASE_LINES:
        env = on_line(line, ("milvus.components.proxy", {"disk_gib": 3}))
        values = values_of(env)
        for name, component in env.components.items():
            resources = values[CHART_COMPONENTS[name].key]["resources"]
            disk = f"{component.disk_gib}Gi"
            assert (resources["requests"]["ephemeral-storage"], resources["limits"]["ephemeral-storage"]) == (
                disk,
                disk,
            )


@pytest.mark.parametrize("line", ["2.3", "2.6"])
def test_milvus_is_told_the_disk_of_the_nodes_that_search_or_build_indexes(line: str) -> None:
    values = values_of(on_line(line, ("milvus.components.query_node", {"disk_gib": 60})))
    told = {name for name, each in values.items() if isinstance(each, dict) and "disk" in each}
    assert told == ({"queryNode", "indexNode"} if line == "2.3" else {"queryNode"})
    assert values["queryNode"]["disk"] == {"size": {"enabled": True}}
