"""EKS's own protection of a cluster against its deletion, on as long as all stands."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.handler import handler_provider

_CODE = Path(__file__).parent / "deletion_protection_lambda"


class DeletionProtection(Construct):
    """Switches the cluster's deletion protection on when it is created, and off when it is deleted.

    By a resource and not the cluster's property: EKS refuses to delete a protected cluster in a rollback too, so that a
    first deployment that fails could neither be rolled back nor repeated. Create it last in the stack, and let it wait
    for everything else: then it stands where all stands, and its deletion is the first one.
    https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html

    Args:
        scope: The stack of the cluster.
        construct_id: Id in the scope.
        cluster: The cluster.
        trigger: Text that changes when the cluster does: CloudFormation, which calls it unprotected, may then have
            taken the protection away, and it is switched on again.
        log_group: Where the function writes.

    Example:
        >>> DeletionProtection(stack, "Protection", cluster=cluster, trigger="1.36", log_group=log_group)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.ICluster,
        trigger: str,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        provider = handler_provider(
            self,
            code=_CODE,
            description="Switches the deletion protection of an EKS cluster on and off",
            # Forty looks with a quarter of a minute between them, and the calls themselves.
            timeout=cdk.Duration.minutes(14),
            may=[
                iam.PolicyStatement(
                    actions=["eks:DescribeCluster", "eks:UpdateClusterConfig"], resources=[cluster.cluster_arn]
                )
            ],
            log_group=log_group,
        )
        cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::EksDeletionProtection",
            service_token=provider.service_token,
            properties={"ClusterName": cluster.cluster_name, "Trigger": trigger},
        )
