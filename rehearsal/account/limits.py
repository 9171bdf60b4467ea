"""What an account may have: a deployment that would exceed it is refused in AWS's words.

`ops doctor` reads the same quotas (`offers`): what it finds in the way is what would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from rehearsal.account.base import Request
from rehearsal.account.refusals import invalid_request, service_fault
from settings.instances import INSTANCE_TYPES

VCPUS, SPOT_VCPUS = "L-1216C47A", "L-34B43A08"
ADDRESSES, VPCS = "L-0263D0A3", "L-F678F1CE"
NETWORK_LOAD_BALANCERS, APPLICATION_LOAD_BALANCERS = "L-69A177A2", "L-53DA6B97"
BUILDS, LAMBDA_EXECUTIONS = "L-9D07B6EF", "L-B99A9384"

NEW_ACCOUNT = {
    VCPUS: 5,
    SPOT_VCPUS: 5,
    ADDRESSES: 5,
    VPCS: 5,
    NETWORK_LOAD_BALANCERS: 50,
    APPLICATION_LOAD_BALANCERS: 50,
    BUILDS: 1,
    LAMBDA_EXECUTIONS: 10,
}
"""What AWS gives a new account: its defaults, and fewer functions.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

Group = Mapping[str, Any]


def quotas_of(given: Mapping[str, int]) -> dict[str, int]:
    """Return the quotas of an account: those of a new one, and those that somebody asked AWS for."""
    return NEW_ACCOUNT | dict(given)


class Limits:
    """Refuses what an account may not have.

    Args:
        quotas: by their codes, all of them.
        groups: gives the node groups that there are, as EKS describes them.
    """

    def __init__(self, quotas: Mapping[str, int], groups: Callable[[], Iterable[Group]]) -> None:
        self._quotas = quotas
        self._groups = groups

    def install(self, ec2: ModuleType, codebuild: ModuleType) -> None:
        """Put this in front of what takes an address or a build."""
        allocate, start = ec2._ACTION_MAP["AllocateAddress"], codebuild._start_build
        addresses, builds = self._quotas[ADDRESSES], self._quotas[BUILDS]

        def allocated(asked: Any) -> Any:
            if len(ec2._addresses) >= addresses:
                return ec2._error("AddressLimitExceeded", "The maximum number of addresses has been reached.", 400)
            return allocate(asked)

        def started(asked: Any) -> Any:
            running = [each for each in codebuild._builds.values() if each["buildStatus"] == "IN_PROGRESS"]
            if len(running) >= builds:
                text = f"Cannot have more than {builds} builds in queue for the account"
                return codebuild.error_response_json("AccountLimitExceededException", text, 400)
            return start(asked)

        ec2._ACTION_MAP["AllocateAddress"] = allocated
        codebuild._start_build = started  # type: ignore[attr-defined]  # its requests look it up when they come

    def check_vpc(self, request: Request) -> None:
        """Refuse a VPC too many; the default VPC counts."""
        if not request.previous and len(request.aws("ec2").describe_vpcs()["Vpcs"]) >= self._quotas[VPCS]:
            raise service_fault("Ec2", "The maximum number of VPCs has been reached.", code="GeneralServiceException")

    def check_nodegroup(self, request: Request) -> None:
        """Refuse nodes whose vCPUs the account may not run, on demand and as spot instances each for itself."""
        wanted = request.properties
        spot = wanted.get("CapacityType") == "SPOT"
        allowed = self._quotas[SPOT_VCPUS if spot else VCPUS]
        others = [
            group
            for group in self._groups()
            if (group["capacityType"] == "SPOT") is spot
            and (group["clusterName"], group["nodegroupName"]) != (wanted["ClusterName"], request.physical_id)
        ]
        used = sum(_vcpus(group["instanceTypes"], group["scalingConfig"]["desiredSize"]) for group in others)
        desired = wanted.get("ScalingConfig", {}).get("DesiredSize", 1)
        if used + _vcpus(wanted.get("InstanceTypes", []), desired) <= allowed:
            return
        how, error = ("Spot", "MaxSpotInstanceCountExceeded") if spot else ("On-Demand", "VcpuLimitExceeded")
        reason = (
            "Max spot instance count exceeded"
            if spot
            else f"You have requested more vCPU capacity than your current vCPU limit of {allowed} allows for the "
            "instance bucket that the specified instance type belongs to. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit"
        )
        raise invalid_request(
            f"[Issue(Code=AsgInstanceLaunchFailures, Message=Could not launch {how} Instances. {error} - {reason}. "
            "Launching EC2 instance failed.)] (Service: null, Status Code: 0, Request ID: null)",
            code="GeneralServiceException",
        )


def _vcpus(types: Iterable[str], nodes: int | str) -> int:
    return int(nodes) * max((INSTANCE_TYPES[name].vcpu for name in types if name in INSTANCE_TYPES), default=0)
