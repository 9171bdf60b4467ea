"""The External Secrets Operator: it writes Kubernetes Secrets from AWS Secrets Manager."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct, IDependable

from settings.contract import OPERATOR_NAMESPACE
from settings.eks_versions import EXTERNAL_SECRETS_CHART


class ExternalSecrets(Construct):
    """The operator with its CRDs (``external-secrets.io/v1``), and no permission in AWS of its own.

    Each SecretStore names a service account of its namespace, and the operator assumes that account's role: what a
    namespace may read is decided there.

    Example:
        >>> ExternalSecrets(stack, "ExternalSecrets", cluster=cluster, after=addons)
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: eks.ICluster, after: IDependable) -> None:
        super().__init__(scope, construct_id)
        self.release = eks.HelmChart(
            self,
            "Resource",
            cluster=cluster,
            chart="external-secrets",
            repository="https://charts.external-secrets.io",
            version=EXTERNAL_SECRETS_CHART,
            release="external-secrets",
            namespace=OPERATOR_NAMESPACE,
            # Its webhook validates every SecretStore: the first one must find it ready.
            wait=True,
            timeout=Duration.minutes(10),
            values={
                "installCRDs": True,
                # Only namespaced stores and secrets are used: the operator need not see every namespace's stores.
                "processClusterStore": False,
                "processClusterExternalSecret": False,
                "processClusterPushSecret": False,
                "processClusterGenerator": False,
                "processPushSecret": False,
            },
        )
        self.release.node.add_dependency(after)
