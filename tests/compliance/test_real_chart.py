"""Our values, rendered by the real Milvus chart (`MILVUS_CHARTS=dir`), or checked against what it rendered last."""

from __future__ import annotations

import functools
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from charts.names import KAFKA_SECRET, ROOT_SECRET, SERVICE_ACCOUNT, STORAGE_CLASS
from charts.values import helm_values
from charts.workloads import CHART_COMPONENTS, attu_name, component_labels, etcd_name, front_door, fullname, workloads
from ops.cost.release import cpu, gib, read_release
from settings import Environment
from settings.chart_names import chart_services
from tools.chart_proof.cases import cases, context
from tools.chart_proof.leaves import ignored
from tools.chart_proof.record import Record, digest, keys
from tools.chart_proof.render import Rendered, render
from tools.chart_proof.source import PULL, VARIABLE, chart_folder, charts_given

CASES = cases()
every_case = pytest.mark.parametrize("name", CASES)

needs_the_chart = pytest.mark.skipif(
    charts_given() is None,
    reason=f"the real chart was NOT rendered: {VARIABLE} is not set (a folder with one folder per chart version, or "
    f"{PULL}); tests/chart_records stands in for it",
)

# What no object may be called after: queues and stores that the chart could bring along.
BUNDLED = re.compile(r"pulsar|bookie|zookeeper|kafka|minio|woodpecker")


def chart(env: Environment) -> Path:
    given = charts_given()
    assert given is not None
    return chart_folder(given, version=env.release.chart, repository=env.milvus.chart_repository)


@functools.cache
def rendered(name: str) -> Rendered:
    env = CASES[name]
    return render(chart(env), helm_values(env, context(env)), env)


@functools.cache
def proof(name: str) -> tuple[dict[str, Any], list[str]]:
    """Return Milvus's configuration and the objects' names: of the real chart, or of its record."""
    if charts_given() is None:
        record = Record.read(name, CASES[name])
        return record.configuration, record.objects
    found = rendered(name)
    return found.configuration, [f"{each['kind']}/{each['metadata']['name']}" for each in found.objects]


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workload["spec"]["template"]["spec"]["containers"]
    return found


# --- with the chart, or with its record


@every_case
def test_record_is_of_these_values(name: str) -> None:
    # GIVEN what the chart was last rendered with
    env = CASES[name]
    record = Record.read(name, env)
    values = helm_values(env, context(env))
    # THEN nothing has changed since, and the chart honours every key
    assert record.values_sha256 == digest(values), (
        f"the values of {name} have changed since the chart was rendered: run `make chart-record` and review the result"
    )
    assert record.honoured == keys(values)
    assert (record.chart, record.environment) == (env.release.chart, name)


@every_case
def test_configuration_names_the_queue_and_no_credentials(name: str) -> None:
    env = CASES[name]
    configuration, _ = proof(name)
    default = configuration["default.yaml"]
    assert default["mq"]["type"] == ("kafka" if env.queue.kind == "msk" else "woodpecker")
    assert "pulsar" not in default
    if env.queue.kind == "msk":
        # THEN one text with every broker, SCRAM over TLS, and neither user name nor password
        assert default["kafka"] == {
            "brokerList": context(env).broker_list,
            "securityProtocol": "SASL_SSL",
            "saslMechanisms": "SCRAM-SHA-512",
        }
    else:
        assert "kafka" not in default
        assert default["woodpecker"]["storage"]["type"] == "minio"


@every_case
def test_configuration_reaches_the_bucket_by_role(name: str) -> None:
    env = CASES[name]
    configuration, _ = proof(name)
    store = configuration["default.yaml"]["minio"]
    assert store["address"] == f"s3.{env.region}.amazonaws.com"
    assert (store["port"], store["useSSL"], store["useIAM"], store["cloudProvider"]) == (443, True, True, "aws")
    assert (store["bucketName"], store["rootPath"]) == (f"{env.name}-data", env.storage.root_path)
    assert store["region"] == env.region
    # AND without keys: either would outrank the role
    assert not store["accessKeyID"]
    assert not store["secretAccessKey"]
    assert not store["iamEndpoint"]


@every_case
def test_coordinators_are_on_standby_as_set(name: str) -> None:
    env = CASES[name]
    configuration, _ = proof(name)
    wanted = env.milvus.active_standby and env.milvus.mode == "cluster"
    for section in ("rootCoord", "queryCoord", "dataCoord", "indexCoord"):
        assert configuration["default.yaml"][section]["enableActiveStandby"] is wanted


@every_case
def test_settings_of_milvus_itself_override_the_chart(name: str) -> None:
    env = CASES[name]
    configuration, _ = proof(name)
    ours = configuration["user.yaml"]
    assert ours["common"]["security"]["authorizationEnabled"] is env.milvus.authorization
    assert ours["msgChannel"]["chanNamePrefix"]["cluster"] == env.channel_prefix


@every_case
def test_bill_counts_the_pods_and_volumes_that_the_chart_makes(name: str) -> None:
    # GIVEN what the real chart makes of these values
    env = CASES[name]
    record = Record.read(name, env)
    pods = [
        (each["replicas"], cpu(requests.get("cpu", 0)), gib(requests.get("memory", 0)))
        for each in record.pods.values()
        for requests in each["requests"]
    ]
    volumes = [(each["number"], gib(size)) for each in record.volumes.values() for size in each["sizes"]]

    # WHEN the bill reads the values
    release = read_release(helm_values(env, context(env)))

    # THEN it finds the same
    assert sorted((each.replicas, each.cpu, each.memory_gib) for each in release.pods) == sorted(pods)
    assert [(each.number, each.gib) for each in release.volumes] == volumes
    assert volumes == [(env.milvus.etcd.replicas, env.milvus.etcd.volume_gib)]


@every_case
def test_release_is_these_workloads_and_nothing_bundled(name: str) -> None:
    env = CASES[name]
    _, objects = proof(name)
    running = {each for each in objects if each.split("/")[0] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}}
    assert running == {f"{workload.kind}/{workload.name}" for workload in workloads(env)}
    assert [each for each in objects if BUNDLED.search(each)] == []
    # AND no Ingress, budget, account or claim of the chart's own
    assert {each.split("/")[0] for each in objects} <= {
        *("ConfigMap", "Deployment", "Secret", "Service", "ServiceMonitor", "StatefulSet")
    }


@every_case
def test_service_names_leave_the_environment_of_milvus_alone(name: str) -> None:
    # Kubernetes would set KAFKA_PORT and the like for them, and Milvus reads those as its configuration.
    _, objects = proof(name)
    services = {each.split("/")[1] for each in objects if each.startswith("Service/")}
    assert not services & {"minio", "kafka", "etcd", "pulsar"}
    # AND the settings know every Service of the chart, so that none of them can be ours
    assert fullname(CASES[name]) in services
    assert services <= set(chart_services(CASES[name].milvus.release_name))


# --- with the chart only


@needs_the_chart
@every_case
def test_record_is_what_the_chart_renders(name: str) -> None:
    # Makes the record anew: changes every value, and fails where the output does not change with it.
    env = CASES[name]
    made = asdict(Record.make(chart(env), name, env))
    assert made == asdict(Record.read(name, env)), "run `make chart-record` and review the result"


@needs_the_chart
def test_misspelt_value_is_found() -> None:
    # GIVEN values with a key that the chart does not know
    env = CASES["prod"]
    values = helm_values(env, context(env))
    values["proxy"]["replica"] = 7
    values["queryNode"]["extraEnvFrom"] = [{"secretRef": "milvus-kafka"}]
    # THEN they, and they alone, make no difference
    assert sorted(ignored(chart(env), values, env)) == ["proxy.replica", "queryNode.extraEnvFrom[0].secretRef"]


@needs_the_chart
@every_case
def test_every_object_is_valid_for_the_kubernetes_version(name: str) -> None:
    env = CASES[name]
    for found in rendered(name).objects:
        if found["apiVersion"] == "monitoring.coreos.com/v1":
            assert env.milvus.service_monitor
            continue  # a custom resource: no schema comes with Kubernetes
        kubernetes_validate.validate(found, env.cluster.version, strict=True)


@needs_the_chart
@every_case
def test_replicas_and_resources_are_as_set(name: str) -> None:
    env = CASES[name]
    found = rendered(name).workloads
    for workload in workloads(env):
        assert found[workload.name]["spec"]["replicas"] == workload.replicas
    for component, wanted in env.components.items():
        deployment = found[f"{fullname(env)}-{CHART_COMPONENTS[component].label}"]
        resources = containers(deployment)[0]["resources"]
        # THEN memory is requested in full
        assert resources["limits"]["memory"] == resources["requests"]["memory"]
        assert _gib(resources["limits"]["memory"]) == wanted.memory_gib
        assert _cores(resources["limits"]["cpu"]) == wanted.cpu


@needs_the_chart
@every_case
def test_two_coordinators_never_restart_at_once(name: str) -> None:
    env = CASES[name]
    for component, wanted in env.components.items():
        facts = CHART_COMPONENTS[component]
        deployment = rendered(name).workloads[f"{fullname(env)}-{facts.label}"]
        if facts.coordinator and wanted.replicas > 1:
            assert deployment["spec"].get("strategy", {}).get("type") != "Recreate"


@needs_the_chart
@every_case
def test_every_milvus_pod_has_role_credentials_image_and_place(name: str) -> None:
    env = CASES[name]
    for component in env.components:
        deployment = rendered(name).workloads[f"{fullname(env)}-{CHART_COMPONENTS[component].label}"]
        pod = deployment["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == SERVICE_ACCOUNT
        container = containers(deployment)[0]
        assert container["image"] == f"{env.milvus.image_repository}:v{env.milvus_version}"
        references = {
            each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each
        }
        if env.queue.kind == "msk":
            assert references["KAFKA_SASLUSERNAME"] == {"name": KAFKA_SECRET, "key": "username"}
            assert references["KAFKA_SASLPASSWORD"] == {"name": KAFKA_SECRET, "key": "password"}
        if env.milvus.authorization:
            assert references["COMMON_SECURITY_DEFAULTROOTPASSWORD"] == {"name": ROOT_SECRET, "key": "password"}
        # AND pods of a component keep away from one another
        assert pod.get("topologySpreadConstraints") or pod["affinity"]["podAntiAffinity"]
        # AND the labels that budgets, policies and the load balancer select by
        assert component_labels(env, component).items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
        _assert_place(env, component, pod)


@needs_the_chart
@every_case
def test_pods_are_admitted_by_the_baseline_profile_of_the_namespace(name: str) -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
    for workload in rendered(name).workloads.values():
        pod = workload["spec"]["template"]["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not [volume for volume in pod.get("volumes") or [] if "hostPath" in volume]
        for container in [*containers(workload), *(pod.get("initContainers") or [])]:
            context_of = container.get("securityContext", {})
            assert not context_of.get("privileged")
            assert not context_of.get("capabilities", {}).get("add")
            assert not [port for port in container.get("ports", []) if "hostPort" in port]


@needs_the_chart
@every_case
def test_etcd_spreads_over_zones_on_encrypted_volumes(name: str) -> None:
    env = CASES[name]
    stateful_set = rendered(name).workloads[etcd_name(env)]
    pod = stateful_set["spec"]["template"]["spec"]
    zone = "topology.kubernetes.io/zone"
    if pod.get("topologySpreadConstraints"):
        (constraint,) = pod["topologySpreadConstraints"]
        assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == (zone, "DoNotSchedule")
        selector = constraint["labelSelector"]["matchLabels"]
    else:
        rules = pod["affinity"]["podAntiAffinity"]
        terms = rules.get("requiredDuringSchedulingIgnoredDuringExecution") or [
            each["podAffinityTerm"] for each in rules["preferredDuringSchedulingIgnoredDuringExecution"]
        ]
        assert terms[0]["topologyKey"] == zone
        selector = terms[0]["labelSelector"]["matchLabels"]
    assert selector.items() <= stateful_set["spec"]["template"]["metadata"]["labels"].items()
    (claim,) = stateful_set["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == STORAGE_CLASS
    assert claim["spec"]["resources"]["requests"]["storage"] == f"{env.milvus.etcd.volume_gib}Gi"
    _assert_place(env, "etcd", pod)
    # AND the image is the one that docs/upgrade.md names for the line
    (container,) = pod["containers"]
    assert container["image"].endswith(f"etcd:{env.release.etcd}")


@needs_the_chart
@every_case
def test_attu_finds_its_ingress_and_its_node(name: str) -> None:
    env = CASES[name]
    if env.milvus.attu.exposure == "off":
        assert attu_name(env) not in rendered(name).workloads
        return
    deployment = rendered(name).workloads[attu_name(env)]
    pod = deployment["spec"]["template"]
    assert component_labels(env, "attu").items() <= pod["metadata"]["labels"].items()
    assert containers(deployment)[0]["image"].endswith(f":{env.milvus.attu.version or env.release.attu}")
    (service,) = [
        each
        for each in rendered(name).objects
        if (each["kind"], each["metadata"]["name"]) == ("Service", attu_name(env))
    ]
    assert [port["port"] for port in service["spec"]["ports"]] == [3000]


@needs_the_chart
@every_case
def test_nothing_that_the_chart_renders_is_a_load_balancer(name: str) -> None:
    # The only one is ours, and it carries 19530 alone: tests/unit/test_charts_milvus.py.
    kinds = {each["spec"]["type"] for each in rendered(name).objects if each["kind"] == "Service"}
    assert kinds == {"ClusterIP"}
    assert "Ingress" not in {each["kind"] for each in rendered(name).objects}


@needs_the_chart
@every_case
def test_front_door_listens_where_the_load_balancer_knocks(name: str) -> None:
    env = CASES[name]
    label = CHART_COMPONENTS[front_door(env)].label
    ports = containers(rendered(name).workloads[f"{fullname(env)}-{label}"])[0]["ports"]
    assert {port["containerPort"] for port in ports} >= {19530, 9091}


@needs_the_chart
@every_case
def test_no_credential_in_anything_that_the_chart_renders(name: str) -> None:
    text = rendered(name).text
    assert not re.search(r"(?i)sasl(username|password):", text)
    assert not re.search(r"(?i)minioadmin", text)
    for found in rendered(name).objects:
        if found["kind"] == "Secret":
            # THEN a Secret, where the chart makes one at all, is empty of passwords
            assert not found.get("data"), yaml.safe_dump(found)


def _assert_place(env: Environment, component: str, pod: dict[str, Any]) -> None:
    group = env.node_group_of(component)
    if group is None:
        assert "nodeSelector" not in pod
        return
    assert pod["nodeSelector"] == {"node-group": group}
    assert {each["key"] for each in pod.get("tolerations", [])} == {
        taint.key for taint in env.cluster.node_groups[group].taints
    }


def _gib(quantity: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr] # a failed match fails the test
    return int(number) / (1024 if unit == "Mi" else 1)


def _cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
