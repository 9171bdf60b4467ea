"""The values of a release, put together from its sections."""

from __future__ import annotations

from typing import Any

import yaml

from charts.context import ReleaseContext, require
from charts.names import SERVICE_ACCOUNT
from charts.values.components import attu_values, component_values, etcd_values
from charts.values.merge import merged
from charts.values.topologies import TOPOLOGIES
from charts.workloads import CHART_COMPONENTS
from settings import Environment
from settings.queue import Msk, packed_bytes


def helm_values(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values of the Milvus release: plain data that depends on nothing but the arguments.

    Holds no credential: user names and passwords reach Milvus as environment variables from Kubernetes Secrets.

    Raises:
        ValueError: The context lacks what the settings need, such as the brokers of an MSK queue.
    """
    topology = TOPOLOGIES[env.milvus.line]
    cluster = env.milvus.mode == "cluster"
    values: dict[str, Any] = {
        "cluster": {"enabled": cluster},
        "image": {"all": {"repository": env.milvus.image_repository, "tag": f"v{env.milvus_version}"}},
        "serviceAccount": {"create": False, "name": SERVICE_ACCOUNT},
        # The chart's LoadBalancer would publish 9091 too, and to 0.0.0.0/0: see charts.exposure.
        "service": {"type": "ClusterIP"},
        "metrics": {"serviceMonitor": {"enabled": env.milvus.service_monitor}},
        "externalS3": _external_s3(env, context),
        "extraConfigFiles": {"user.yaml": milvus_configuration(env)},
        "etcd": etcd_values(env, spread_constraints=topology.etcd_spread_constraints),
        "attu": attu_values(env),
        **{key: {"enabled": False} for key in topology.bundled},
    }
    for name, component in env.components.items():
        values[CHART_COMPONENTS[name].key] = component_values(
            env, name, component, spread_constraints=topology.spread_constraints
        )
    if cluster:
        values |= {CHART_COMPONENTS[name].key: {"enabled": False} for name in topology.absent}
    if topology.streaming is False or (topology.streaming and cluster):
        values["streaming"] = {"enabled": topology.streaming}
    if topology.config_tool:
        values["image"]["tools"] = {"repository": env.milvus.tools_image_repository}
    if topology.hardened:
        # As far as the restricted profile goes with an image that runs as root.
        values["containerSecurityContext"] = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    _add_queue(values, env, context)
    if env.release.log_level:
        values["log"] = {"level": env.release.log_level}
    if topology.liveness_failures:
        values["livenessProbe"] = {"failureThreshold": topology.liveness_failures}
    return values


def milvus_configuration(env: Environment) -> str:
    """Return what overrides Milvus's own configuration (``user.yaml``), as YAML text without any token."""
    configuration: dict[str, Any] = {
        # Unique per Milvus on a shared queue, and fixed from the first start on.
        "msgChannel": {"chanNamePrefix": {"cluster": env.channel_prefix}},
        "common": {"security": {"authorizationEnabled": env.milvus.authorization}},
    }
    if isinstance(env.queue, Msk):
        configuration["rootCoord"] = {"dmlChannelNum": env.queue.channels}
        # kafka.producer.* goes to librdkafka as it stands: this is its message.max.bytes.
        configuration["kafka"] = {"producer": {"message": {"max": {"bytes": env.queue.milvus_message_max_bytes}}}}
        configuration["pulsar"] = {"maxMessageSize": packed_bytes(env.queue)}
    if env.storage.existing:
        # With empty metadata every file in the bucket is garbage to Milvus.
        configuration["dataCoord"] = {"enableGarbageCollection": env.storage.existing.garbage_collection}
    # The rules of the settings keep the two apart; if they did not, ours would win.
    return yaml.safe_dump(merged(env.milvus.configuration, configuration), sort_keys=True)


def _external_s3(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    return {
        "enabled": True,
        "host": f"s3.{context.region}.{context.url_suffix}",
        "port": "443",
        "useSSL": True,
        "bucketName": context.bucket,
        "rootPath": env.storage.root_path,
        "useIAM": True,
        "cloudProvider": "aws",
        "iamEndpoint": "",
        "region": context.region,
    }


def _add_queue(values: dict[str, Any], env: Environment, context: ReleaseContext) -> None:
    cluster = env.milvus.mode == "cluster"
    if env.queue.kind == "msk":
        values["externalKafka"] = {
            "enabled": True,
            "brokerList": require(context.broker_list, "broker_list", "the queue is MSK"),
            "securityProtocol": "SASL_SSL",
            # No user name, no password: the chart would print them into a ConfigMap.
            "sasl": {"mechanisms": "SCRAM-SHA-512"},
        }
    else:
        # Segments of the log go to the data bucket, under <root path>/wp, by the same role.
        storage = {"storage": {"type": "minio"}}
        if cluster:
            values["woodpecker"] = {"enabled": True}
            values["streaming"]["woodpecker"] = {"embedded": True, **storage}
        else:
            # woodpecker.enabled as well would put the key mq into the configuration twice.
            values["streaming"] = {"woodpecker": storage}
    if not cluster:
        # Any queue in the pod itself (rocksmq is the default up to 2.5) would also put mq in twice.
        values["standalone"]["messageQueue"] = "kafka" if env.queue.kind == "msk" else "woodpecker"
