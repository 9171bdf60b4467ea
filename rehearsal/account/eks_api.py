"""EKS's control plane where the emulator's is incomplete: the API server's address and the cluster's security group."""

from __future__ import annotations

import base64
import json
import uuid
from types import ModuleType
from typing import Any

from rehearsal.account.options import AccountOptions

_NO_SERVER = base64.b64encode(b"recorded rehearsal: there is no Kubernetes API server\n").decode()


class EksApi:
    """Completes clusters as the emulator creates them."""

    def __init__(self, eks: ModuleType, ec2: ModuleType, options: AccountOptions) -> None:
        self._eks: Any = eks
        self._ec2: Any = ec2
        self._options = options
        self._create = self._eks._create_cluster  # noqa: SLF001 - the emulator has no public seam
        self._delete = self._eks._delete_cluster  # noqa: SLF001 - the same

    def install(self) -> None:
        """Put this around the emulator's CreateCluster."""
        self._eks._create_cluster = self.create_cluster  # noqa: SLF001 - see above
        self._eks._delete_cluster = self.delete_cluster  # noqa: SLF001 - see above
        # Without it the emulator would look for Docker in a thread of its own and change the endpoint later.
        self._eks._get_docker = lambda: None  # noqa: SLF001 - see above

    def create_cluster(self, body: dict[str, Any], creator_arn: str | None = None) -> Any:  # noqa: ANN401 - a response
        """CreateCluster with the endpoint that the options name and a security group that exists."""
        response = self._create(body, creator_arn)
        if response[0] >= 400:
            return response
        cluster = self._eks._clusters[body["name"]]  # noqa: SLF001 - the emulator's state
        server = self._options.kubernetes
        cluster["endpoint"] = server.url if server else f"https://{cluster['name']}.no-api-server.invalid"
        cluster["certificateAuthority"]["data"] = server.certificate_authority if server else _NO_SERVER
        cluster["status"] = "ACTIVE"
        region = cluster["arn"].split(":")[3]
        issuer = f"https://oidc.eks.{region}.amazonaws.com/id/{uuid.uuid4().hex.upper()}"
        cluster["identity"]["oidc"]["issuer"] = (server.issuer if server else None) or issuer
        network = cluster["resourcesVpcConfig"]
        network["vpcId"], network["clusterSecurityGroupId"] = self._network(cluster["name"], network["subnetIds"])
        return response[0], response[1], json.dumps({"cluster": self._eks._sanitize(cluster)}).encode()  # noqa: SLF001

    def delete_cluster(self, name: str) -> Any:  # noqa: ANN401 - a response
        """DeleteCluster, which refuses while node groups exist and takes the cluster's security group along."""
        groups = [key for key in self._eks._nodegroups if key.startswith(f"{name}/")]  # noqa: SLF001
        if groups:
            return self._eks._error(409, "ResourceInUseException", f"Cluster has nodegroups attached: {groups}")  # noqa: SLF001
        cluster = self._eks._clusters.get(name)  # noqa: SLF001 - the emulator's state
        response = self._delete(name)
        if cluster is not None:
            self._ec2._security_groups.pop(cluster["resourcesVpcConfig"]["clusterSecurityGroupId"], None)  # noqa: SLF001
        return response

    def _network(self, name: str, subnet_ids: list[str]) -> tuple[str, str]:
        """Id of the cluster's VPC and of the security group that EKS makes for each cluster."""
        subnet = self._ec2._subnets.get(subnet_ids[0]) if subnet_ids else None  # noqa: SLF001 - the emulator's state
        vpc_id = str((subnet or {}).get("VpcId", ""))
        group_id = f"sg-{uuid.uuid4().hex[:17]}"
        self._ec2._security_groups[group_id] = {  # noqa: SLF001 - the emulator's state
            "GroupId": group_id,
            "GroupName": f"eks-cluster-sg-{name}",
            "Description": "EKS created security group applied to ENI that is attached to EKS Control Plane",
            "VpcId": vpc_id,
            "OwnerId": self._options.account_id,
            "IpPermissions": [],
            "IpPermissionsEgress": [],
        }
        return vpc_id, group_id
