"""What `milvus.configuration` may hold: everything of milvus.yaml but credentials, and what other settings decide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from settings.base import Problem, Rule
from settings.contract import CLIENT_PORT
from settings.environment import Environment

_BY_US = "the application sets it; remove it"
_TLS = "no pod has a file of a certificate; set milvus.service.certificate_arn instead: the load balancer speaks TLS"
_NO_GPU = "GPU is not supported; remove it"
_NO_FILE = "no pod has that file; remove it"
_PORTS = f"the Services and the policies know {CLIENT_PORT} and the ports of the chart; remove it"
_ADDRESS = "every pod has an address of its own; remove it"
_COORDINATORS = ("rootCoord", "queryCoord", "dataCoord", "indexCoord", "mixCoord")
_ROLES = (*_COORDINATORS, "proxy", "queryNode", "indexNode", "dataNode", "streamingNode")
# What decides over which part of milvus.yaml: the first that fits gives the remedy.
# https://github.com/milvus-io/milvus/blob/master/configs/milvus.yaml, and the file of 2.3 to 3.0.
# Milvus compares keys in lower case and without dots, slashes and underscores:
# https://github.com/milvus-io/milvus/blob/master/pkg/config/manager.go (formatKey)
_DECIDED_ELSEWHERE = {
    "cipherPlugin": _NO_FILE,
    "common.chanNamePrefix": "set milvus.channel_prefix instead",
    "common.preCreatedTopic": "set queue.channels instead",
    "common.security.authorizationEnabled": "set milvus.authorization instead",
    "common.security.internaltlsEnabled": _TLS,
    "common.security.tlsMode": _TLS,
    "common.storageType": _BY_US,
    "etcd": _BY_US,
    "gpu": _NO_GPU,
    "indexCoord.bindIndexNodeMode": "index nodes register themselves; remove it",
    "internaltls": _TLS,
    "kafka.brokerList": _BY_US,
    "kafka.consumer.bootstrap": _BY_US,
    "kafka.consumer.sasl": _BY_US,
    "kafka.consumer.security": _BY_US,
    "kafka.consumer.ssl": "MSK's certificates are known to every system; remove it",
    "kafka.producer.bootstrap": _BY_US,
    "kafka.producer.message.max.bytes": "set queue.milvus_message_max_bytes instead",
    "kafka.producer.sasl": _BY_US,
    "kafka.producer.security": _BY_US,
    "kafka.producer.ssl": "MSK's certificates are known to every system; remove it",
    "kafka.saslMechanisms": _BY_US,
    "kafka.saslUsername": _BY_US,
    "kafka.securityProtocol": _BY_US,
    "kafka.ssl": "MSK's certificates are known to every system; remove it",
    "localStorage.path": "the pods' disk is mounted where the chart says; remove it",
    "metastore.type": "the release has etcd and no other store of metadata; remove it",
    "minio": "set storage instead, or remove it",
    "mq.type": "set queue.kind instead",
    "msgChannel.chanNamePrefix": "set milvus.channel_prefix instead",
    "natsmq": "set queue.kind instead",
    "proxy.http.port": _PORTS,
    "proxy.internalPort": _PORTS,
    "proxy.soPath": _NO_FILE,
    "pulsar.maxMessageSize": "set queue.milvus_message_max_bytes instead",
    "pulsar": "set queue.kind instead",
    "rocksmq": "set queue.kind instead",
    "rootCoord.dmlChannelNum": "set queue.channels instead",
    "tikv": "the release has etcd and no other store of metadata; remove it",
    "tls": _TLS,
    "woodpecker.client.quorum": "the log runs inside Milvus, without servers of its own; remove it",
    "woodpecker.meta": _BY_US,
    "woodpecker.storage": "the log lies in the bucket; remove it",
    **{f"{role}.enableActiveStandby": "set milvus.active_standby instead" for role in _COORDINATORS},
    **{f"{role}.ip": _ADDRESS for role in _ROLES},
    **{f"{role}.port": _PORTS for role in _ROLES},
}
# Of other services, which the network policies let Milvus reach by HTTPS alone.
_ENDPOINTS = ("trace.otlp.endpoint", "trace.jaeger.url")
# Levels at which 2.3 does not write its Kafka configuration.
_QUIET = ("warn", "error", "dpanic", "panic", "fatal")
_HTTPS = re.compile(r"(https://[^:/]+|(.+:)?[^:/]+:443)(/.*)?")
_CREDENTIALS = ("password", "secret", "secretkey", "secretaccesskey", "accesskey", "accesskeyid", "token", "apikey")


def _garbage_of_an_existing_bucket(env: Environment) -> Iterator[Problem]:
    """Refuse a second word on whether Milvus deletes what its metadata does not know."""
    decided = _plain("dataCoord.enableGarbageCollection")
    for key, _ in _leaves(env.milvus.configuration):
        if env.storage.existing and _plain(key) == decided:
            yield Problem(
                f"milvus.configuration.{key}", "is not for this place: set storage.existing.garbage_collection instead"
            )


def _own_configuration(env: Environment) -> Iterator[Problem]:
    """Yield a problem for each key that is decided elsewhere, or that holds a credential."""
    for key, _ in _leaves(env.milvus.configuration):
        path = f"milvus.configuration.{key}"
        plain = _plain(key)
        for decided, remedy in _DECIDED_ELSEWHERE.items():
            if plain.startswith(_plain(decided)):
                yield Problem(path, f"is not for this place: {remedy}")
                break
        else:
            if plain.endswith(_CREDENTIALS) or plain.startswith("credential"):
                yield Problem(
                    path, "a credential here would be in templates and a ConfigMap for everybody to read; remove it"
                )


def _other_services(env: Environment) -> Iterator[Problem]:
    """Yield a problem for each endpoint that the network policies keep Milvus from."""
    endpoints = [_plain(key) for key in _ENDPOINTS]
    for key, value in _leaves(env.milvus.configuration):
        if _plain(key) in endpoints and value and not _HTTPS.fullmatch(str(value)):
            yield Problem(
                f"milvus.configuration.{key}",
                f"got {value}, but the network policies let Milvus reach others at port 443 only; give an endpoint "
                "there, or remove it",
            )


def _log_level(env: Environment) -> Iterator[Problem]:
    """Refuse a log that tells more than the line may."""
    quiet = env.release.log_level
    if quiet is None:
        return
    for key, value in _leaves(env.milvus.configuration):
        if _plain(key) == _plain("log.level") and str(value).lower() not in _QUIET:
            yield Problem(
                f"milvus.configuration.{key}",
                f"got {value}, at which Milvus {env.milvus.line} writes the Kafka password to its log; use {quiet} or "
                "error",
            )


def _leaves(values: Mapping[str, JsonValue], parents: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}", value


def _plain(key: str) -> str:
    return key.lower().translate(str.maketrans("", "", "./_"))


RULES: tuple[Rule, ...] = (_own_configuration, _garbage_of_an_existing_bucket, _other_services, _log_level)
