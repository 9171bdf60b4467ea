"""What `milvus.configuration` may hold: everything of milvus.yaml but credentials, and what other settings decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from settings.base import Problem, Rule
from settings.contract import CLIENT_PORT
from settings.environment import Environment

_BY_US = "the application sets it; remove it"
# Milvus compares keys in lower case and without dots, slashes and underscores:
# https://github.com/milvus-io/milvus/blob/master/pkg/config/manager.go (formatKey)
_DECIDED_ELSEWHERE = {
    "common.chanNamePrefix": "set milvus.channel_prefix instead",
    "common.security.authorizationEnabled": "set milvus.authorization instead",
    "common.storageType": _BY_US,
    "etcd": _BY_US,
    "kafka.brokerList": _BY_US,
    "kafka.producer.message.max.bytes": "set queue.milvus_message_max_bytes instead",
    "kafka.saslMechanisms": _BY_US,
    "kafka.saslUsername": _BY_US,
    "kafka.securityProtocol": _BY_US,
    "minio": "set storage instead, or remove it",
    "mq.type": "set queue.kind instead",
    "msgChannel.chanNamePrefix": "set milvus.channel_prefix instead",
    "natsmq": "set queue.kind instead",
    "proxy.port": f"the load balancer and the policies know {CLIENT_PORT}; remove it",
    "pulsar": "set queue.kind instead",
    "rocksmq": "set queue.kind instead",
    "rootCoord.dmlChannelNum": "set queue.channels instead",
}
_CREDENTIALS = ("password", "secret", "secretkey", "secretaccesskey", "accesskey", "accesskeyid", "token", "apikey")


def _own_configuration(env: Environment) -> Iterator[Problem]:
    """Yield a problem for each key that is decided elsewhere, or that holds a credential."""
    for key in _keys(env.milvus.configuration):
        path = f"milvus.configuration.{key}"
        plain = _plain(key)
        for decided, remedy in _DECIDED_ELSEWHERE.items():
            if plain.startswith(_plain(decided)):
                yield Problem(path, f"is not for this place: {remedy}")
                break
        else:
            if plain.endswith(_CREDENTIALS):
                yield Problem(
                    path, "a credential here would be in templates and a ConfigMap for everybody to read; remove it"
                )


def _keys(values: Mapping[str, JsonValue], parents: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}"


def _plain(key: str) -> str:
    return key.lower().translate(str.maketrans("", "", "./_"))


RULES: tuple[Rule, ...] = (_own_configuration,)
