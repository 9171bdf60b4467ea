"""EKS's control plane where the emulator's is incomplete: the API server's address and the cluster's security group."""

from __future__ import annotations

import json
import re
import uuid
from types import ModuleType
from typing import Any

from rehearsal.account.kubernetes_api import Endpoint, KubernetesApis
from rehearsal.account.late_events import ControlPlaneEvents
from rehearsal.account.options import AccountOptions
from rehearsal.account.refusals import service_fault

_CLUSTER = re.compile(r"/clusters/([A-Za-z0-9_-]+)(/update-config)?")
_UPDATE_NODES = re.compile(r"/clusters/(?P<cluster>[^/]+)/node-groups/(?P<group>[^/]+)/update-version")
_PROTECTED = "Cannot delete cluster {} because deletion protection is enabled; disable it first"


class EksApi:
    """Completes clusters as the emulator creates them."""

    def __init__(
        self,
        eks: ModuleType,
        ec2: ModuleType,
        options: AccountOptions,
        apis: KubernetesApis,
        events: ControlPlaneEvents,
    ) -> None:
        self._eks: Any = eks
        self._ec2: Any = ec2
        self._options = options
        self._apis = apis
        self._events = events
        self._create = self._eks._create_cluster
        self._delete = self._eks._delete_cluster
        self._handle = self._eks._handle_request_sync

    def install(self) -> None:
        """Put this around the emulator's CreateCluster and DeleteCluster, and before its other requests."""
        self._eks._handle_request_sync = self.handle
        self._eks._create_cluster = self.create_cluster
        self._eks._delete_cluster = self.delete_cluster
        # Without it the emulator would look for Docker in a thread of its own and change the endpoint later.
        self._eks._get_docker = lambda: None

    def handle(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        """Answer what the emulator does not know of: the deletion protection, and what it refuses."""
        match = _CLUSTER.fullmatch(path)
        cluster = self._eks._clusters.get(match[1]) if match else None
        if cluster is not None and match and match[2] and method == "POST":
            return self._update_config(cluster, json.loads(body or b"{}"))
        if cluster is not None and match and not match[2] and method == "DELETE" and _protected(cluster):
            return self._eks._error(400, "InvalidRequestException", _PROTECTED.format(match[1]))
        if method == "POST" and (match := _UPDATE_NODES.fullmatch(path)) and self._nodes(match):
            # UpdateNodegroupVersion to the newest image, which is finished at once: a node is no more than its record.
            return _updated("VersionUpdate")
        return self._handle(method, path, headers, body, query)

    def _nodes(self, match: re.Match[str]) -> bool:
        return f"{match['cluster']}/{match['group']}" in self._eks._nodegroups

    def _update_config(self, cluster: dict[str, Any], body: dict[str, Any]) -> Any:
        """UpdateClusterConfig, which is finished at once; other settings change with CloudFormation only."""
        others = body.keys() - {"deletionProtection", "clientRequestToken"}
        if others:
            return self._eks._error(400, "InvalidParameterException", f"not emulated: {', '.join(sorted(others))}")
        cluster["deletionProtection"] = body["deletionProtection"]
        return _updated("DeletionProtectionUpdate")

    def create_cluster(self, body: dict[str, Any], creator_arn: str | None = None) -> Any:
        """CreateCluster with the endpoint that the options name and a security group that exists."""
        response = self._create(body, creator_arn)
        if response[0] >= 400:
            return response
        cluster = self._eks._clusters[body["name"]]
        server = self._options.kubernetes
        given = Endpoint(server.url, server.certificate_authority) if server else None
        endpoint = given or self._apis.open(cluster["name"])
        cluster["endpoint"] = endpoint.url
        cluster["certificateAuthority"]["data"] = endpoint.certificate_authority
        cluster["status"] = "ACTIVE"
        region = cluster["arn"].split(":")[3]
        issuer = f"https://oidc.eks.{region}.amazonaws.com/id/{uuid.uuid4().hex.upper()}"
        cluster["identity"]["oidc"]["issuer"] = (server.issuer if server else None) or issuer
        network = cluster["resourcesVpcConfig"]
        network["vpcId"], network["clusterSecurityGroupId"] = self._network(cluster["name"], network["subnetIds"])
        if _logs(cluster):
            self._events.write(cluster["name"])
        return response[0], response[1], json.dumps({"cluster": self._eks._sanitize(cluster)}).encode()

    def delete_cluster(self, name: str) -> Any:
        """DeleteCluster, which refuses while the cluster is protected or has nodes; its security group goes too."""
        if _protected(self._eks._clusters.get(name, {})):
            # Asked by CloudFormation, whose handler of the emulator's reads no answer.
            raise service_fault("Eks", _PROTECTED.format(name))
        groups = [key for key in self._eks._nodegroups if key.startswith(f"{name}/")]
        if groups:
            return self._eks._error(409, "ResourceInUseException", f"Cluster has nodegroups attached: {groups}")
        cluster = self._eks._clusters.get(name)
        response = self._delete(name)
        self._apis.close(name)
        if cluster is not None and _logs(cluster):
            self._events.write_late(name)
        if cluster is not None:
            self._ec2._security_groups.pop(cluster["resourcesVpcConfig"]["clusterSecurityGroupId"], None)
        return response

    def _network(self, name: str, subnet_ids: list[str]) -> tuple[str, str]:
        """Id of the cluster's VPC and of the security group that EKS makes for each cluster."""
        subnet = self._ec2._subnets.get(subnet_ids[0]) if subnet_ids else None
        vpc_id = str((subnet or {}).get("VpcId", ""))
        group_id = f"sg-{uuid.uuid4().hex[:17]}"
        self._ec2._security_groups[group_id] = {
            "GroupId": group_id,
            "GroupName": f"eks-cluster-sg-{name}",
            "Description": "EKS created security group applied to ENI that is attached to EKS Control Plane",
            "VpcId": vpc_id,
            "OwnerId": self._options.account_id,
            "IpPermissions": [],
            "IpPermissionsEgress": [],
        }
        return vpc_id, group_id


def _updated(kind: str) -> tuple[int, dict[str, str], bytes]:
    update = {"id": str(uuid.uuid4()), "status": "Successful", "type": kind}
    return 200, {"Content-Type": "application/json"}, json.dumps({"update": update}).encode()


def _protected(cluster: dict[str, Any]) -> bool:
    return bool(cluster.get("deletionProtection"))


def _logs(cluster: dict[str, Any]) -> bool:
    kinds = (cluster.get("logging") or {}).get("clusterLogging") or []
    return any(kind.get("enabled") and kind.get("types") for kind in kinds)
