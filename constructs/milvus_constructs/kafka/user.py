"""The SCRAM user that Milvus logs in to Kafka with: its secret, and who may read it."""

from __future__ import annotations

import json

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.keyed_secret import KeyedSecret
from milvus_constructs.removal import RemovalSetting
from milvus_constructs.stack_suffix import stack_suffix

PASSWORD_LENGTH = 48


class KafkaUser(KeyedSecret):
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
            name=f"AmazonMSK_{name}-{username}-{stack_suffix(scope)}",
            description=f"SCRAM user of Milvus in the MSK cluster {name}",
            key=key,
            generate=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": username}),
                generate_string_key="password",
                password_length=PASSWORD_LENGTH,
                exclude_punctuation=True,
                exclude_characters="x",
                include_space=False,
                require_each_included_type=True,
            ),
            not_rotated="Milvus reads the password at start only: a rotation by schedule would lock it out. The "
            "operator rotates it together with a restart.",
            removal=removal,
        )
