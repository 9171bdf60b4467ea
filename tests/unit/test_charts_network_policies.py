"""Who may talk to whom in the namespace: the policies are evaluated, not only compared."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from charts.workloads import component_labels, etcd_labels
from settings import Environment
from tests.unit.chart_objects import environment, objects_of, on_line

Policies = list[dict[str, Any]]


def policies(env: Environment) -> Policies:
    return [each["spec"] for each in objects_of(env).values() if each["kind"] == "NetworkPolicy"]


ENV = environment(("milvus.attu.exposure", "internal"))
CLOSED = policies(ENV)
DNS = {"k8s-app": "kube-dns"}
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
ELSEWHERE = {"app": "something"}


def pod(name: str) -> dict[str, str]:
    return etcd_labels(ENV) if name == "etcd" else component_labels(ENV, name)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def admits(peer: dict[str, Any], other: dict[str, str] | str, namespace: str) -> bool:
    if isinstance(other, str):
        network = peer.get("ipBlock", {}).get("cidr")
        return network is not None and ipaddress.ip_address(other) in ipaddress.ip_network(network)
    if "podSelector" not in peer:
        return False
    home = peer.get("namespaceSelector")
    here = namespace == "milvus" if home is None else selects(home, {"kubernetes.io/metadata.name": namespace})
    return here and selects(peer["podSelector"], other)


def allowed(
    direction: str,
    own: dict[str, str],
    other: dict[str, str] | str,
    port: int,
    *,
    namespace: str,
    rules: Policies = CLOSED,
    protocol: str = "TCP",
) -> bool:
    """Return whether Kubernetes lets a connection pass: some policy that selects the pod has a rule for it."""
    kind, peers = ("Ingress", "from") if direction == "ingress" else ("Egress", "to")
    bound = [each for each in rules if kind in each["policyTypes"] and selects(each["podSelector"], own)]
    assert bound, "a pod that no policy selects is open to everybody"
    return any(
        any(admits(peer, other, namespace) for peer in rule[peers])
        and ("ports" not in rule or (protocol, port) in {(each["protocol"], each["port"]) for each in rule["ports"]})
        for policy in bound
        for rule in policy[direction]
    )


def reaches(source: str, target: str, port: int) -> bool:
    out = allowed("egress", pod(source), pod(target), port, namespace="milvus")
    return out and allowed("ingress", pod(target), pod(source), port, namespace="milvus")


def comes_in(target: str, other: dict[str, str] | str, port: int, rules: Policies = CLOSED) -> bool:
    return allowed("ingress", pod(target), other, port, namespace="elsewhere", rules=rules)


def goes_out(
    source: str, other: dict[str, str] | str, port: int, rules: Policies = CLOSED, protocol: str = "TCP"
) -> bool:
    return allowed("egress", pod(source), other, port, namespace="kube-system", rules=rules, protocol=protocol)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("proxy", "mix_coordinator", 53100),
        ("query_node", "streaming_node", 22222),
        ("proxy", "etcd", 2379),
        ("data_node", "etcd", 2379),
        ("etcd", "etcd", 2380),
        ("etcd", "etcd", 2379),
        ("attu", "proxy", 19530),
    ],
)
def test_parts_of_the_release_reach_one_another(source: str, target: str, port: int) -> None:
    assert reaches(source, target, port)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        # Attu connects to whatever its visitor types
        ("attu", "etcd", 2379),
        ("attu", "proxy", 9091),
        ("attu", "query_node", 9091),
        ("attu", "query_node", 19530),
        # etcd has nobody to call
        ("etcd", "proxy", 19530),
        ("proxy", "etcd", 2380),
    ],
)
def test_what_is_not_needed_is_closed(source: str, target: str, port: int) -> None:
    assert not reaches(source, target, port)


def test_clients_and_health_checks_of_the_vpc_reach_the_proxies_on_19530_only() -> None:
    assert comes_in("proxy", "10.0.3.4", 19530)
    # AND not the port without a login, nor from outside the VPC, nor another component
    assert not comes_in("proxy", "10.0.3.4", 9091)
    assert not comes_in("proxy", "203.0.113.9", 19530)
    assert not comes_in("query_node", "10.0.3.4", 9091)
    assert not comes_in("etcd", "10.0.3.4", 2379)


def test_pods_of_other_namespaces_have_no_way_in() -> None:
    for target, port in (("etcd", 2379), ("query_node", 9091), ("mix_coordinator", 53100)):
        assert not comes_in(target, ELSEWHERE, port)
        assert not comes_in(target, PROMETHEUS, port)


def test_monitoring_opens_the_metrics_to_prometheus_alone() -> None:
    monitored = policies(environment(("milvus.service_monitor", True)))
    assert comes_in("query_node", PROMETHEUS, 9091, monitored)
    assert not comes_in("query_node", ELSEWHERE, 9091, monitored)
    assert not comes_in("etcd", PROMETHEUS, 2379, monitored)


def test_alb_reaches_attu_and_attu_reaches_nothing_outside() -> None:
    assert comes_in("attu", "10.0.3.4", 3000)
    # THEN neither the metadata of the node nor the internet: what a visitor types stays inside
    for address, port in (("169.254.169.254", 80), ("10.0.3.4", 443), ("203.0.113.9", 443)):
        assert not goes_out("attu", address, port)


@pytest.mark.parametrize("source", ["proxy", "mix_coordinator", "etcd", "attu"])
def test_every_pod_of_the_release_resolves_names(source: str) -> None:
    # GIVEN that a resolver asks by UDP, and again by TCP when the answer is long
    for protocol in ("UDP", "TCP"):
        assert goes_out(source, DNS, 53, protocol=protocol)
    # THEN it asks the cluster's resolver only, on its port only
    assert not goes_out(source, "10.0.0.2", 53, protocol="UDP")
    assert not goes_out(source, DNS, 5353, protocol="UDP")


def test_nothing_but_names_is_open_to_udp() -> None:
    # GIVEN every rule that names a port
    opened = {
        (each["protocol"], each["port"])
        for policy in CLOSED
        for rule in [*policy["ingress"], *policy.get("egress", [])]
        for each in rule.get("ports", [])
    }
    # THEN each says its protocol, and all but DNS is TCP
    assert opened == {("UDP", 53), *(("TCP", port) for port in (53, 443, 2379, 2380, 3000, 9096, 19530))}


def test_milvus_reaches_brokers_and_aws() -> None:
    for source in ("proxy", "query_node", "mix_coordinator"):
        assert goes_out(source, "10.0.9.9", 9096)
        assert goes_out(source, "52.95.1.1", 443)
        # AND not the metadata service of its node, whose role is not for it
        assert not goes_out(source, "169.254.169.254", 80)
        assert not goes_out(source, "203.0.113.9", 9096)


def test_without_msk_there_is_no_way_to_brokers() -> None:
    woodpecker = policies(on_line("3.0", ("queue", {"kind": "woodpecker"})))
    assert not goes_out("proxy", "10.0.9.9", 9096, woodpecker)


def test_etcd_reaches_nothing_outside() -> None:
    assert not goes_out("etcd", "52.95.1.1", 443)


def test_pods_that_nobody_has_thought_of_are_closed() -> None:
    # GIVEN a pod that is none of the release's
    for direction in ("ingress", "egress"):
        assert not allowed(direction, ELSEWHERE, "10.0.3.4", 443, namespace="milvus")


def test_standalone_is_the_door_itself() -> None:
    env = environment(("milvus.mode", "standalone"))
    own, rules = component_labels(env, "standalone"), policies(env)
    assert allowed("ingress", own, "10.0.3.4", 19530, namespace="elsewhere", rules=rules)
    assert allowed("egress", own, etcd_labels(env), 2379, namespace="milvus", rules=rules)
