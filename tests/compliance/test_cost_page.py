"""docs/cost.md counts what the templates and the settings create, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from _paths import ROOT
from ops.cost.assembly import deployments
from ops.cost.bill import Bill
from settings import Environment, load_environment
from settings.instances import INSTANCE_TYPES
from tests.assemblies import SHIPPED, assembly, kubernetes_objects, templates
from tools.docs import cost_goals, cost_page
from tools.docs.guide_as_written import guide_as_written

PAGE = ROOT / "docs" / "cost.md"


def _resources(env: str, kind: str) -> Iterator[dict[str, Any]]:
    for template in templates(env).values():
        for resource in template["Resources"].values():
            if resource["Type"] == kind:
                yield resource.get("Properties", {})


def _number(kind: str) -> Callable[[str], str]:
    return lambda env: str(len(list(_resources(env, kind))))


def _nodes(env: str) -> str:
    groups = load_environment(env).cluster.node_groups.values()
    return ", ".join(f"{group.desired_size} x {'/'.join(group.instance_types)}" for group in groups)


def _most_nodes(env: str) -> str:
    return str(sum(group.max_size for group in load_environment(env).cluster.node_groups.values()))


def _vcpus(env: str) -> str:
    groups = load_environment(env).cluster.node_groups.values()
    return str(sum(group.desired_size * INSTANCE_TYPES[group.instance_types[0]].vcpu for group in groups))


def _volumes(env: str) -> str:
    settings = load_environment(env)
    nodes = {group.disk_gib: 0 for group in settings.cluster.node_groups.values()}
    for group in settings.cluster.node_groups.values():
        nodes[group.disk_gib] += group.desired_size
    etcd = settings.milvus.etcd
    found = [f"{number} x {size}" for size, number in nodes.items()] + [f"{etcd.replicas} x {etcd.volume_gib}"]
    return ", ".join(found)


def _brokers(env: str) -> str:
    return _of_msk(load_environment(env), lambda queue: f"{queue.brokers} x {queue.broker_type}")


def _broker_storage(env: str) -> str:
    return _of_msk(load_environment(env), lambda queue: f"{queue.storage.volume_gib}, at most {queue.storage.max_gib}")


def _of_msk(env: Environment, describe: Callable[[Any], str]) -> str:
    return describe(env.queue) if env.queue.kind == "msk" else "-"


def _endpoints(env: str) -> str:
    """Interface endpoints by the zones in which each has an address; the gateway endpoint of S3 is free."""
    endpoints = [each for each in _resources(env, "AWS::EC2::VPCEndpoint") if each["VpcEndpointType"] == "Interface"]
    zones = {len(each["SubnetIds"]) for each in endpoints}
    return f"{len(endpoints)} x {zones.pop()}" if zones else "0"


def _load_balancers(env: str) -> str:
    kinds = [
        "NLB" if each["kind"] == "Service" else "ALB"
        for each in kubernetes_objects(env)
        if each["kind"] == "Ingress" or each.get("spec", {}).get("type") == "LoadBalancer"
    ]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("NLB", "ALB") if kind in kinds)


ROWS: dict[str, Callable[[str], str]] = {
    "EKS control planes": _number("AWS::EKS::Cluster"),
    "nodes": _nodes,
    "nodes at most": _most_nodes,
    "gp3 volumes of nodes and etcd, GiB": _volumes,
    "MSK brokers": _brokers,
    "GiB of each broker": _broker_storage,
    "NAT gateways": _number("AWS::EC2::NatGateway"),
    "interface endpoints x zones": _endpoints,
    "load balancers": _load_balancers,
    "KMS keys": _number("AWS::KMS::Key"),
    "secrets": _number("AWS::SecretsManager::Secret"),
    "vCPUs of running On-Demand Standard instances (EC2, L-1216C47A)": _vcpus,
    "Elastic IP addresses (EC2, L-0263D0A3)": _number("AWS::EC2::EIP"),
    "VPCs (VPC, L-F678F1CE)": _number("AWS::EC2::VPC"),
}


@pytest.mark.parametrize("title", ROWS)
def test_cost_page_counts_what_is_created(title: str) -> None:
    cells = [ROWS[title](env) for env in SHIPPED]

    assert f"| {title} | {' | '.join(cells)} |" in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bill]:
    """Return the bills of what `small` would be with MSK, with the guide's cores, and with both."""
    return cost_page.synthesized(cost_goals.variants(), tmp_path_factory.mktemp("variants"))


def test_bills_on_the_page_are_those_of_the_templates(variants: dict[str, Bill]) -> None:
    # GIVEN the bills of the shipped environments as they are synthesized
    bills = {name: cost_page.bill(*deployments(assembly(name))) for name in cost_page.shown()}

    # WHEN the page is written anew
    text = PAGE.read_text(encoding="utf-8")

    # THEN it is the same
    assert cost_page.cost_page(text, bills, variants) == text, "docs/cost.md is stale: run `make docs`"


def test_small_costs_at_most_what_its_goals_say_of_the_guide(variants: dict[str, Bill]) -> None:
    # GIVEN the guide as it is written, and `small` on Woodpecker and on MSK, all on demand at the same prices
    guide = cost_page.bill(guide_as_written())
    bills = {**variants, "small": cost_page.bill(*deployments(assembly("small")))}

    # THEN each is within its goal, and what is a range counts with one channel that is always written to
    for name, part in cost_goals.GOALS.items():
        assert bills[name].term == guide.term
        assert bills[name].total <= part * guide.total
    assert cost_goals.GOALS == {"small": 0.6, "small on MSK": 0.8}


def test_more_cores_are_those_that_the_guide_requests(variants: dict[str, Bill]) -> None:
    # GIVEN the rows with the guide's cores, by which a saving of fewer cores is told apart
    guide = cost_page.bill(guide_as_written())

    # THEN they have as many vCPUs of nodes, request no fewer cores, and differ in nothing but the nodes
    for name, few in ((cost_goals.MORE, None), (cost_goals.MORE_MSK, cost_goals.MSK)):
        fewer = variants[few] if few else cost_page.bill(*deployments(assembly("small")))
        assert variants[name].vcpu == guide.vcpu
        assert variants[name].requested >= guide.requested > fewer.requested
        assert variants[name].services | {"EC2": 0} == fewer.services | {"EC2": 0}


def test_guide_as_written_costs_what_its_parts_do() -> None:
    # GIVEN the guide's parts at list prices of us-east-2: EKS, 3 x m6i.2xlarge, volumes, MSK, NAT gateway, NLB and ALB
    # with public addresses, a key and a secret
    parts = [0.10 * 730, 3 * 0.384 * 730, (3 * 80 + 3 * 10) * 0.08, 3 * 0.204 * 730, 300 * 0.10]
    parts += [0.045 * 730, 0.005 * 730, 2 * 0.0225 * 730, 3 * 0.005 * 730, 1.0, 0.4]

    found = cost_page.bill(guide_as_written())

    assert found.fixed == pytest.approx(sum(parts), abs=0.03)
    assert found.unclassified == ()


def test_page_without_its_blocks_is_an_error(variants: dict[str, Bill]) -> None:
    bills = {name: cost_page.bill(*deployments(assembly(name))) for name in ("small", "prod")}

    with pytest.raises(LookupError, match=r"^docs/cost\.md has 0 blocks 'goals'$"):
        cost_page.cost_page("# Cost\n", bills, variants)
