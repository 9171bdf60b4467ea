"""A generated secret under a customer key, whose readers may decrypt it too."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.removal import RemovalSetting, removal_policy


class KeyedSecret(secretsmanager.Secret):
    """A secret that Secrets Manager generates, and never rotates by itself. Costs by the month.

    Args:
        scope: Scope.
        construct_id: Id in the scope.
        description: Of the secret.
        key: Encrypts it.
        generate: How the value is made.
        not_rotated: Why no schedule rotates it.
        removal: Whether it outlives its stack.
        name: Its name, where somebody demands one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        key: EncryptionKey,
        generate: secretsmanager.SecretStringGenerator,
        not_rotated: str,
        removal: RemovalSetting,
        name: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            secret_name=name,
            description=description,
            encryption_key=key,
            generate_secret_string=generate,
            removal_policy=removal_policy(removal),
        )
        self._key = key
        acknowledge(self, {"AwsSolutions-SMG4": not_rotated})

    def grant_read(self, grantee: iam.IGrantable, version_stages: Sequence[str] | None = None) -> iam.Grant:
        """Allow to read the secret and to decrypt it through Secrets Manager, by statements of the grantee alone.

        The library's own method writes into the key policy too, so that a later stack's role would make this stack
        depend on that one (aws-cdk#10339).

        Raises:
            ValueError: Some versions only; whoever reads this secret reads the newest.
        """
        if version_stages:
            raise ValueError(f"{self.node.path}: got version stages {', '.join(version_stages)}; leave them out")
        reading = iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            resource_arns=[self.secret_arn],
        )
        return reading.combine(self._key.grant_through(grantee, "secretsmanager", "kms:Decrypt"))
