"""Every name in an object is the name of something: of an object of the chart, of the release, or of the cluster."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import cdk8s
import pytest

from charts.storage_class import StorageClassChart
from charts.workloads import component_labels, etcd_labels, fullname, workloads
from settings import Environment, load_environment
from settings.chart_names import chart_services
from tests.assemblies import EVERY_FIXTURE
from tests.unit.chart_objects import environment, objects_of, on_line

Objects = dict[str, dict[str, Any]]

STANDALONE = environment(("milvus.mode", "standalone"))
WOODPECKER = on_line("3.0", ("queue", {"kind": "woodpecker"}))
ENVS = {**{name: load_environment(name) for name in EVERY_FIXTURE}, "standalone": STANDALONE, "woodpecker": WOODPECKER}
every_environment = pytest.mark.parametrize("env", ENVS.values(), ids=ENVS)

# What the cluster has before any chart of ours.
OF_THE_CLUSTER = {
    "Namespace/kube-system",
    "ServiceAccount/kube-system/aws-load-balancer-controller",
    "IngressClass/alb",
    # By an access entry of the cluster.
    "Group/milvus-on-eks:tasks",
}
OIDC = "alb.ingress.kubernetes.io/auth-idp-oidc"


def provided(env: Environment, objects: Objects) -> set[str]:
    """Return what can be referred to, each as kind, namespace (where it has one) and name."""
    storage_class = StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=None).to_json()
    there = {_id(found["kind"], found["metadata"]) for found in [*objects.values(), *storage_class]}
    namespace = env.milvus.namespace
    for found in objects.values():
        if found["kind"] == "ExternalSecret":
            # GIVEN the operator, it writes a Secret with these keys
            secret = f"Secret/{namespace}/{found['spec']['target']['name']}"
            there |= {secret, *(f"{secret}#{each['secretKey']}" for each in found["spec"]["data"])}
    services = [f"Service/{namespace}/{name}" for name in chart_services(env.milvus.release_name)]
    groups = [f"node-group/{name}" for name in env.cluster.node_groups]
    return there | OF_THE_CLUSTER | set(services) | set(groups)


# What a rule of a Role names of these has to be there; what a chart or a function makes is another test's.
GRANTED = {"secrets": "Secret"}


def references(found: dict[str, Any]) -> Iterator[str]:
    """Yield what an object refers to, in the same form."""
    metadata, spec = found["metadata"], found.get("spec", {})
    here = metadata.get("namespace")
    if here:
        yield f"Namespace/{here}"
    match found["kind"]:
        case "SecretStore":
            yield f"ServiceAccount/{here}/{spec['provider']['aws']['auth']['jwt']['serviceAccountRef']['name']}"
        case "ExternalSecret":
            yield f"{spec['secretStoreRef']['kind']}/{here}/{spec['secretStoreRef']['name']}"
        case "Role":
            for rule in found["rules"]:
                kinds = [GRANTED[kind] for kind in rule["resources"] if kind in GRANTED]
                yield from (f"{kind}/{here}/{name}" for kind in kinds for name in rule.get("resourceNames", ()))
        case "RoleBinding":
            yield f"{found['roleRef']['kind']}/{here}/{found['roleRef']['name']}"
            yield from (_id(each["kind"], each) for each in found["subjects"])
        case "Ingress":
            yield from _of_ingress(found)
        case "HelmChart":
            yield from _of_release(spec)


def _of_ingress(found: dict[str, Any]) -> Iterator[str]:
    here, annotations = found["metadata"]["namespace"], found["metadata"]["annotations"]
    yield f"IngressClass/{found['spec']['ingressClassName']}"
    for path in found["spec"]["rules"][0]["http"]["paths"]:
        yield f"Service/{here}/{path['backend']['service']['name']}"
    if OIDC in annotations:
        secret = f"Secret/{here}/{json.loads(annotations[OIDC])['secretName']}"
        # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#authentication
        yield from (f"{secret}#clientID", f"{secret}#clientSecret")


def _of_release(spec: dict[str, Any]) -> Iterator[str]:
    inside, values = spec["targetNamespace"], spec["values"]
    yield f"Namespace/{inside}"
    yield f"ServiceAccount/{inside}/{values['serviceAccount']['name']}"
    yield f"StorageClass/{values['etcd']['persistence']['storageClass']}"
    for each in _under(values, "secretKeyRef"):
        yield f"Secret/{inside}/{each['name']}#{each['key']}"
    yield from (f"node-group/{each['node-group']}" for each in _under(values, "nodeSelector"))


def dangling(env: Environment, objects: Objects) -> set[str]:
    return {each for found in objects.values() for each in references(found)} - provided(env, objects)


def _id(kind: str, metadata: dict[str, Any]) -> str:
    return "/".join([kind, *([metadata["namespace"]] if "namespace" in metadata else []), metadata["name"]])


def _under(values: Any, key: str) -> Iterator[Any]:
    """Yield what stands under a key, however deep."""
    if isinstance(values, dict):
        if key in values:
            yield values[key]
        values = list(values.values())
    if isinstance(values, list):
        for value in values:
            yield from _under(value, key)


@every_environment
def test_every_reference_of_the_chart_resolves(env: Environment) -> None:
    assert dangling(env, objects_of(env)) == set()


@pytest.mark.parametrize(
    ("key", "path", "value", "missing"),
    [
        (
            "ExternalSecret/milvus-kafka",
            ["spec", "secretStoreRef", "kind"],
            "ClusterSecretStore",
            "ClusterSecretStore/vectors/milvus-secrets-manager",
        ),
        ("RoleBinding/milvus-attu-oidc-reader", ["roleRef", "name"], "reader", "Role/vectors/reader"),
        (
            "HelmChart/blue",
            ["spec", "values", "proxy", "extraEnv", 0, "valueFrom", "secretKeyRef", "key"],
            "user",
            "Secret/vectors/milvus-kafka#user",
        ),
        ("Service/milvus-service", ["metadata", "namespace"], "milvus", "Namespace/milvus"),
    ],
)
def test_reference_to_nothing_is_found(key: str, path: list[Any], value: str, missing: str) -> None:
    # GIVEN a chart with one name that nobody has
    env = ENVS["exposed"]
    objects = copy.deepcopy(objects_of(env))
    inner: Any = objects[key]
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    # THEN it is named
    assert missing in dangling(env, objects)


# --- selectors


def pods(env: Environment) -> dict[str, dict[str, str]]:
    """Return the labels of the pods of each workload, and of one that is not the release's."""
    found = {
        each.name: etcd_labels(env) if each.component == "etcd" else component_labels(env, each.component)
        for each in workloads(env)
    }
    return {**found, "stranger": {"app": "something"}}


def selected(env: Environment, selector: dict[str, Any]) -> set[str]:
    return {
        name
        for name, labels in pods(env).items()
        if selector.get("matchLabels", {}).items() <= labels.items()
        and all(labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))
    }


@every_environment
def test_each_budget_is_for_the_workload_of_its_name(env: Environment) -> None:
    budgets = {key: found for key, found in objects_of(env).items() if found["kind"] == "PodDisruptionBudget"}
    assert budgets
    for key, found in budgets.items():
        assert {f"PodDisruptionBudget/{name}" for name in selected(env, found["spec"]["selector"])} == {key}


@every_environment
def test_load_balancer_sends_clients_to_the_front_door_alone(env: Environment) -> None:
    service = objects_of(env)[f"Service/{env.milvus.service.name}"]
    door = "standalone" if env.milvus.mode == "standalone" else "proxy"
    assert selected(env, {"matchLabels": service["spec"]["selector"]}) == {f"{fullname(env)}-{door}"}


@every_environment
def test_each_network_policy_is_for_the_pods_of_its_name(env: Environment) -> None:
    release, every = fullname(env), set(pods(env))
    etcd = next(each.name for each in workloads(env) if each.component == "etcd")
    door = {f"{release}-standalone"} if env.milvus.mode == "standalone" else {f"{release}-proxy"}
    attu = f"{release}-attu"
    expected = {
        "default-deny": every,
        "milvus": every - {etcd, attu, "stranger"},
        "milvus-clients": door,
        "etcd": {etcd},
    }
    if env.milvus.attu.exposure != "off":
        expected |= {"attu": {attu}, "milvus-attu": door}
    policies = [found for found in objects_of(env).values() if found["kind"] == "NetworkPolicy"]
    assert {each["metadata"]["name"]: selected(env, each["spec"]["podSelector"]) for each in policies} == expected
