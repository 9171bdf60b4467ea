"""The Milvus release and its companions: what is in the namespace, and in which order it gets there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.context import ReleaseContext
from charts.disruption import disruption_budgets
from charts.exposure import attu_ingress, load_balancer_service
from charts.names import SERVICE_ACCOUNT
from charts.network_policies import network_policies
from charts.objects import custom_resource
from charts.release_access import release_access
from charts.secrets import secrets
from charts.values import helm_values
from settings import Environment
from settings.contract import HELM_CHART_API, HELM_CHART_KIND


class MilvusChart(cdk8s.Chart):
    """Provisions Milvus in a namespace of its own; two load balancers and the volumes of etcd cost money by hour.

    Holds the namespace, the service account with its IAM role, the path of the credentials, network policies, what the
    functions that look after the release may do, the release itself, disruption budgets, the load balancer's Service
    and, where switched on, Attu's Ingress. Does not hold the queue, the bucket, roles or secrets: they are handed in as
    ``context``. Deleting the namespace deletes
    etcd's volumes, and with them everything that Milvus knows about the data in its bucket.

    The release is an object of ``helm.cattle.io/v1``: k3s's helm-controller understands it as it stands, with its
    values as structure in ``spec.values``. Whoever deploys it in another way reads the object's ``spec`` (``repo``,
    ``chart``, ``version``, ``targetNamespace``, ``values``) and takes ``metadata.name`` as the release's name.

    Raises:
        ValueError: The context lacks what the settings need, or two Services would get the same name.

    Example:
        >>> MilvusChart(cdk8s.App(), "milvus", env=env, context=ReleaseContext.placeholders(env))
    """

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment, context: ReleaseContext) -> None:
        super().__init__(scope, construct_id)
        namespace = _namespace(self, env)
        account = _service_account(self, env, context)
        external_secrets = secrets(self, env, context)
        policies = network_policies(self, env)
        access = release_access(self, env)
        self.release = _release(self, env, context)
        after = [*disruption_budgets(self, env), load_balancer_service(self, env)]
        ingress = attu_ingress(self, env)
        if ingress:
            after.append(ingress)

        # Pods start with their role and their credentials, and find their network policies there. Deleting goes the
        # other way round: first the load balancers, while their controller is still there.
        _order(self.release, after=[account, *external_secrets, *policies, access])
        for companion in after:
            _order(companion, after=[self.release])
        for first in self.api_objects:
            if first is not namespace and not first.node.dependencies:
                _order(first, after=[namespace])


def _order(item: cdk8s.ApiObject, *, after: Iterable[cdk8s.ApiObject]) -> None:
    item.add_dependency(*after)


def _namespace(scope: Construct, env: Environment) -> cdk8s.ApiObject:
    # Milvus's image runs as root, which `restricted` refuses: it is only reported. `baseline` keeps pods away from the
    # node: no host network, paths, processes or privileges.
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/
    levels = {"enforce": "baseline", "audit": "restricted", "warn": "restricted"}
    # A new proxy counts as ready only when the load balancer sends it clients; else an upgrade takes the last old one
    # away while the new ones are still being registered.
    # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
    labels = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
    for mode, level in levels.items():
        labels[f"pod-security.kubernetes.io/{mode}"] = level
        labels[f"pod-security.kubernetes.io/{mode}-version"] = f"v{env.cluster.version}"
    metadata = k8s.ObjectMeta(name=env.milvus.namespace, labels=labels)
    return k8s.KubeNamespace(scope, "namespace", metadata=metadata)


def _service_account(scope: Construct, env: Environment, context: ReleaseContext) -> cdk8s.ApiObject:
    return k8s.KubeServiceAccount(
        scope,
        "service-account",
        metadata=k8s.ObjectMeta(
            name=SERVICE_ACCOUNT,
            namespace=env.milvus.namespace,
            labels={"aws-usage": "milvus"},
            annotations={
                "eks.amazonaws.com/role-arn": context.role_arn,
                "eks.amazonaws.com/sts-regional-endpoints": "true",
            },
        ),
        # Milvus never calls the Kubernetes API; the token for AWS is another volume, which EKS adds.
        automount_service_account_token=False,
    )


def _release(scope: Construct, env: Environment, context: ReleaseContext) -> cdk8s.ApiObject:
    spec: dict[str, Any] = {
        "repo": env.milvus.chart_repository,
        "chart": "milvus",
        "version": env.release.chart,
        "targetNamespace": env.milvus.namespace,
        # helm-controller's own default would uninstall a database whose upgrade fails, and install it anew.
        "failurePolicy": "abort",
        "values": helm_values(env, context),
    }
    # The controller runs its job beside the object, and there the network policies of the release do not bind it.
    return custom_resource(
        scope,
        "release",
        api_version=HELM_CHART_API,
        kind=HELM_CHART_KIND,
        name=env.milvus.release_name,
        namespace="kube-system",
        spec=spec,
    )
