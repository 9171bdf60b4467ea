"""Names of Kubernetes objects that several charts share, with whoever looks for them in the cluster."""

from __future__ import annotations

SERVICE_ACCOUNT = "milvus-s3-access-sa"
SECRETS_SERVICE_ACCOUNT = "milvus-secrets-sa"
SECRET_STORE = "milvus-secrets-manager"  # noqa: S105 - a name, not a secret
KAFKA_SECRET = "milvus-kafka"  # noqa: S105 - a name, not a secret
ROOT_SECRET = "milvus-root"  # noqa: S105 - a name, not a secret
ATTU_OIDC_SECRET = "milvus-attu-oidc"  # noqa: S105 - a name, not a secret
STORAGE_CLASS = "ebs-sc"
CONTROLLER_NAMESPACE = "kube-system"
CONTROLLER_ACCOUNT = "aws-load-balancer-controller"
"""Service account of the load balancer controller, in the namespace above."""
