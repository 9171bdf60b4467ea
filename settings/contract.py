"""Words that charts, constructs and operations share: what one of them writes, another one reads."""

from __future__ import annotations

NODE_GROUP_LABEL = "node-group"
"""Label of every node, with the name of its group; pods that are bound to a group select it."""

HELM_CHART_API = "helm.cattle.io/v1"
HELM_CHART_KIND = "HelmChart"
"""The object that stands for a Helm release: charts write it, the cluster stack makes a release of it."""

CLIENT_PORT = 19530
"""Milvus: gRPC and REST."""
METRICS_PORT = 9091
"""Milvus: metrics and health. It has no login."""
ATTU_PORT = 3000
KAFKA_PORT = 9096
"""SASL/SCRAM over TLS. https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html"""

ATTU_CPU = 0.1
ATTU_MEMORY_GIB = 0.5
"""What Attu requests, in cores and GiB: charts set it, and the rules count it."""

OPERATOR_NAMESPACE = "external-secrets"
"""Namespace of the External Secrets Operator."""

TASKS_GROUP = "milvus-on-eks:tasks"
"""Kubernetes group of the functions that look after the release: charts give it its permissions."""
