"""What is left in an account after its stacks were destroyed: only what a template retains on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from rehearsal.account.late_events import control_plane_log_group
from rehearsal.failure import RehearsalError
from settings import Environment


class Leftover(BaseModel):
    """A resource that outlived its stack because its template says so."""

    model_config = ConfigDict(frozen=True)

    stack: str
    resource_type: str
    physical_id: str

    def __str__(self) -> str:
        """One line: type, id, stack."""
        return f"{self.resource_type} {self.physical_id} ({self.stack})"


def leftovers(cloudformation: Any, stack_ids: list[str]) -> list[Leftover]:  # noqa: ANN401 - a boto3 client
    """Return the resources that deleting these stacks skipped."""
    found = []
    for stack_id in stack_ids:
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            found += [
                Leftover(
                    stack=event["StackName"],
                    resource_type=event["ResourceType"],
                    physical_id=event.get("PhysicalResourceId", ""),
                )
                for event in page["StackEvents"]
                if event["ResourceStatus"] == "DELETE_SKIPPED"
            ]
    return sorted(found, key=str)


def remaining_stacks(cloudformation: Any, names: list[str]) -> list[str]:  # noqa: ANN401 - a boto3 client
    """Those of the named stacks that still exist."""
    stacks = cloudformation.describe_stacks()["Stacks"]
    alive = {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}
    return [name for name in names if name in alive]


def by_type(retained: list[Leftover]) -> dict[str, list[str]]:
    """Resource type -> ids, for a listing that stays short."""
    types: dict[str, list[str]] = {}
    for entry in retained:
        types.setdefault(entry.resource_type, []).append(entry.physical_id)
    return types


def no_strays(settings: Environment) -> set[str]:
    """Return what may be in the account at the end although no template retains it."""
    found = {settings.network.existing.vpc_id} if settings.network.existing else set()
    if settings.removal_policy == "retain":
        # Made and kept by a function.
        found.add(control_plane_log_group(settings.name))
    return found


def strays(client: Callable[[str], Any], retained: list[Leftover], *, existing: set[str]) -> list[str]:
    """Return what is still in the account although nobody retains it.

    Args:
        client: gives a boto3 client of the account.
        retained: what the templates retain.
        existing: ids that were there before the deployment.
    """
    kept = {entry.physical_id for entry in retained} | existing
    ec2, eks = client("ec2"), client("eks")
    found = {
        "VPC": [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]],
        "Elastic IP": [address["PublicIp"] for address in ec2.describe_addresses()["Addresses"]],
        "NAT gateway": [
            gateway["NatGatewayId"]
            for gateway in ec2.describe_nat_gateways()["NatGateways"]
            if gateway["State"] not in {"deleted", "deleting"}
        ],
        "EKS cluster": eks.list_clusters()["clusters"],
        "MSK cluster": [entry["ClusterArn"] for entry in client("kafka").list_clusters_v2()["ClusterInfoList"]],
        "bucket": [
            entry["Name"] for entry in client("s3").list_buckets()["Buckets"] if not _of_bootstrap(entry["Name"])
        ],
        "secret": [entry["ARN"] for entry in client("secretsmanager").list_secrets()["SecretList"]],
        "function": [entry["FunctionName"] for entry in client("lambda").list_functions()["Functions"]],
        "log group": [entry["logGroupName"] for entry in client("logs").describe_log_groups()["logGroups"]],
        "role": [
            entry["RoleName"] for entry in client("iam").list_roles()["Roles"] if not _of_bootstrap(entry["RoleName"])
        ],
    }
    return [f"{kind} {name}" for kind, names in found.items() for name in names if name not in kept]


def require_listed(listed: dict[str, Any], retained: list[Leftover], settings: Environment) -> None:
    """Refuse a list of `ops destroy` that is not exactly what is left.

    Args:
        listed: what the command prints as JSON.
        retained: what the templates retain.
        settings: of the environment.

    Raises:
        RehearsalError: Something is missing, too much, unread or nobody's.
    """
    # What custom resources made in the cluster went with it.
    wanted = {entry.physical_id for entry in retained if not entry.resource_type.startswith("Custom::")}
    if settings.removal_policy == "retain":
        wanted.add(control_plane_log_group(settings.name))
    kept = {item["id"] for item in listed["left"] if item["stays"] == "kept"}
    wrong = [f"unread: {text}" for text in listed["notes"]]
    wrong += [f"still there: {stack['name']}" for stack in listed["stacks"]]
    wrong += [f"not listed: {each}" for each in sorted(wanted - kept)]
    wrong += [f"listed, though no template keeps it: {each}" for each in sorted(kept - wanted)]
    wrong += [f"nobody's: {item['kind']} {item['id']}" for item in listed["left"] if item["stays"] == "stray"]
    if wrong:
        raise RehearsalError(f"ops destroy says of what is left: {'; '.join(wrong)}")


def _of_bootstrap(name: str) -> bool:
    return name.startswith("cdk-")
