"""The objects around the Milvus release, and the order in which they are applied."""

from __future__ import annotations

import dataclasses
from typing import Any

import cdk8s
import kubernetes_validate
import pytest
import yaml

from charts.context import ReleaseContext, needs_secrets
from charts.storage_class import StorageClassChart
from charts.values import helm_values
from charts.workloads import workloads
from settings import Environment, load_environment
from tests.unit.chart_objects import chart_of, context_of, environment, objects_of, on_line

WOODPECKER: tuple[str, Any] = ("queue", {"kind": "woodpecker"})
OPEN: list[tuple[str, Any]] = [("milvus.authorization", False), ("milvus.acknowledge", ["CVE-2026-26190"])]


def test_release_is_a_helm_chart_object_with_structured_values() -> None:
    env = environment()
    release = objects_of(env)["HelmChart/milvus"]
    assert release["apiVersion"] == "helm.cattle.io/v1"
    assert release["spec"] == {
        "repo": "https://zilliztech.github.io/milvus-helm/",
        "chart": "milvus",
        "version": "5.0.19",
        "targetNamespace": "milvus",
        "failurePolicy": "abort",
        "values": helm_values(env, context_of(env)),
    }


def test_release_follows_its_names_and_mirror() -> None:
    env = environment(
        ("milvus.namespace", "vectors"),
        ("milvus.release_name", "blue"),
        ("milvus.chart_repository", "oci://mirror.example.com/charts"),
    )
    found = objects_of(env)
    assert found["HelmChart/blue"]["spec"]["targetNamespace"] == "vectors"
    assert found["HelmChart/blue"]["spec"]["repo"] == "oci://mirror.example.com/charts"
    # AND the selectors follow the names that the chart makes of the release's
    assert found["Service/milvus-service"]["spec"]["selector"]["app.kubernetes.io/instance"] == "blue"
    assert [each.name for each in workloads(env)][:2] == ["blue-etcd", "blue-milvus-mixcoord"]
    # AND everything but the namespace and the release is in it
    elsewhere = {"Namespace/vectors", "HelmChart/blue"}
    assert {each["metadata"].get("namespace") for key, each in found.items() if key not in elsewhere} == {"vectors"}


def test_tokens_survive_unchanged() -> None:
    # GIVEN strings that CDK resolves only at deployment
    env = environment()
    fields = [field.name for field in dataclasses.fields(ReleaseContext)]
    tokens = {name: f"${{Token[AWS.{name}.{number}]}}" for number, name in enumerate(fields)}
    # WHEN the chart is made of them
    text = yaml.safe_dump_all(list(objects_of(env, **tokens).values()), width=10_000)
    # THEN each is there, whole
    assert [name for name, token in tokens.items() if token not in text] == []


@pytest.mark.parametrize("field", ["kafka_secret_arn", "root_secret_arn", "secrets_role_arn", "broker_list"])
def test_missing_context_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=rf"ReleaseContext\.{field} is None, but .*; pass it"):
        chart_of(environment(), **{field: None})


def test_service_account_carries_the_role_and_the_label_of_the_guide() -> None:
    account = objects_of(environment(), role_arn="arn:role")["ServiceAccount/milvus-s3-access-sa"]
    assert account["metadata"]["labels"] == {"aws-usage": "milvus"}
    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:role",
        # The global endpoint of STS is one region away, and has no VPC endpoint.
        "eks.amazonaws.com/sts-regional-endpoints": "true",
    }
    # AND pods get no token for the Kubernetes API, which Milvus never calls
    assert account["automountServiceAccountToken"] is False


def test_namespace_enforces_what_the_images_allow_and_reports_the_rest() -> None:
    labels = objects_of(environment())["Namespace/milvus"]["metadata"]["labels"]
    prefix = "pod-security.kubernetes.io/"
    assert labels[f"{prefix}enforce"] == "baseline"
    assert labels[f"{prefix}warn"] == labels[f"{prefix}audit"] == "restricted"
    # AND an upgrade of the cluster changes no rule by itself
    assert {labels[f"{prefix}{mode}-version"] for mode in ("enforce", "warn", "audit")} == {"v1.36"}


def test_pods_wait_for_the_load_balancer_before_they_count_as_ready() -> None:
    labels = objects_of(environment())["Namespace/milvus"]["metadata"]["labels"]
    assert labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"


# --- credentials


def test_secrets_are_named_and_never_held() -> None:
    found = objects_of(environment(), kafka_secret_arn="arn:kafka", root_secret_arn="arn:root", region="here")
    store = found["SecretStore/milvus-secrets-manager"]["spec"]["provider"]["aws"]
    assert store == {
        "service": "SecretsManager",
        "region": "here",
        "auth": {"jwt": {"serviceAccountRef": {"name": "milvus-secrets-sa"}}},
    }
    assert found["ExternalSecret/milvus-kafka"]["spec"] == {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "SecretStore", "name": "milvus-secrets-manager"},
        # THEN a secret that AWS cannot give for a while takes none away from running pods
        "target": {"name": "milvus-kafka", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        "data": [
            {"secretKey": "username", "remoteRef": {"key": "arn:kafka", "property": "username"}},
            {"secretKey": "password", "remoteRef": {"key": "arn:kafka", "property": "password"}},
        ],
    }
    assert found["ExternalSecret/milvus-root"]["spec"]["data"] == [
        {"secretKey": "password", "remoteRef": {"key": "arn:root", "property": "password"}}
    ]
    assert "Secret" not in {each["kind"] for each in found.values()}


def test_secrets_are_read_by_an_account_of_their_own() -> None:
    found = objects_of(environment(), secrets_role_arn="arn:reader", role_arn="arn:milvus")
    account = found["ServiceAccount/milvus-secrets-sa"]
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:reader"}
    assert account["automountServiceAccountToken"] is False


def test_woodpecker_without_authorization_needs_no_secrets_at_all() -> None:
    env = on_line("3.0", WOODPECKER, *OPEN)
    assert needs_secrets(env) is False
    kinds = {each["kind"] for each in objects_of(env).values()}
    assert not {"SecretStore", "ExternalSecret"} & kinds
    assert ReleaseContext.placeholders(env).secrets_role_arn is None


@pytest.mark.parametrize(
    ("env", "secrets"),
    [(on_line("3.0", WOODPECKER), ["milvus-root"]), (environment(*OPEN), ["milvus-kafka"])],
    ids=["no Kafka", "no authorization"],
)
def test_only_credentials_that_are_used_are_fetched(env: Environment, secrets: list[str]) -> None:
    found = [each["metadata"]["name"] for each in objects_of(env).values() if each["kind"] == "ExternalSecret"]
    assert found == secrets


# --- order


def needs(chart: cdk8s.Chart) -> dict[str, set[str]]:
    """Return what each object waits for, all the way: its dependencies, and theirs."""
    objects = {f"{each.kind}/{each.name}": each for each in chart.api_objects}
    direct = {
        key: {other for other, found in objects.items() if found in each.node.dependencies}
        for key, each in objects.items()
    }

    def all_of(key: str) -> set[str]:
        return direct[key].union(*map(all_of, direct[key]))

    return {key: all_of(key) for key in objects}


def test_each_object_waits_for_what_it_needs_and_for_nothing_else() -> None:
    # GIVEN the dependencies themselves, by which objects are deleted in turn too, the other way round
    first = {"Namespace/vectors"}
    account = "ServiceAccount/milvus-secrets-sa"
    store = "SecretStore/milvus-secrets-manager"
    reader = "Role/milvus-attu-oidc-reader"
    access = "Role/milvus-on-eks-release"
    secrets = [f"ExternalSecret/milvus-{each}" for each in ("kafka", "root", "attu-oidc")]
    policies = [
        f"NetworkPolicy/{each}" for each in ("default-deny", "milvus", "milvus-clients", "etcd", "attu", "milvus-attu")
    ]
    expected = {
        "Namespace/vectors": set(),
        **dict.fromkeys(["ServiceAccount/milvus-s3-access-sa", account, reader, *policies], first),
        store: {*first, account},
        **{key: {*first, account, store} for key in secrets},
        "RoleBinding/milvus-attu-oidc-reader": {*first, reader},
        access: first,
        f"RoleBinding/{access.partition('/')[2]}": {*first, access},
    }
    # THEN pods start with their role and their credentials in a closed network
    release = "HelmChart/blue"
    expected[release] = set(expected)
    # AND the load balancers go before the release, while their controller is there
    budgets = [f"PodDisruptionBudget/blue-{each}" for each in ("etcd", "milvus-mixcoord", "milvus-proxy")]
    load_balancers = ["Service/milvus-service", "Ingress/blue-milvus-attu"]
    expected |= {key: {release, *expected[release]} for key in [*budgets, *load_balancers]}
    assert needs(chart_of(load_environment("exposed"))) == expected


def test_functions_may_prepare_the_release_and_touch_nothing_else() -> None:
    found = objects_of(environment(("milvus.release_name", "blue")))
    rules = [
        (*rule["resources"], set(rule["verbs"]), rule.get("resourceNames"))
        for rule in found["Role/milvus-on-eks-release"]["rules"]
    ]
    assert rules == [
        # Kubernetes cannot tell Helm's records from other Secrets.
        ("secrets", {"get", "list", "delete"}, None),
        ("persistentvolumeclaims", {"get", "patch"}, [f"data-blue-etcd-{number}" for number in range(5)]),
        ("statefulsets", {"create"}, None),
        ("statefulsets", {"get", "patch", "delete"}, ["blue-etcd"]),
        ("configmaps", {"create"}, None),
        ("configmaps", {"get", "delete"}, ["blue-etcd-being-made-again"]),
    ]
    [subject] = found["RoleBinding/milvus-on-eks-release"]["subjects"]
    assert (subject["kind"], subject["name"]) == ("Group", "milvus-on-eks:tasks")


# --- disruption budgets


def test_every_workload_with_more_than_one_replica_has_a_budget() -> None:
    # GIVEN a cluster with two of some and one of others
    env = environment(("milvus.components.query_node", {"replicas": 3}), ("milvus.components.proxy", {"replicas": 1}))
    found = objects_of(env)
    budgets = {key.split("/")[1]: each for key, each in found.items() if key.startswith("PodDisruptionBudget/")}
    # THEN a single pod has none: it would stop every drain of its node
    assert set(budgets) == {each.name for each in workloads(env) if each.replicas > 1}
    assert budgets["milvus-querynode"]["spec"] == {
        "maxUnavailable": 1,
        "selector": {
            "matchLabels": {
                "app.kubernetes.io/name": "milvus",
                "app.kubernetes.io/instance": "milvus",
                "component": "querynode",
            }
        },
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    assert "milvus-etcd" in budgets
    assert "milvus-proxy" not in budgets


def test_single_member_of_etcd_has_no_budget() -> None:
    assert "PodDisruptionBudget/milvus-etcd" not in objects_of(environment(("milvus.etcd", {"replicas": 1})))


# --- storage class


def test_storage_class_is_the_default_encrypted_and_waits_for_its_first_pod() -> None:
    (found,) = StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=None).to_json()
    assert found["metadata"]["name"] == "ebs-sc"
    assert found["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert (found["provisioner"], found["volumeBindingMode"]) == ("ebs.csi.aws.com", "WaitForFirstConsumer")
    assert found["parameters"] == {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"}
    assert (found["reclaimPolicy"], found["allowVolumeExpansion"]) == ("Delete", True)
    kubernetes_validate.validate(found, "1.36", strict=True)


def test_storage_class_names_the_key_of_volumes_where_there_is_one() -> None:
    key = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000000"
    (found,) = StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=key).to_json()
    assert found["parameters"]["kmsKeyId"] == key
