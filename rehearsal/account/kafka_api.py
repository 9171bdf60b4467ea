"""MSK's own API where the emulator's is incomplete: v2 descriptions, broker names, SCRAM rules, configurations."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from rehearsal.account.options import AccountOptions

Response = tuple[int, dict[str, str], bytes]
Route = Callable[[str, Any], Response]

_LISTENERS = {"SaslScram": 9096, "SaslIam": 9098, "Tls": 9094}


def _json(status: int, body: object) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _fault(status: int, code: str, message: str) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"message": message, "invalidParameter": None}).encode()


class KafkaApi:
    """Answers before the emulator's MSK does, and hands everything else on to it."""

    def __init__(self, msk: ModuleType, secrets: ModuleType, options: AccountOptions) -> None:
        self._msk = msk
        self._secrets = secrets
        self._options = options
        self._calls = itertools.count(1)
        self._next: Callable[..., Awaitable[Response]] = msk.handle_request
        self._routes: list[tuple[str, re.Pattern[str], Route]] = [
            ("GET", re.compile(r"/api/v2/clusters/(.+)"), self._describe_v2),
            ("GET", re.compile(r"/api/v2/clusters"), self._list_v2),
            ("GET", re.compile(r"/v1/clusters/(.+)/bootstrap-brokers"), self._brokers),
            ("POST", re.compile(r"/v1/clusters/(.+)/scram-secrets"), self._associate),
            ("PUT", re.compile(r"/v1/configurations/(.+)"), self._update_configuration),
            ("DELETE", re.compile(r"/v1/configurations/(.+)"), self._delete_configuration),
        ]

    def install(self) -> None:
        """Put this in front of the emulator's MSK."""
        self._msk.handle_request = self.handle  # type: ignore[attr-defined]  # the module's one entry point

    async def handle(self, method: str, path: str, headers: Any, body: Any, query: Any) -> Response:
        """Answer a request, as the emulator's services do."""
        for verb, pattern, route in self._routes:
            match = pattern.fullmatch(unquote(path))
            if verb == method and match:
                return route(match.group(1) if match.groups() else "", body)
        return await self._next(method, path, headers, body, query)

    def _cluster(self, arn: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._msk._clusters.get(arn)
        return found

    def _v2(self, info: dict[str, Any]) -> dict[str, Any]:
        software = info["CurrentBrokerSoftwareInfo"]
        shared = ("BrokerNodeGroupInfo", "ClientAuthentication", "EncryptionInfo", "EnhancedMonitoring", "LoggingInfo")
        provisioned = {key: info[key] for key in (*shared, "NumberOfBrokerNodes", "OpenMonitoring") if info.get(key)}
        summary = {
            key: info[key] for key in ("ClusterArn", "ClusterName", "CreationTime", "CurrentVersion", "State", "Tags")
        }
        summary |= {"ClusterType": "PROVISIONED", "Provisioned": {**provisioned, "CurrentBrokerSoftwareInfo": software}}
        camel: dict[str, Any] = self._msk._camelize(summary)
        return camel

    def _describe_v2(self, arn: str, _body: object) -> Response:
        info = self._cluster(arn)
        if info is None:
            return _fault(404, "NotFoundException", f"The requested cluster {arn} does not exist.")
        return _json(200, {"clusterInfo": self._v2(info)})

    def _list_v2(self, _arn: str, _body: object) -> Response:
        return _json(200, {"clusterInfoList": [self._v2(info) for info in self._msk._clusters.values()]})

    def _brokers(self, arn: str, _body: object) -> Response:
        """Only the listeners that the cluster has, by the names that MSK gives its brokers."""
        info = self._cluster(arn)
        if info is None:
            return _fault(404, "NotFoundException", f"The requested cluster {arn} does not exist.")
        authentication = info.get("ClientAuthentication") or {}
        sasl = authentication.get("sasl") or {}
        on = {
            "SaslScram": (sasl.get("scram") or {}).get("enabled"),
            "SaslIam": (sasl.get("iam") or {}).get("enabled"),
            "Tls": (authentication.get("tls") or {}).get("enabled")
            or (authentication.get("unauthenticated") or {}).get("enabled", not authentication),
        }
        _, _, _, region, _, resource = arn.split(":", 5)
        domain = f"{info['ClusterName'].lower()}.{resource.rpartition('/')[2][:6]}.c2.kafka.{region}.amazonaws.com"
        brokers = self._shuffled(range(1, int(info["NumberOfBrokerNodes"]) + 1))[:3]
        answer = {
            f"bootstrapBrokerString{kind}": ",".join(f"b-{number}.{domain}:{port}" for number in brokers)
            for kind, port in _LISTENERS.items()
            if on[kind]
        }
        if self._options.bootstrap_brokers and on["SaslScram"]:
            given = self._options.bootstrap_brokers.split(",")
            answer["bootstrapBrokerStringSaslScram"] = ",".join(self._shuffled(given))
        return _json(200, answer)

    def _shuffled(self, brokers: Sequence[Any]) -> list[Any]:
        """Return the brokers beginning with another one at each call, as MSK does (terraform-provider-aws#13488)."""
        first = next(self._calls) % len(brokers)
        return [*brokers[first:], *brokers[:first]]

    def _associate(self, arn: str, body: bytes) -> Response:
        info = self._cluster(arn)
        if info is None:
            return _fault(404, "NotFoundException", f"The requested cluster {arn} does not exist.")
        scram = ((info.get("ClientAuthentication") or {}).get("sasl") or {}).get("scram") or {}
        if not scram.get("enabled"):
            return _fault(400, "BadRequestException", "The cluster does not have SASL/SCRAM authentication enabled.")
        wanted = json.loads(body or b"{}").get("secretArnList", [])
        current: list[str] = list(self._msk._scram_secrets.get(arn, []))
        unprocessed = []
        for secret in wanted:
            problem = scram_problem(secret, self._secret(secret), arn)
            if problem is None:
                current += [secret] if secret not in current else []
            else:
                unprocessed.append({"errorCode": problem[0], "errorMessage": problem[1], "secretArn": secret})
        self._msk._scram_secrets[arn] = current
        return _json(200, {"clusterArn": arn, "unprocessedScramSecrets": unprocessed})

    def _secret(self, arn: str) -> dict[str, Any] | None:
        secrets = self._secrets._secrets.values()
        return next((secret for secret in secrets if secret["ARN"] == arn), None)

    def _update_configuration(self, arn: str, body: bytes) -> Response:
        configuration = self._msk._configurations.get(arn)
        if configuration is None:
            return _fault(404, "NotFoundException", f"The configuration {arn} does not exist.")
        wanted = json.loads(body)
        revision = {
            "Revision": configuration["LatestRevision"]["Revision"] + 1,
            "CreationTime": datetime.now(UTC).isoformat(),
            "Description": wanted.get("description", ""),
        }
        configuration["LatestRevision"] = revision
        self._msk._config_revisions[arn].append({**revision, "ServerProperties": wanted["serverProperties"]})
        latest = {key[0].lower() + key[1:]: value for key, value in revision.items()}
        return _json(200, {"arn": arn, "latestRevision": latest})

    def _delete_configuration(self, arn: str, _body: object) -> Response:
        if arn not in self._msk._configurations:
            return _fault(404, "NotFoundException", f"The configuration {arn} does not exist.")
        clusters = self._msk._clusters.values()
        if any(info["CurrentBrokerSoftwareInfo"].get("ConfigurationArn") == arn for info in clusters):
            return _fault(400, "BadRequestException", "The configuration is in use by one or more clusters.")
        self._msk._configurations.pop(arn)
        self._msk._config_revisions.pop(arn, None)
        return _json(200, {"arn": arn, "state": "DELETING"})


def scram_problem(arn: str, secret: dict[str, Any] | None, cluster: str) -> tuple[str, str] | None:
    """Why MSK would not take a secret as a SCRAM user: error code and message; None when it takes it.

    https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-limitations.html
    """
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "secretsmanager":
        return "InvalidSecretArn", "The provided secret ARN is not valid."
    if parts[3:5] != cluster.split(":")[3:5]:
        return "InvalidSecretArn", "The secret must be in the account and the Region of the cluster."
    if not parts[6].startswith("AmazonMSK_"):
        return "InvalidSecretArn", "The name of the secret must begin with the prefix AmazonMSK_."
    if secret is None:
        return "AccessDeniedException", "The provided secret does not exist, or Amazon MSK may not read it."
    return _content_problem(secret)


def _content_problem(secret: dict[str, Any]) -> tuple[str, str] | None:
    key = secret.get("KmsKeyId") or "alias/aws/secretsmanager"
    if key.endswith("alias/aws/secretsmanager"):
        reason = "The secret must be encrypted with a customer managed key, not the default key."
        return "KMSInvalidStateException", reason
    current: dict[str, Any] = next(
        (version for version in secret["Versions"].values() if "AWSCURRENT" in version["Stages"]), {}
    )
    try:
        value = json.loads(current.get("SecretString") or "")
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not value.get("username") or not value.get("password"):
        return "InvalidSecretFormat", "The secret's value must be JSON with the keys username and password."
    return None
