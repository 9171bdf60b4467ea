"""An IAM role for one Kubernetes service account (IRSA)."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import CfnJson
from aws_cdk import aws_iam as iam
from constructs import Construct


@dataclass(frozen=True)
class ServiceAccounts:
    """Who vouches for the service accounts of a cluster."""

    provider_arn: str
    """ARN of the cluster's OIDC provider in IAM."""
    issuer: str
    """Issuer of the tokens, without ``https://``."""


class IrsaRole(Construct):
    """A role that exactly one service account of one cluster can assume.

    The trust policy names the subject and the audience with StringEquals, never with a wildcard. It grants nothing by
    itself: give it permissions through ``role``. The service account needs the annotation
    ``eks.amazonaws.com/role-arn``.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html

    Example:
        >>> IrsaRole(stack, "Identity", identities=identities, namespace="milvus",
        ...     service_account="milvus-s3-access-sa", description="Milvus: its bucket")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identities: ServiceAccounts,
        namespace: str,
        service_account: str,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        # The issuer is known at deployment only, and CloudFormation has no function inside a key.
        conditions = CfnJson(
            self,
            "Conditions",
            value={
                f"{identities.issuer}:aud": "sts.amazonaws.com",
                f"{identities.issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}",
            },
        )
        self.role = iam.Role(
            self,
            "Role",
            description=description,
            assumed_by=iam.FederatedPrincipal(
                identities.provider_arn,
                {"StringEquals": conditions},
                "sts:AssumeRoleWithWebIdentity",
            ),
        )

    @property
    def arn(self) -> str:
        """Return the ARN of the role."""
        return self.role.role_arn
