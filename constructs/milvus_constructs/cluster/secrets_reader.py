"""The role with which the External Secrets Operator reads the secrets of one namespace."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from milvus_constructs.cluster.irsa_role import IrsaRole


class SecretsReader(IrsaRole):
    """A role of one service account that reads the secrets it was granted, each by its full ARN, and nothing else.

    Example:
        >>> reader = SecretsReader(stack, "SecretsReader", identities=identities, namespace="milvus",
        ...     service_account="milvus-secrets-sa", description="Secrets of Milvus")
        >>> reader.may_read("arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-abcdef")
    """

    def may_read(self, secret_arn: str) -> iam.Grant:
        """Allow to read a secret that is encrypted with the account's own key of Secrets Manager."""
        return iam.Grant.add_to_principal(
            grantee=self.role,
            actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            resource_arns=[secret_arn],
        )
