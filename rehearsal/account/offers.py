"""What the account may have and what its region offers: quotas, instance types, versions of MSK and EKS.

The emulator has none of it. `ops doctor` reads it before a deployment; `limits` holds the quotas.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from rehearsal.account.eks_rules import KUBERNETES_VERSIONS
from rehearsal.account.limits import NEW_ACCOUNT
from rehearsal.account.zones import Zones
from settings.eks_versions import EKS_VERSIONS
from settings.instances import INSTANCE_TYPES
from settings.queue import KRAFT_VERSIONS

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Response]]


def _json(status: int, body: object, error: str = "") -> Response:
    headers = {"Content-Type": "application/json"} | ({"x-amzn-ErrorType": error} if error else {})
    return status, headers, json.dumps(body).encode()


class ServiceQuotas:
    """Service Quotas, for the quotas that this application can meet."""

    def __init__(self, quotas: Mapping[str, int]) -> None:
        self._quotas = quotas

    async def handle(self, _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Any) -> Response:
        """Answer GetServiceQuota and GetAWSDefaultServiceQuota; refuse anything else."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        quotas = {"GetServiceQuota": self._quotas, "GetAWSDefaultServiceQuota": NEW_ACCOUNT}.get(action)
        if quotas is None:
            return _json(400, {"message": f"The rehearsal has no {action}."}, "UnknownOperationException")
        asked = json.loads(body)
        code = asked["QuotaCode"]
        if code not in quotas:
            return _json(400, {"message": f"There is no quota {code}."}, "NoSuchResourceException")
        return _json(200, {"Quota": {"ServiceCode": asked["ServiceCode"], "QuotaCode": code, "Value": quotas[code]}})


def install(
    app: ModuleType, ec2: ModuleType, eks: ModuleType, msk: ModuleType, *, quotas: Mapping[str, int], zones: Zones
) -> None:
    """Give the emulator what it lacks, beside or in front of its own services."""
    from ministack.core import responses  # noqa: PLC0415 - holds the request's region

    app.SERVICE_HANDLERS["servicequotas"] = ServiceQuotas(quotas).handle
    ec2._ACTION_MAP["DescribeInstanceTypeOfferings"] = lambda asked: ec2._xml(
        200, "DescribeInstanceTypeOfferingsResponse", instance_types(asked, zones.of(responses.get_region()))
    )
    _answer(eks, {"/cluster-versions": cluster_versions, "/addons/supported-versions": addon_versions})
    _answer(msk, {"/v1/kafka-versions": kafka_versions})


def instance_types(asked: Mapping[str, list[str]], zones: list[str]) -> str:
    """Return every type of the settings that is asked for, in every zone of the region."""
    wanted = [values[0] for key, values in asked.items() if key.startswith("Filter.1.Value.")]
    return "<instanceTypeOfferingSet>{}</instanceTypeOfferingSet>".format(
        "".join(
            f"<item><instanceType>{kind}</instanceType><locationType>availability-zone</locationType>"
            f"<location>{zone}</location></item>"
            for kind in wanted
            if kind in INSTANCE_TYPES
            for zone in zones
        )
    )


def cluster_versions(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Kubernetes versions that clusters can be made of, with their support."""
    wanted = asked.get("clusterVersions") or list(KUBERNETES_VERSIONS)
    today = datetime.now(tz=UTC).date()
    return {
        "clusterVersions": [
            {
                "clusterVersion": version,
                "versionStatus": "STANDARD_SUPPORT"
                if version in EKS_VERSIONS and today <= EKS_VERSIONS[version].standard_support_ends
                else "EXTENDED_SUPPORT",
            }
            for version in KUBERNETES_VERSIONS
            if version in wanted
        ]
    }


def addon_versions(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the builds that the settings pin: which others EKS has, only EKS knows."""
    version, name = (str((asked.get(key) or [""])[0]) for key in ("kubernetesVersion", "addonName"))
    builds = EKS_VERSIONS[version].addons if version in EKS_VERSIONS else {}
    found = [{"addonVersion": builds[name]}] if name in builds else []
    return {"addons": [{"addonName": name, "addonVersions": found}]}


def kafka_versions(_asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Kafka versions that MSK makes clusters of with KRaft."""
    return {"kafkaVersions": [{"version": version, "status": "ACTIVE"} for version in KRAFT_VERSIONS]}


def _answer(service: ModuleType, paths: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]) -> None:
    """Answer these paths in front of a service of the emulator."""
    next_handler: Handler = service.handle_request

    async def handle(method: str, path: str, headers: Any, body: Any, query: Mapping[str, Any]) -> Response:
        if method == "GET" and path in paths:
            return _json(200, paths[path](query))
        return await next_handler(method, path, headers, body, query)

    service.handle_request = handle  # type: ignore[attr-defined]  # the module's one entry point
