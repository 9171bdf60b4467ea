"""What is created before what, all the way through: by what a resource names and by what it says it waits for.

Deleting goes the other way round, so each order here is one of deletion too.
"""

from __future__ import annotations

import pytest

from charts.workloads import attu_name
from settings import Environment, load_environment
from settings.queue import Msk
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import Assembly, assembly_of

CHART = "milvus/Chart-milvus"
# Every kind of object in the release's chart, by whether its pods need it or it needs them.
BEFORE_THE_RELEASE = {
    "Namespace",
    "ServiceAccount",
    "SecretStore",
    "ExternalSecret",
    "NetworkPolicy",
    "Role",
    "RoleBinding",
}
AFTER_THE_RELEASE = {"PodDisruptionBudget", "Service", "Ingress"}


def release(env: Environment) -> str:
    return f"{CHART}/HelmChart-{env.milvus.release_name}"


def in_the_chart(graph: Assembly, kinds: set[str]) -> set[str]:
    return {
        name
        for name in graph.resources
        if name.startswith(f"{CHART}/") and name.removeprefix(f"{CHART}/").partition("-")[0] in kinds
    }


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_pods_are_not_created_before_they_may_do_what_they_have_to_do(name: str) -> None:
    # GIVEN everything that Milvus's pods need: their namespace closed, their identity with its rights, their secrets
    env, graph = load_environment(name), assembly_of(assembly(name))
    needed = in_the_chart(graph, BEFORE_THE_RELEASE)
    needed |= {"milvus/Identity/Conditions", "milvus/Identity/Role", "milvus/Identity/Role/MilvusObjects"}
    if isinstance(env.queue, Msk) or env.milvus.authorization:
        reader = "milvus/SecretsReader"
        needed |= {f"{reader}/Conditions", f"{reader}/Role", f"{reader}/Role/DefaultPolicy"}
    if isinstance(env.queue, Msk):
        needed |= {"milvus/Kafka/Ingress"}
    # THEN nothing of it comes later than the release, or beside it
    assert needed - graph.before(release(env)) == set()


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_load_balancers_and_budgets_go_before_the_release_when_it_is_deleted(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    companions = in_the_chart(graph, AFTER_THE_RELEASE)
    assert f"{CHART}/Service-{env.milvus.service.name}" in companions
    assert [each for each in companions if release(env) not in graph.before(each)] == []
    # AND there is no object whose place nobody has thought of
    everything = in_the_chart(graph, {*BEFORE_THE_RELEASE, *AFTER_THE_RELEASE, "HelmChart"})
    assert everything == {each for each in graph.resources if each.startswith(CHART)}


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_nothing_stands_in_the_namespace_before_the_namespace(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    namespace = f"{CHART}/Namespace-{env.milvus.namespace}"
    others = {each for each in graph.resources if each.startswith(CHART)} - {namespace}
    assert len(others) > 5
    assert [each for each in others if namespace not in graph.before(each)] == []


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_secrets_are_read_by_a_store_that_may_sign_in(name: str) -> None:
    graph = assembly_of(assembly(name))
    secrets = in_the_chart(graph, {"ExternalSecret"})
    assert secrets
    for each in secrets:
        expected = {
            *in_the_chart(graph, {"SecretStore"}),
            f"{CHART}/ServiceAccount-milvus-secrets-sa",
            "milvus/SecretsReader/Role/DefaultPolicy",
        }
        assert expected - graph.before(each) == set(), each


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_tasks_start_when_the_cluster_admits_them(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    access = "eks/Chart-tasks-access/ClusterRole"
    admission = {
        "eks/Tasks/Admission/Entry",
        f"{access}-milvus-on-eks-storage-class",
        f"{access}Binding-milvus-on-eks-storage-class",
    }
    kinds = ("NonDefaultStorageClass", "ReleasePreparation", "ReleaseReadiness")
    tasks = [each for kind in kinds for each in graph.of_type(f"Custom::{kind}")]
    assert len(tasks) == len(kinds)
    for task in tasks:
        assert admission - graph.before(task.name) == set(), task.name
    # AND each looks at what is there by then
    assert release(env) in graph.before("milvus/Readiness")
    # AND the way of the release is prepared before Helm runs, by who may by then
    assert "milvus/Preparation" in graph.before(release(env))
    assert f"{CHART}/RoleBinding-milvus-on-eks-release" in graph.before("milvus/Preparation")
    assert "eks/Chart-storage-class/StorageClass-ebs-sc" in graph.before("eks/Gp2NonDefault")


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_addresses_are_read_of_load_balancers_that_were_asked_for(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    asked = {"milvus/Address/Value": f"Service-{env.milvus.service.name}"}
    if env.milvus.attu.exposure != "off":
        asked["milvus/AttuAddress/Value"] = f"Ingress-{attu_name(env)}"
    assert {each.name for each in graph.of_type("Custom::AWSCDK-EKS-KubernetesObjectValue")} == asked.keys()
    for value, made_by in asked.items():
        assert f"{CHART}/{made_by}" in graph.before(value)


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_cluster_gets_its_network_then_nodes_then_names_then_controllers(name: str) -> None:
    # GIVEN the cluster's parts in the order in which each becomes healthy
    env, graph = load_environment(name), assembly_of(assembly(name))
    groups = {f"eks/Nodes-{each}/Resource" for each in env.cluster.node_groups}
    network = {"eks/NetworkAddons/VpcCni", "eks/NetworkAddons/KubeProxy"}
    workloads = {f"eks/WorkloadAddons/{each}" for each in ("CoreDns", "EbsCsiDriver", "MetricsServer")}
    policy = "eks/LoadBalancers/Resource/alb-sa/Role/DefaultPolicy"
    steps = [
        ({"eks/Cluster/Resource"}, {"eks/Cluster/ControlPlaneLogGroup", "eks/Cluster/Role", "eks/Cluster/SecretsKey"}),
        (network, {"eks/Cluster/Resource"}),
        (groups, network),
        (workloads, groups),
        ({"eks/LoadBalancers/Resource/Resource"}, {"eks/WorkloadAddons/CoreDns", policy}),
        ({"eks/ExternalSecrets/Resource"}, {"eks/WorkloadAddons/CoreDns"}),
    ]
    # THEN none starts before the one that it would wait for in vain
    late = [(each, needed - graph.before(each)) for later, needed in steps for each in later]
    assert [(each, missing) for each, missing in late if missing] == []


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_cluster_is_protected_when_all_stands_and_no_longer_when_the_first_goes(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    stands = {each for each in graph.resources if each.startswith("eks/")}
    own = {each for each in stands if each.startswith("eks/Protection")}
    # GIVEN an environment that asks for protection, and one that does not
    assert bool(own) == env.termination_protection
    # THEN a deployment that fails before never gets there, and its rollback finds nothing protected
    if own:
        assert stands - own - graph.before("eks/Protection") == set()


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_whatever_is_sent_to_the_cluster_waits_for_the_right_to_do_so(name: str) -> None:
    graph = assembly_of(assembly(name))
    sent = [found.name for found in graph.resources.values() if found.type.startswith("Custom::AWSCDK-EKS-")]
    assert len(sent) > 10
    assert [each for each in sent if "eks/Cluster/Resource/ClusterAdminRoleAccess" not in graph.before(each)] == []


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_functions_have_their_rights_before_they_are_called(name: str) -> None:
    graph = assembly_of(assembly(name))
    policies = graph.of_type("AWS::IAM::Policy")
    functions = graph.of_type("AWS::Lambda::Function")
    late = [
        (function.name, policy.name)
        for function in functions
        for policy in policies
        if str(function.at("Role")).replace(".Arn}", "}") in policy.properties["Roles"]
        if policy.name not in graph.before(function.name)
    ]
    assert late == []


def test_the_list_of_brokers_is_known_when_somebody_can_sign_in() -> None:
    # GIVEN that whoever has the list uses it: Milvus's stack waits for nothing else of Kafka
    graph = assembly_of(assembly("prod"))
    first = graph.before("streaming/Brokers/List")
    assert {"streaming/Association", "streaming/Brokers/FunctionRole/DefaultPolicy", "streaming/Kafka"} <= first
    # AND that the function's rights are made before the association, so that they have long arrived
    assert "streaming/Association" not in graph.before("streaming/Brokers/FunctionRole/DefaultPolicy")
    # AND the association is made by a function that may do it
    assert "streaming/Association/FunctionRole/DefaultPolicy" in graph.before("streaming/Association")


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_stacks_wait_for_those_whose_values_they_use_and_for_no_others(name: str) -> None:
    # GIVEN that brokers and the control plane take longest, and are created at the same time
    env, graph = load_environment(name), assembly_of(assembly(name))
    found = {part: graph.stacks_before(part) for part in graph.stacks}
    expected = {"network": set(), "storage": set(), "eks": {"network"}, "milvus": {"network", "storage", "eks"}}
    if isinstance(env.queue, Msk):
        expected |= {"streaming": {"network"}, "milvus": {*expected["milvus"], "streaming"}}
    assert found == expected
