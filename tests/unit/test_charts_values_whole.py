"""The values of a release, whole: a cluster with everything, and two single pods on other lines."""

from __future__ import annotations

from typing import Any

import yaml

from tests.unit.chart_objects import environment, on_line, values_of

Values = dict[str, Any]
ON, OFF = {"enabled": True}, {"enabled": False}
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def labels(component: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "milvus", "app.kubernetes.io/instance": "blue", "component": component}


def spread(topology: str, matched: dict[str, str], unsatisfiable: str = "ScheduleAnyway") -> Values:
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": unsatisfiable,
        "labelSelector": {"matchLabels": matched},
    }


def apart(matched: dict[str, str]) -> Values:
    """Return what the charts without spread constraints get."""
    preferred = [
        {"weight": weight, "podAffinityTerm": {"topologyKey": topology, "labelSelector": {"matchLabels": matched}}}
        for weight, topology in ((100, ZONE), (50, HOST))
    ]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def variable(name: str, secret: str, key: str) -> Values:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


KAFKA = [
    variable("KAFKA_SASLUSERNAME", "milvus-kafka", "username"),
    variable("KAFKA_SASLPASSWORD", "milvus-kafka", "password"),
]
ROOT = [variable("COMMON_SECURITY_DEFAULTROOTPASSWORD", "milvus-root", "password")]


def limited(cpu: str, memory: str, disk: str, *, requested: str | None = None) -> Values:
    full = {"memory": memory, "ephemeral-storage": disk}
    return {"limits": {"cpu": cpu, **full}, "requests": {"cpu": requested or cpu, **full}}


def component(name: str, resources: Values, group: str = "milvus") -> Values:
    by_revision = {"matchLabelKeys": ["pod-template-hash"]}
    return {
        "resources": resources,
        "nodeSelector": {"node-group": group},
        "topologySpreadConstraints": [{**spread(topology, labels(name)), **by_revision} for topology in (ZONE, HOST)],
        "extraEnv": [*KAFKA, *ROOT],
    }


def one_by_one(at_once: int = 1) -> Values:
    rolling = {"maxSurge": 0, "maxUnavailable": at_once}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}


def common(version: str, configuration: Values) -> Values:
    """Return what every release has; the configuration is the text of a file."""
    return {
        "image": {"all": {"repository": "milvusdb/milvus", "tag": version}},
        "serviceAccount": {"create": False, "name": "milvus-s3-access-sa"},
        "service": {"type": "ClusterIP"},
        "externalS3": {
            "enabled": True,
            "host": "s3.us-east-2.amazonaws.com",
            "port": "443",
            "useSSL": True,
            "bucketName": "${BUCKET_NAME}",
            "rootPath": "milvus",
            "useIAM": True,
            "cloudProvider": "aws",
            "iamEndpoint": "",
            "region": "us-east-2",
        },
        "extraConfigFiles": {
            "common": {"security": {"authorizationEnabled": True}},
            "msgChannel": {"chanNamePrefix": {"cluster": "milvus-test"}},
            **configuration,
        },
    }


OF_KAFKA = {
    "kafka": {"producer": {"message": {"max": {"bytes": 10485760}}}},
    "pulsar": {"maxMessageSize": 2097152},
    "rootCoord": {"dmlChannelNum": 16},
}
BROKERS = {
    "enabled": True,
    "brokerList": "${BOOTSTRAP_BROKERS}",
    "securityProtocol": "SASL_SSL",
    "sasl": {"mechanisms": "SCRAM-SHA-512"},
}
HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def etcd(members: int, image: Values, **placement: Any) -> Values:
    size = {"cpu": "1", "memory": "4Gi"}
    return {
        "enabled": True,
        "replicaCount": members,
        "image": image,
        "persistence": {"storageClass": "ebs-sc", "size": "20Gi"},
        "resources": {"limits": size, "requests": size},
        "pdb": {"create": False},
        **placement,
    }


def etcd_labels(release: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "etcd", "app.kubernetes.io/instance": release}


def found(values: Values) -> Values:
    """Return values with the text of Milvus's configuration as what it says."""
    [(name, text)] = values["extraConfigFiles"].items()
    assert name == "user.yaml"
    return {**values, "extraConfigFiles": yaml.safe_load(text)}


def test_cluster_with_everything() -> None:
    # GIVEN a cluster whose query nodes have nodes of their own, and a proxy alone
    query = {"instance_types": ["r7g.4xlarge"], "desired_size": 5, "max_size": 5}
    env = environment(
        ("milvus.release_name", "blue"),
        ("milvus.node_group", "milvus"),
        ("milvus.service_monitor", True),
        ("milvus.attu", {"exposure": "internal"}),
        ("cluster.node_groups.query", {**query, "taints": [{"key": "role", "value": "query"}]}),
        (
            "milvus.components",
            {
                "proxy": {"replicas": 1},
                "query_node": {
                    "node_group": "query",
                    "replicas": 9,
                    "cpu": 8,
                    "cpu_request": 1.5,
                    "memory_gib": 12.5,
                    "disk_gib": 30,
                },
            },
        ),
    )
    on_milvus = {"nodeSelector": {"node-group": "milvus"}}
    members = spread(ZONE, etcd_labels("blue"), "DoNotSchedule")
    # THEN these are the values
    assert found(values_of(env)) == {
        **common("v2.6.25", OF_KAFKA),
        "cluster": ON,
        "metrics": {"serviceMonitor": ON},
        "etcd": etcd(3, {"repository": "milvusdb/etcd"}, **on_milvus, topologySpreadConstraints=[members]),
        "attu": {
            "enabled": True,
            "image": {"repository": "zilliz/attu", "tag": "v2.6.5"},
            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
            "ingress": OFF,
            **on_milvus,
        },
        "mixCoordinator": {
            **component("mixcoord", limited("1", "4Gi", "2Gi")),
            **one_by_one(),
            "replicas": 2,
            "enabled": True,
            "activeStandby": ON,
        },
        "proxy": {**component("proxy", limited("1", "4Gi", "2Gi")), "replicas": 1, "enabled": True},
        "queryNode": {
            **component("querynode", limited("8", "12800Mi", "30Gi", requested="1500m"), "query"),
            **one_by_one(2),
            "tolerations": [{"key": "role", "operator": "Equal", "value": "query", "effect": "NoSchedule"}],
            "disk": {"size": ON},
            "replicas": 9,
            "enabled": True,
        },
        # Switched by streaming.enabled alone.
        "streamingNode": {**component("streamingnode", limited("2", "8Gi", "10Gi")), "replicas": 1},
        "dataNode": {
            **component("datanode", limited("2", "8Gi", "10Gi")),
            **one_by_one(),
            "replicas": 1,
            "enabled": True,
        },
        **dict.fromkeys(("pulsar", "pulsarv3", "kafka", "woodpecker", "minio"), OFF),
        **dict.fromkeys(("rootCoordinator", "queryCoordinator", "dataCoordinator"), OFF),
        **dict.fromkeys(("indexCoordinator", "indexNode"), OFF),
        "streaming": ON,
        "containerSecurityContext": HARDENED,
        "externalKafka": BROKERS,
    }


def single(variables: list[Values], queue: str, placement: Values) -> Values:
    return {
        "resources": limited("2", "8Gi", "20Gi"),
        **placement,
        "disk": {"size": ON},
        "extraEnv": variables,
        "persistence": OFF,
        "messageQueue": queue,
    }


def test_single_pod_of_the_oldest_line_with_kafka() -> None:
    repository = "registry.example:5000/mirror/etcd"
    env = on_line(
        "2.3",
        ("milvus.mode", "standalone"),
        ("milvus.release_name", "blue"),
        ("milvus.etcd", {"replicas": 1, "image_repository": repository}),
    )
    values = common("v2.3.22", OF_KAFKA)
    values["image"]["tools"] = {"repository": "milvusdb/milvus-config-tool"}
    own = labels("standalone")
    assert found(values_of(env)) == {
        **values,
        "cluster": OFF,
        "metrics": {"serviceMonitor": OFF},
        "etcd": etcd(
            1,
            {"registry": "registry.example:5000", "repository": "mirror/etcd"},
            affinity=apart(etcd_labels("blue")),
        ),
        "standalone": single([*KAFKA, *ROOT], "kafka", {"affinity": apart(own)}),
        **dict.fromkeys(("attu", "pulsar", "kafka", "minio"), OFF),
        "externalKafka": BROKERS,
        "log": {"level": "warn"},
        "livenessProbe": {"failureThreshold": 30},
    }


def test_single_pod_of_the_newest_line_with_woodpecker() -> None:
    env = environment(
        ("milvus.line", "3.0"),
        ("milvus.mode", "standalone"),
        ("milvus.release_name", "blue"),
        ("milvus.etcd", {"replicas": 1}),
        ("queue", {"kind": "woodpecker"}),
    )
    own = labels("standalone")
    revision = {"matchLabelKeys": ["pod-template-hash"]}
    constraints = [{**spread(topology, own), **revision} for topology in (ZONE, HOST)]
    members = spread(ZONE, etcd_labels("blue"), "DoNotSchedule")
    assert found(values_of(env)) == {
        **common("v3.0.2", {}),
        "cluster": OFF,
        "metrics": {"serviceMonitor": OFF},
        "etcd": etcd(1, {"repository": "milvusdb/etcd"}, topologySpreadConstraints=[members]),
        "standalone": single(ROOT, "woodpecker", {"topologySpreadConstraints": constraints}),
        **dict.fromkeys(("attu", "pulsar", "pulsarv3", "kafka", "woodpecker", "minio"), OFF),
        "containerSecurityContext": HARDENED,
        "streaming": {"woodpecker": {"storage": {"type": "minio"}}},
    }
