"""Names that several parts rely on: stacks and the keys of their outputs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings.environment import Environment


OPERATOR_NAMESPACE = "external-secrets"
"""Namespace of the External Secrets Operator."""


class Part(StrEnum):
    """The stacks of an environment, in the order in which they are deployed."""

    NETWORK = "network"
    STORAGE = "storage"
    STREAMING = "streaming"
    EKS = "eks"
    MILVUS = "milvus"


def stack_name(env: Environment, part: Part) -> str:
    """Return the CloudFormation stack name of a part, such as ``milvus-dev-network``."""
    return f"{env.name}-{part}"


def parts(env: Environment) -> tuple[Part, ...]:
    """Return the stacks that an environment has: Streaming only where the queue is MSK."""
    return tuple(part for part in Part if part is not Part.STREAMING or env.queue.kind == "msk")


def chart_fullname(release: str) -> str:
    """Return the name that the Milvus chart gives its Service and starts every other name with."""
    return release if "milvus" in release else f"{release}-milvus"


def etcd_fullname(release: str) -> str:
    """Return the name that the Milvus chart gives etcd's StatefulSet and Service."""
    return release if "etcd" in release else f"{release}-etcd"


# Of every line, and whether switched on or not: a Service that is named like one of these would break an upgrade.
_CHART_SERVICES = (
    *("rootcoord", "querycoord", "datacoord", "indexcoord", "mixcoord"),
    *("querynode", "datanode", "indexnode", "streamingnode", "cdc", "attu"),
)


def chart_services(release: str) -> dict[str, str]:
    """Return the Services that the Milvus chart makes of a release, or may make, each with whose it is."""
    release_service, etcd = chart_fullname(release), etcd_fullname(release)
    return {
        **{f"{release_service}-{part}": f"the Service of {part}" for part in _CHART_SERVICES},
        release_service: "the release's Service",
        f"{etcd}-headless": "etcd's headless Service",
        etcd: "etcd's Service",
    }


DATA_BUCKET_NAME = "DataBucketName"
BACKUP_BUCKET_NAME = "BackupBucketName"
VPC_ID = "VpcId"
MSK_CLUSTER_ARN = "MskClusterArn"
KAFKA_SECRET_ARN = "KafkaSecretArn"  # noqa: S105 - an output's key, not a secret
BOOTSTRAP_BROKERS = "BootstrapBrokersSaslScram"
CLUSTER_NAME = "ClusterName"
KUBECONFIG_COMMAND = "KubeconfigCommand"
OIDC_ISSUER = "OidcIssuer"
NAMESPACE = "Namespace"
RELEASE_NAME = "ReleaseName"
MILVUS_ENDPOINT = "MilvusEndpoint"
MILVUS_URI = "MilvusUri"
ATTU_ENDPOINT = "AttuEndpoint"
ROOT_SECRET_ARN = "RootSecretArn"  # noqa: S105 - an output's key, not a secret
