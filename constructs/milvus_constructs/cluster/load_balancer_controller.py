"""The AWS Load Balancer Controller: it makes load balancers of Services and Ingresses."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import CfnResource
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct, IDependable

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.tree import child

CONTROLLER_VERSION = eks.AlbControllerVersion.V3_2_2
"""The newest that the CDK carries, with its chart and the policy of its makers."""
# Amazon's public registry; CDK's default is a private one in us-west-2, whatever the region of the cluster.
_IMAGE = "public.ecr.aws/eks/aws-load-balancer-controller"
# CDK gives helm 15 minutes, which is also when its Lambda function is killed (aws-cdk#22257).
_TIMEOUT = "600s"
# The resources with a wildcard in that policy. Another version may have others: they are then findings to look at.
_POLICY_RESOURCES = (
    "*",
    "arn:<AWS::Partition>:ec2:*:*:security-group/*",
    *(
        f"arn:<AWS::Partition>:elasticloadbalancing:*:*:{resource}"
        for resource in (
            "targetgroup/*/*",
            "loadbalancer/net/*/*",
            "loadbalancer/app/*/*",
            "listener/net/*/*/*",
            "listener/app/*/*/*",
            "listener-rule/net/*/*/*",
            "listener-rule/app/*/*/*",
        )
    ),
)


class LoadBalancerController(Construct):
    """The controller with its IAM role, by CDK's own construct, which pins chart, image and policy together.

    Whatever makes a Service of type LoadBalancer or an Ingress has to depend on this construct: it is then deleted
    first, while the controller can still delete the load balancer (aws-cdk#9970, aws-cdk#18650).

    Example:
        >>> LoadBalancerController(stack, "LoadBalancers", cluster=cluster, tags={}, after=addons)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.Cluster,
        tags: Mapping[str, str],
        after: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        self.controller = eks.AlbController(
            self,
            "Resource",
            cluster=cluster,
            version=CONTROLLER_VERSION,
            repository=_IMAGE,
            additional_helm_chart_values={
                "replicaCount": 2,
                "podDisruptionBudget": {"maxUnavailable": 1},
                # A new certificate at each upgrade would break the webhooks until every API server knows it.
                "keepTLSSecret": True,
                # Only Services that ask for this controller by their class get one of its load balancers; and no
                # other Service in the cluster has to wait for this webhook (aws-load-balancer-controller#4140).
                "enableServiceMutatorWebhook": False,
                # Nothing here uses them, and their APIs have no VPC endpoint.
                "enableShield": False,
                "enableWaf": False,
                "enableWafv2": False,
                "defaultTags": dict(tags),
            },
        )
        self.controller.node.add_dependency(after)
        release = child(self.controller, "Resource/Resource/Default", CfnResource)
        release.add_property_override("Timeout", _TIMEOUT)
        why = "the policy that the controller's project publishes for exactly this version, unchanged"
        acknowledge(
            child(self.controller, "alb-sa", Construct),
            {f"AwsSolutions-IAM5[Resource::{resource}]": why for resource in _POLICY_RESOURCES},
        )
