"""The password of Milvus's user root, generated in Secrets Manager."""

from __future__ import annotations

import json

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.keyed_secret import KeyedSecret
from milvus_constructs.removal import RemovalSetting

# Milvus takes 72 characters at most, and the value passes through YAML, an environment variable and shells.
_LENGTH = 32


class RootPassword(KeyedSecret):
    """A secret with the keys ``username`` (root) and ``password`` (32 letters and digits), under a key of its own.

    Milvus reads it at its first start only (and 2.3 not even then): `python -m ops root-password` makes Milvus's
    password what a new value here says. Secret and key cost money by the month.
    """

    def __init__(self, scope: Construct, construct_id: str, *, removal: RemovalSetting) -> None:
        super().__init__(
            scope,
            construct_id,
            description="User root of Milvus; Milvus reads it at its first start",
            key=EncryptionKey(scope, "Key", description="Password of Milvus's user root", removal=removal),
            generate=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": "root"}),
                generate_string_key="password",
                password_length=_LENGTH,
                exclude_punctuation=True,
                include_space=False,
            ),
            not_rotated="Milvus reads the password at its first start only: a rotation would not reach it",
            removal=removal,
        )
