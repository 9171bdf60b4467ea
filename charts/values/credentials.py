"""The passwords of Kafka and of root, as environment variables of Milvus's pods that name Kubernetes Secrets."""

from __future__ import annotations

from typing import Any

from charts.names import KAFKA_SECRET, ROOT_SECRET
from settings import Environment


def credentials(env: Environment) -> list[dict[str, Any]]:
    """Return the credentials of Milvus by reference; the environment outranks its configuration files.

    Milvus compares names in lower case and without ``_``, ``.`` and ``/``: this is ``kafka.saslUsername`` and so on.
    """
    variables = []
    if env.queue.kind == "msk":
        # Both or none: with one of them alone Milvus panics.
        variables += [
            _from_secret("KAFKA_SASLUSERNAME", KAFKA_SECRET, "username"),
            _from_secret("KAFKA_SASLPASSWORD", KAFKA_SECRET, "password"),
        ]
    if env.milvus.authorization:
        # Used at the very first start only; without it the password of root is "Milvus".
        variables.append(_from_secret("COMMON_SECURITY_DEFAULTROOTPASSWORD", ROOT_SECRET, "password"))
    return variables


def _from_secret(variable: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
