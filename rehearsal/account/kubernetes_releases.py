"""Helm releases without an API server: checked and written down."""

from __future__ import annotations

import json
import re
from typing import Any

from rehearsal.account.base import Created, Handler, Properties, Request
from rehearsal.account.kubernetes_records import CONTROLLER, KubernetesRecords, cluster_version
from rehearsal.account.refusals import ResourceError

_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
# The provider's function lives 15 minutes at most (aws-cdk#22257); helm must give up before it is cut off.
_LAMBDA_SECONDS = 15 * 60


class Release(Handler):
    """helm upgrade --install and helm uninstall."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records

    def create(self, request: Request) -> Created:
        """Check what helm and the function around it would stumble over, then write the release down."""
        cluster_version(request)
        release = self._checked(request)
        self._check_claims(request, release)
        self._records.releases.put(self._key(request), release)
        self._records.write(request, "release", {"release": release})
        return Created(request.physical_id or f"{request.stack}-{request.logical_id}", {})

    def update(self, request: Request) -> Created:
        """As create: helm upgrades what is installed."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """As `helm uninstall`; the load balancer controller may not go before what it has made."""
        cluster = request.properties["ClusterName"]
        release = self._records.releases.get(self._key(request)) or {}
        if release.get("chart") == CONTROLLER and (left := self._records.load_balancers(cluster)):
            raise ResourceError(
                f"{CONTROLLER} would be uninstalled before {', '.join(left)}: their load balancers would outlive the "
                "cluster and keep its subnets (aws-cdk#9970); make these objects depend on the controller"
            )
        self._records.releases.drop(self._key(request))
        self._records.erase(request)

    def _checked(self, request: Request) -> Properties:
        wanted = request.properties
        name, chart, version = wanted.get("Release", ""), wanted.get("Chart"), wanted.get("Version")
        namespace = wanted.get("Namespace", "default")
        if not _RELEASE.fullmatch(name):
            raise ResourceError(
                f'Error: release name "{name}" is invalid: at most 53 lower-case letters, digits, dashes'
            )
        repository = wanted.get("Repository")
        if chart is None and wanted.get("ChartAssetURL") is None and repository is None:
            raise ResourceError("chart or chartAsset must be specified")
        if wanted.get("ChartAssetURL") is None and not version:
            raise ResourceError(f"Error: {name}: no chart version is given; helm would take the newest of the day")
        create_namespace = str(wanted.get("CreateNamespace", False)).lower() == "true"
        if namespace not in self._records.namespaces(wanted["ClusterName"]) and not create_namespace:
            raise ResourceError(f'Error: create: failed to create: namespaces "{namespace}" not found')
        self._check_time(wanted)
        if chart is None and repository is not None:
            chart = repository.rpartition("/")[2]
        values = _values(wanted.get("Values"))
        return {
            "name": name,
            "chart": chart,
            "version": version,
            "repository": repository,
            "namespace": namespace,
            "create_namespace": create_namespace,
            "values": values,
            "claims": values.get("etcd", {}).get("persistence", {}).get("size"),
        }

    def _check_claims(self, request: Request, release: Properties) -> None:
        """Refuse another size of etcd's volumes, unless somebody has made the StatefulSet again with it."""
        installed = self._records.releases.get(self._key(request))
        if installed and installed["claims"] != release["claims"]:
            name = f"{release['name']}-etcd"
            raise ResourceError(
                f'Error: UPGRADE FAILED: cannot patch "{name}" with kind StatefulSet: StatefulSet.apps "{name}" is '
                "invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                "'minReadySeconds' are forbidden"
            )

    @staticmethod
    def _check_time(wanted: Properties) -> None:
        seconds = _seconds(wanted.get("Timeout", "5m"))
        waits = any(str(wanted.get(key, False)).lower() == "true" for key in ("Wait", "Atomic"))
        if waits and seconds > _LAMBDA_SECONDS:
            raise ResourceError(
                f"Task timed out after 900.00 seconds: helm would wait {wanted['Timeout']}, longer than the function "
                "may run, and leave the release in pending-install; wait 10 minutes at most or not at all"
            )

    @staticmethod
    def _key(request: Request) -> str:
        wanted = request.properties
        return f"{wanted['ClusterName']} {wanted.get('Namespace', 'default')}/{wanted.get('Release', '')}"


def _seconds(text: str) -> int:
    parts = re.findall(r"(\d+)(h|m|s)", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise ResourceError(f'Error: invalid argument "{text}" for "--timeout" flag: time: invalid duration "{text}"')
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def _values(text: str | None) -> Any:
    if text is None:
        return {}
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ResourceError(f"Error: failed to parse values.yaml: {error}") from error
    if not isinstance(values, dict):
        raise ResourceError("Error: failed to parse values.yaml: not a mapping")
    return values
