"""What stands in a subnet: AWS deletes no subnet in which something still has a network interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.account.refusals import service_fault


def occupants(subnet_id: str, aws: Callable[[str], Any]) -> list[str]:
    """Return the MSK and EKS clusters and NAT gateways that have interfaces in a subnet."""
    found = []
    for cluster in aws("kafka").list_clusters()["ClusterInfoList"]:
        if subnet_id in cluster["BrokerNodeGroupInfo"].get("ClientSubnets", []):
            found.append(cluster["ClusterArn"])
    for name in aws("eks").list_clusters()["clusters"]:
        cluster = aws("eks").describe_cluster(name=name)["cluster"]
        if subnet_id in cluster["resourcesVpcConfig"]["subnetIds"]:
            found.append(cluster["arn"])
    for gateway in aws("ec2").describe_nat_gateways()["NatGateways"]:
        if gateway.get("SubnetId") == subnet_id and gateway["State"] not in {"deleted", "deleting"}:
            found.append(gateway["NatGatewayId"])
    return found


def require_empty(subnet_id: str, aws: Callable[[str], Any]) -> None:
    """Refuses to delete a subnet in which something stands.

    Raises:
        ResourceError: EC2's DependencyViolation, with the names that EC2 leaves for the reader to find.
    """
    if found := occupants(subnet_id, aws):
        raise service_fault(
            "Ec2",
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted: {', '.join(found)}",
            code="GeneralServiceException",
        )
