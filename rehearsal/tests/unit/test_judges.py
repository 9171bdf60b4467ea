"""Whoever judges a rehearsal says no: each judge sees a good state, and the bad ones that it is there for."""

from __future__ import annotations

import base64
import copy
import functools
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import cdk8s
import pytest

from charts.context import ReleaseContext
from charts.milvus import MilvusChart
from charts.names import KAFKA_SECRET, ROOT_SECRET
from charts.workloads import component_labels, etcd_labels, workloads
from rehearsal.full import checks as judged
from rehearsal.full.checks import CheckError, Checks
from rehearsal.full.destroy_order import DestroyOrder
from rehearsal.full.site import Site
from rehearsal.leftovers import Leftover, leftovers, no_strays, remaining_stacks, strays
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.durability import DurabilityResult
from settings import load_environment

ENV = load_environment("exposed")
NAMESPACE = ENV.milvus.namespace
ZONES = ("us-east-2a", "us-east-2b", "us-east-2c")
PASSWORDS = {KAFKA_SECRET: {"username": "milvus", "password": "made-up"}, ROOT_SECRET: {"password": "made-up-too"}}
ARNS = {KAFKA_SECRET: "arn:kafka", ROOT_SECRET: "arn:root"}


class Cluster:
    """A Kubernetes API over a table of objects; the budgets of evictions are obeyed unless told otherwise."""

    def __init__(self, **kinds: list[dict[str, Any]]) -> None:
        self.kinds = kinds
        self.second_eviction: int | None = 429
        self._evicted: set[str] = set()

    def objects(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[dict[str, Any]]:
        wanted = dict(pair.split("=") for pair in labels.split(",") if pair).items()
        found = [each for each in self.kinds.get(kind, []) if wanted <= each["metadata"].get("labels", {}).items()]
        return [each for each in found if namespace in {None, each["metadata"].get("namespace", namespace)}]

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        found = self.objects(kind, namespace=namespace)
        return next((each for each in found if each["metadata"]["name"] == name), None)

    def patch(self, kind: str, name: str, change: Mapping[str, Any]) -> None:
        del kind, name, change

    def evict(self, pod: str, *, namespace: str) -> None:
        del namespace
        workload = pod.rpartition("-")[0]
        if workload in self._evicted and self.second_eviction:
            raise ApiError("refused", status=self.second_eviction)
        self._evicted.add(workload)

    def request(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        del method, body
        account = path.split("/")[-2]
        claims = {"iss": "https://oidc.example.com/1", "sub": f"system:serviceaccount:{NAMESPACE}:{account}"}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return {"status": {"token": f"header.{payload}.signature"}}


def named(name: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, **fields.pop("metadata", {})}
    return {"metadata": metadata, **fields}


@functools.cache
def objects_of_the_chart() -> dict[str, list[dict[str, Any]]]:
    chart = MilvusChart(cdk8s.App(), "milvus", env=ENV, context=ReleaseContext.placeholders(ENV))
    objects = chart.to_json()
    return {kind: [each for each in objects if each["kind"] == kind] for kind in ("NetworkPolicy", "ServiceAccount")}


def sound() -> Cluster:
    """Return a cluster in which everything is as designed."""
    kinds: dict[str, list[dict[str, Any]]] = {"Deployment": [], "StatefulSet": [], "Pod": []}
    for workload in workloads(ENV):
        status = {
            "observedGeneration": 1,
            "replicas": workload.replicas,
            "updatedReplicas": workload.replicas,
            "readyReplicas": workload.replicas,
            "availableReplicas": workload.replicas,
        }
        kinds[workload.kind].append(
            named(
                workload.name,
                kind=workload.kind,
                metadata={"generation": 1},
                spec={"replicas": workload.replicas},
                status=status,
            )
        )
        etcd = workload.component == "etcd"
        labels = etcd_labels(ENV) if etcd else component_labels(ENV, workload.component)
        for number in range(workload.replicas):
            container = {"name": "main", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
            account = "default" if etcd or workload.component == "attu" else "milvus-s3-access-sa"
            spec = {"containers": [container], "nodeName": f"node-{number % 3}", "serviceAccountName": account}
            kinds["Pod"].append(named(f"{workload.name}-{number}", metadata={"labels": labels}, spec=spec))
    kinds["Node"] = [
        {"metadata": {"name": f"node-{number}", "labels": {"topology.kubernetes.io/zone": zone}}}
        for number, zone in enumerate(ZONES)
    ]
    kinds["PersistentVolumeClaim"] = [
        named(
            f"data-{number}",
            spec={"storageClassName": "ebs-sc", "volumeName": f"pv-{number}"},
            status={"phase": "Bound"},
        )
        for number in range(ENV.milvus.etcd.replicas)
    ]
    kinds["PersistentVolume"] = [
        {
            "metadata": {"name": f"pv-{number}"},
            "spec": {
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "values": [zone]}]}]}
                }
            },
        }
        for number, zone in enumerate(ZONES)
    ]
    kinds |= copy.deepcopy(objects_of_the_chart())
    for found in kinds["ServiceAccount"]:
        role = found["metadata"]["name"].replace("-sa", "-role")
        found["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] = f"arn:aws:iam::111122223333:role/{role}"
    kinds["Secret"] = [
        named(name, data={key: base64.b64encode(value.encode()).decode() for key, value in values.items()})
        for name, values in PASSWORDS.items()
    ]
    return Cluster(**kinds)


class Iam:
    """Roles that trust the service account of their name."""

    trusted_namespace = NAMESPACE

    def get_role(self, *, RoleName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        account = RoleName.replace("-role", "-sa")
        conditions = {
            "oidc.example.com/1:aud": "sts.amazonaws.com",
            "oidc.example.com/1:sub": f"system:serviceaccount:{self.trusted_namespace}:{account}",
        }
        return {"Role": {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"StringEquals": conditions}}]}}}


class Secrets:
    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        [name] = [name for name, arn in ARNS.items() if arn == SecretId]
        return {"SecretString": json.dumps({"username": "root", **PASSWORDS[name]})}


def checks(cluster: Cluster, iam: Iam | None = None) -> Checks:
    clients = {"iam": iam or Iam(), "secretsmanager": Secrets()}
    site = SimpleNamespace(
        env=ENV,
        cluster=SimpleNamespace(api=cluster),
        account=SimpleNamespace(client=clients.__getitem__),
        outputs=lambda _part: {"KafkaSecretArn": ARNS[KAFKA_SECRET], "RootSecretArn": ARNS[ROOT_SECRET]},
        kubectl=lambda *_: "deployments",
    )
    return Checks(cast("Site", site))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute pass with every look at the clock, so that whoever waits is done at once."""
    minutes = iter(range(10_000))
    clock = SimpleNamespace(monotonic=lambda: next(minutes) * 60.0, sleep=lambda _seconds: None)
    monkeypatch.setattr(judged, "time", clock)


CHECKS = ("workloads", "claims", "disruption", "network_policies", "identities", "requests", "zones", "secrets")


@pytest.mark.parametrize("check", CHECKS)
def test_check_passes_a_cluster_that_is_as_designed(check: str) -> None:
    assert getattr(checks(sound()), check)()


def test_every_check_is_judged_here() -> None:
    public = {name for name, value in vars(Checks).items() if callable(value) and not name.startswith("_")}
    assert public - {"secret"} == set(CHECKS)


Change = Callable[[Cluster], object]


def first(cluster: Cluster, kind: str, ending: str = "") -> dict[str, Any]:
    return next(each for each in cluster.kinds[kind] if each["metadata"]["name"].endswith(ending))


def an_extra_deployment(cluster: Cluster) -> None:
    extra = copy.deepcopy(cluster.kinds["Deployment"][0])
    extra["metadata"]["name"] = "extra"
    cluster.kinds["Deployment"].append(extra)


def a_proxy_short(cluster: Cluster) -> None:
    first(cluster, "Deployment", "proxy")["status"]["availableReplicas"] = 1


def volumes_in_one_zone(cluster: Cluster) -> None:
    for volume in cluster.kinds["PersistentVolume"]:
        [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        term["matchExpressions"][0]["values"] = [ZONES[0]]


def a_pod_of_nobody(cluster: Cluster) -> None:
    cluster.kinds["Pod"].append(named("stranger", metadata={"labels": {"app": "x"}}, spec={"containers": []}))


def a_pod_as_somebody_else(cluster: Cluster) -> None:
    first(cluster, "Pod", "proxy-0")["spec"]["serviceAccountName"] = "default"


def everything_on_one_node(cluster: Cluster) -> None:
    for pod in cluster.kinds["Pod"]:
        pod["spec"]["nodeName"] = "node-0"


def a_container_without_memory(cluster: Cluster) -> None:
    del first(cluster, "Pod", "proxy-0")["spec"]["containers"][0]["resources"]["requests"]["memory"]


BAD: dict[str, tuple[str, Change, str]] = {
    "a deployment too many": ("workloads", an_extra_deployment, "Deployments are .*extra.*, the settings ask for"),
    "a pod that is not available": ("workloads", a_proxy_short, "blue-milvus-proxy available: not within 90 s"),
    "a claim that is missing": ("claims", lambda c: c.kinds["PersistentVolumeClaim"].pop(), "2 claims for 3 members"),
    "a claim that is not bound": (
        "claims",
        lambda c: c.kinds["PersistentVolumeClaim"][1]["status"].update(phase="Pending"),
        "claim data-1 is Pending",
    ),
    "a volume of another class": (
        "claims",
        lambda c: c.kinds["PersistentVolumeClaim"][0]["spec"].update(storageClassName="gp2"),
        "claim data-0 has the class gp2",
    ),
    "volumes in one zone": ("claims", volumes_in_one_zone, r"etcd's volumes are in \['us-east-2a'\], not in 3 zones"),
    "a drain that nothing stops": (
        "disruption",
        lambda c: setattr(c, "second_eviction", None),
        "a second pod of blue-etcd could be evicted while the first was away",
    ),
    "a drain that fails for another reason": (
        "disruption",
        lambda c: setattr(c, "second_eviction", 500),
        "evicting a second pod of blue-etcd: refused",
    ),
    "a workload without its pods": (
        "disruption",
        lambda c: c.kinds["Pod"].remove(first(c, "Pod", "etcd-2")),
        r"blue-etcd has the pods \['blue-etcd-0', 'blue-etcd-1'\]",
    ),
    "a policy that is missing": (
        "network_policies",
        lambda c: c.kinds["NetworkPolicy"].remove(first(c, "NetworkPolicy", "etcd")),
        r"policies are \['attu', 'default-deny'",
    ),
    "a default that lets in": (
        "network_policies",
        lambda c: first(c, "NetworkPolicy", "default-deny")["spec"].update(ingress=[{}]),
        "default-deny does not close every pod",
    ),
    "a default for some pods": (
        "network_policies",
        lambda c: first(c, "NetworkPolicy", "default-deny")["spec"].update(podSelector={"matchLabels": {"a": "b"}}),
        "default-deny does not close every pod",
    ),
    "a policy for nobody": (
        "network_policies",
        lambda c: first(c, "NetworkPolicy", "etcd")["spec"].update(podSelector={"matchLabels": {"a": "b"}}),
        "policy etcd selects no pod",
    ),
    "a pod that no policy knows": (
        "network_policies",
        a_pod_of_nobody,
        "no policy but default-deny selects stranger",
    ),
    "a service account that is missing": (
        "identities",
        lambda c: c.kinds["ServiceAccount"].remove(first(c, "ServiceAccount", "access-sa")),
        "service account milvus-s3-access-sa is missing",
    ),
    "a pod as somebody else": (
        "identities",
        a_pod_as_somebody_else,
        "pods of Milvus run as another service account: {'blue-milvus-proxy-0': 'default'}",
    ),
    "a container without a request": (
        "requests",
        a_container_without_memory,
        r"pod blue-milvus-proxy-0 container main requests only \['cpu'\]",
    ),
    "all members on one node": (
        "zones",
        everything_on_one_node,
        r"blue-etcd stands in \['us-east-2a', 'us-east-2a', 'us-east-2a'\], not in 3 zones",
    ),
    "a secret of another value": (
        "secrets",
        lambda c: first(c, "Secret", "kafka")["data"].update(password=base64.b64encode(b"other").decode()),
        "Secret milvus-kafka differs from arn:kafka",
    ),
    "a secret without values": (
        "secrets",
        lambda c: first(c, "Secret", "root")["data"].clear(),
        "Secret milvus-root is empty",
    ),
    "a secret that nobody wrote": (
        "secrets",
        lambda c: c.kinds["Secret"].clear(),
        "Secret milvus-kafka written by the operator: not within 90 s",
    ),
}


@pytest.mark.parametrize("state", BAD)
def test_check_refuses_a_cluster_in_a_bad_state(state: str) -> None:
    check, change, message = BAD[state]
    cluster = sound()
    change(cluster)
    with pytest.raises(CheckError, match=message):
        getattr(checks(cluster), check)()


def test_every_check_has_a_bad_state() -> None:
    assert {check for check, _, _ in BAD.values()} == set(CHECKS)


def test_role_that_trusts_the_account_of_another_namespace_is_refused() -> None:
    class Elsewhere(Iam):
        trusted_namespace = "other"

    with pytest.raises(
        CheckError, match=r"trusts .*:other:milvus-s3-access-sa.*, the token of milvus-s3-access-sa says"
    ):
        checks(sound(), Elsewhere()).identities()


# --- the order in which everything goes


CONTROLLER = {"metadata": {"name": "aws-load-balancer-controller", "namespace": "kube-system"}}


def balanced() -> Cluster:
    service = named("milvus-service", spec={"type": "LoadBalancer"})
    plain = named("milvus", spec={"type": "ClusterIP"})
    return Cluster(Service=[service, plain], Ingress=[named("attu", spec={})], Deployment=[copy.deepcopy(CONTROLLER)])


def watched(cluster: Cluster, *steps: Callable[[], object]) -> DestroyOrder:
    """Let things go one after the other, each seen before the next one goes."""
    order = DestroyOrder(cast("Api", cluster))
    for step in steps:
        step()
        order._note()
    return order


def test_load_balancers_go_before_their_controller() -> None:
    cluster = balanced()
    order = watched(
        cluster, cluster.kinds["Ingress"].clear, cluster.kinds["Service"].clear, cluster.kinds["Deployment"].clear
    )
    assert order.order() == (
        f"gone in this order: Ingress/{NAMESPACE}/attu, Service/{NAMESPACE}/milvus-service, "
        "Deployment/kube-system/aws-load-balancer-controller"
    )


def test_controller_that_goes_first_is_noticed() -> None:
    cluster = balanced()
    order = watched(
        cluster, cluster.kinds["Ingress"].clear, cluster.kinds["Deployment"].clear, cluster.kinds["Service"].clear
    )
    with pytest.raises(CheckError, match=f"Service/{NAMESPACE}/milvus-service went after its controller"):
        order.order()


def test_load_balancer_that_stays_is_noticed() -> None:
    cluster = balanced()
    order = watched(cluster, cluster.kinds["Ingress"].clear, cluster.kinds["Deployment"].clear)
    with pytest.raises(CheckError, match=f"still there: {{'Service/{NAMESPACE}/milvus-service'}}"):
        order.order()


def test_watch_of_a_cluster_without_load_balancers_says_so() -> None:
    assert watched(Cluster()).order() == "nothing had asked for a load balancer"


# --- what is left


class Account:
    """boto3 clients of an account with one thing of each kind, and CDK's bootstrap."""

    stacks = ({"StackName": "a", "StackStatus": "DELETE_FAILED"}, {"StackName": "b", "StackStatus": "DELETE_COMPLETE"})
    kinds: ClassVar[dict[str, str]] = {
        "VPC": "vpc-1",
        "Elastic IP": "203.0.113.9",
        "NAT gateway": "nat-1",
        "EKS cluster": "milvus",
        "MSK cluster": "arn:msk",
        "bucket": "data",
        "secret": "arn:secret",
        "function": "function",
        "log group": "/aws/lambda/function",
        "role": "role",
    }

    def __call__(self, service: str) -> SimpleNamespace:
        kinds = self.kinds
        answers: dict[str, dict[str, Any]] = {
            "ec2": {
                "describe_vpcs": {
                    "Vpcs": [{"VpcId": "vpc-0", "IsDefault": True}, {"VpcId": kinds["VPC"], "IsDefault": False}]
                },
                "describe_addresses": {"Addresses": [{"PublicIp": kinds["Elastic IP"]}]},
                "describe_nat_gateways": {
                    "NatGateways": [
                        {"NatGatewayId": "nat-0", "State": "deleted"},
                        {"NatGatewayId": kinds["NAT gateway"], "State": "available"},
                    ]
                },
            },
            "eks": {"list_clusters": {"clusters": [kinds["EKS cluster"]]}},
            "kafka": {"list_clusters_v2": {"ClusterInfoList": [{"ClusterArn": kinds["MSK cluster"]}]}},
            "s3": {"list_buckets": {"Buckets": [{"Name": "cdk-assets"}, {"Name": kinds["bucket"]}]}},
            "secretsmanager": {"list_secrets": {"SecretList": [{"ARN": kinds["secret"]}]}},
            "lambda": {"list_functions": {"Functions": [{"FunctionName": kinds["function"]}]}},
            "logs": {"describe_log_groups": {"logGroups": [{"logGroupName": kinds["log group"]}]}},
            "iam": {"list_roles": {"Roles": [{"RoleName": "cdk-deploy"}, {"RoleName": kinds["role"]}]}},
        }
        return SimpleNamespace(**{call: lambda answer=answer: answer for call, answer in answers[service].items()})


@pytest.mark.parametrize("kind", Account.kinds)
def test_everything_that_nobody_retains_is_a_stray(kind: str) -> None:
    # GIVEN that all but one thing is retained by its template, or was there before
    kept = [Leftover(stack="s", resource_type=each, physical_id=id_) for each, id_ in Account.kinds.items()]
    retained = [entry for entry in kept if entry.resource_type not in {kind, "VPC"}]
    existing = set() if kind == "VPC" else {Account.kinds["VPC"]}
    assert strays(Account(), retained, existing=existing) == [f"{kind} {Account.kinds[kind]}"]
    # AND with it there is none
    assert strays(Account(), kept, existing=set()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dev", set()),
        ("prod", {"/aws/eks/milvus-prod/cluster"}),
        ("existing-vpc", {"vpc-0123456789abcdef0", "/aws/eks/milvus-byo/cluster"}),
    ],
)
def test_what_was_there_before_or_is_kept_by_a_function_is_no_stray(name: str, expected: set[str]) -> None:
    assert no_strays(load_environment(name)) == expected


def test_stack_that_survived_is_noticed() -> None:
    client = SimpleNamespace(describe_stacks=lambda: {"Stacks": list(Account.stacks)})
    assert remaining_stacks(client, ["a", "b", "c"]) == ["a"]
    assert remaining_stacks(client, ["b"]) == []


def test_what_a_template_retains_is_what_its_deletion_skipped() -> None:
    def event(resource: str, status: str) -> dict[str, str]:
        return {"StackName": "s", "ResourceType": resource, "ResourceStatus": status, "PhysicalResourceId": "id"}

    pages = [{"StackEvents": [event("AWS::S3::Bucket", "DELETE_SKIPPED"), event("AWS::EC2::VPC", "DELETE_COMPLETE")]}]
    paginator = SimpleNamespace(paginate=lambda **_: pages)
    client = SimpleNamespace(get_paginator=lambda _name: paginator)
    assert [str(each) for each in leftovers(client, ["s"])] == ["AWS::S3::Bucket id (s)"]


# --- durability


@pytest.mark.parametrize(
    ("result", "ok"),
    [
        (DurabilityResult(acknowledged={1, 2}, stored=2, found=2), True),
        # Interrupted inserts may be there or not, but once
        (DurabilityResult(acknowledged={1, 2}, uncertain={3}, stored=3, found=3), True),
        (DurabilityResult(acknowledged={1, 2}, missing={2}, stored=1, found=1), False),
        (DurabilityResult(acknowledged={1, 2}, stored=3, found=2), False),
        (DurabilityResult(), False),
    ],
)
def test_rows_are_there_once_or_milvus_is_not_durable(result: DurabilityResult, ok: bool) -> None:
    assert result.ok is ok
