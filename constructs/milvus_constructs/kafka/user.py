"""The SCRAM user that Milvus logs in to Kafka with: its secret, and who may read it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.removal import RemovalSetting, removal_policy
from milvus_constructs.stack_suffix import stack_suffix

PASSWORD_LENGTH = 48


class KafkaUser(secretsmanager.Secret):
    """A user name and a generated password in Secrets Manager, in the form that MSK demands.

    The name starts with ``AmazonMSK_`` and the key is customer-managed: MSK takes no other secret. MSK writes the
    secret's resource policy itself when the secret is associated, so none is set here.
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html

    The password holds letters and digits only, at least one lower-case letter, one upper-case letter and one digit, and
    no ``x``: with two letters it is no decimal number in YAML, without ``x`` no hexadecimal one, and there is nothing
    to quote in a shell, a URL, JSON or a properties file. Nobody but the readers of the secret ever sees it.

    Costs by the month. The password is not rotated by itself: Milvus reads it at start. To rotate, put a new password
    into the secret and restart the Milvus pods.

    Example:
        >>> KafkaUser(self, "User", name="milvus-dev", username="milvus", key=key, removal="destroy")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        username: str,
        key: EncryptionKey,
        removal: RemovalSetting,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            # The suffix, because a retained secret, or one that waits for its deletion, keeps its name.
            secret_name=f"AmazonMSK_{name}-{username}-{stack_suffix(scope)}",
            description=f"SCRAM user of Milvus in the MSK cluster {name}",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": username}),
                generate_string_key="password",
                password_length=PASSWORD_LENGTH,
                exclude_punctuation=True,
                exclude_characters="x",
                include_space=False,
                require_each_included_type=True,
            ),
            removal_policy=removal_policy(removal),
        )
        self._key = key
        reason = (
            "Milvus reads the password at start only: a rotation by schedule would lock it out. The operator rotates "
            "it together with a restart."
        )
        acknowledge(self, {"AwsSolutions-SMG4": reason})

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
