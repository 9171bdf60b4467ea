"""The password of Milvus's user root, generated in Secrets Manager."""

from __future__ import annotations

import json

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge
from milvus_constructs.removal import RemovalSetting, removal_policy

# Milvus takes 72 characters at most, and the value passes through YAML, an environment variable and shells.
_LENGTH = 32


class RootPassword(secretsmanager.Secret):
    """A secret with the keys ``username`` (root) and ``password`` (32 letters and digits).

    Milvus reads it at its first start only (and 2.3 not even then): `python -m ops root-password` makes Milvus's
    password what a new value here says. The secret costs money by the month.
    """

    def __init__(self, scope: Construct, construct_id: str, *, removal: RemovalSetting) -> None:
        super().__init__(
            scope,
            construct_id,
            description="User root of Milvus; Milvus reads it at its first start",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": "root"}),
                generate_string_key="password",
                password_length=_LENGTH,
                exclude_punctuation=True,
                include_space=False,
            ),
            removal_policy=removal_policy(removal),
        )
        reason = "Milvus reads the password at its first start only: a rotation would not reach it"
        acknowledge(self, {"AwsSolutions-SMG4": reason})
