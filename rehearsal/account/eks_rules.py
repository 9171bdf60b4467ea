"""EKS's own rules for clusters and node groups, which no schema holds."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.account.base import Properties, Request
from rehearsal.account.identity import require_role
from rehearsal.account.kafka_rules import require_key
from rehearsal.account.network import require_security_groups, require_subnets
from rehearsal.account.refusals import ResourceError, service_fault

# https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (standard and extended support)
KUBERNETES_VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
# From this version on EKS offers no Amazon Linux 2 image (aws-cdk#37012).
_NO_AMAZON_LINUX_2 = (1, 33)
_SPOT_OR_DEMAND = {"ON_DEMAND", "SPOT", "CAPACITY_BLOCK"}
# ARN of a cluster -> the version that it was last upgraded from: that one alone EKS goes back to. It does so for seven
# days, and no account lives here for as long. https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html
_UPGRADED_FROM: dict[str, str] = {}


def refused(error: ClientError) -> ResourceError:
    """Return what EKS answered, as a resource handler reports it."""
    return service_fault("Eks", error.response["Error"]["Message"])


def require_cluster(request: Request) -> dict[str, Any]:
    """Return the cluster that the resource belongs to; refuse where there is none."""
    name = request.properties["ClusterName"]
    try:
        cluster: dict[str, Any] = request.aws("eks").describe_cluster(name=name)["cluster"]
    except ClientError as error:
        raise service_fault("Eks", f"No cluster found for name: {name}.", status=404, code="NotFound") from error
    return cluster


def check_cluster(request: Request) -> None:
    """EKS's rules for a cluster, a new one or a changed one.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html

    Raises:
        ResourceError: The first rule that is broken.
    """
    wanted = request.properties
    require_role(request, wanted["RoleArn"], service="Eks", principal="eks.amazonaws.com")
    network = wanted["ResourcesVpcConfig"]
    subnets = require_subnets(request, network["SubnetIds"])
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        raise service_fault("Eks", "Subnets specified must be in at least two different AZs")
    require_security_groups(request, network.get("SecurityGroupIds", []))
    public, private = (str(network.get(f"Endpoint{kind}Access", default)).lower() == "true"
                       for kind, default in (("Public", True), ("Private", False)))  # fmt: skip
    if not (public or private):
        raise service_fault("Eks", "Private and public endpoint access cannot both be disabled.")
    for entry in wanted.get("EncryptionConfig", []):
        if entry.get("Resources") != ["secrets"]:
            raise service_fault("Eks", "Invalid encryption config: resources must be [secrets]")
        require_key(request, entry["Provider"]["KeyArn"])
    _check_auto_mode(wanted)
    _check_version(request)


def _check_version(request: Request) -> None:
    """Check the version: a known one; for a cluster that exists the next one, or the one that it was upgraded from."""
    version = str(request.properties.get("Version", KUBERNETES_VERSIONS[-1]))
    cluster: dict[str, Any] = {}
    if request.previous:
        cluster = request.aws("eks").describe_cluster(name=request.physical_id)["cluster"]
        if "Version" not in request.properties or version == cluster["version"]:
            return
    if version not in KUBERNETES_VERSIONS:
        raise service_fault("Eks", f"unsupported Kubernetes version {version}")
    if cluster:
        _check_version_change(cluster, version)


def _check_version_change(cluster: dict[str, Any], version: str) -> None:
    arn, current = cluster["arn"], cluster["version"]
    if _UPGRADED_FROM.get(arn) == version:
        del _UPGRADED_FROM[arn]
    elif _minor(version) == _minor(current) + 1:
        _UPGRADED_FROM[arn] = current
    else:
        raise service_fault("Eks", f"Unsupported Kubernetes minor version update from {current} to {version}")


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _check_auto_mode(wanted: Properties) -> None:
    switches = {
        str((wanted.get("ComputeConfig") or {}).get("Enabled", False)).lower(),
        str(((wanted.get("StorageConfig") or {}).get("BlockStorage") or {}).get("Enabled", False)).lower(),
        str(
            ((wanted.get("KubernetesNetworkConfig") or {}).get("ElasticLoadBalancing") or {}).get("Enabled", False)
        ).lower(),
    }
    if len(switches) > 1:
        raise service_fault(
            "Eks",
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
            "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
        )


def architecture(instance_type: str) -> str:
    """``arm64`` or ``x86_64``: AWS marks Graviton with a g after the generation (m7g, r8gd, t4g)."""
    match = re.fullmatch(r"([a-z]+)(\d+)([a-z-]*)\.[\w-]+", instance_type)
    if match is None:
        raise service_fault("Eks", f"The following supplied instance types do not exist: [{instance_type}]")
    return "arm64" if "g" in match.group(3) or match.group(1) == "a" else "x86_64"


def check_nodegroup(request: Request) -> None:
    """EKS's rules for a managed node group, a new one or a changed one.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html

    Raises:
        ResourceError: The first rule that is broken.
    """
    wanted = request.properties
    cluster = require_cluster(request)
    require_subnets(request, wanted["Subnets"])
    require_role(request, wanted["NodeRole"], service="Eks", principal="ec2.amazonaws.com")
    image = wanted.get("AmiType", "AL2023_x86_64_STANDARD")
    version = tuple(int(part) for part in str(wanted.get("Version", cluster["version"])).split("."))
    if version > tuple(int(part) for part in cluster["version"].split(".")):
        raise service_fault("Eks", f"Requested Nodegroup version {wanted['Version']} is newer than the cluster's.")
    if image.startswith("AL2_") and version >= _NO_AMAZON_LINUX_2:
        raise service_fault("Eks", f"AMI Type {image} is only supported for kubernetes versions 1.32 or earlier")
    expected = "arm64" if "ARM" in image.upper() else "x86_64"
    for instance_type in wanted.get("InstanceTypes", []):
        if image != "CUSTOM" and architecture(instance_type) != expected:
            raise service_fault("Eks", f"[{instance_type}] is not a valid instance type for requested amiType {image}")
    scaling = {key: int(value) for key, value in (wanted.get("ScalingConfig") or {}).items()}
    low, want, high = (scaling.get(key, 1) for key in ("MinSize", "DesiredSize", "MaxSize"))
    if scaling and not low <= want <= high:
        raise service_fault("Eks", f"desired capacity {want} must lie between minimum {low} and maximum {high}")
    if wanted.get("CapacityType", "ON_DEMAND") not in _SPOT_OR_DEMAND:
        raise service_fault("Eks", f"Invalid capacity type {wanted['CapacityType']}")
    if wanted.get("LaunchTemplate"):
        _check_launch_template(request, wanted)


def _check_launch_template(request: Request, wanted: Properties) -> None:
    if "DiskSize" in wanted:
        raise service_fault("Eks", "Disk size must be specified within the launch template.")
    template = wanted["LaunchTemplate"]
    chosen = (
        {"LaunchTemplateId": template["Id"]} if template.get("Id") else {"LaunchTemplateName": template.get("Name")}
    )
    try:
        versions = request.aws("ec2").describe_launch_template_versions(**chosen)["LaunchTemplateVersions"]
    except ClientError as error:
        raise refused(error) from error
    data = versions[-1]["LaunchTemplateData"]
    if data.get("InstanceType") and wanted.get("InstanceTypes"):
        raise service_fault(
            "Eks", "Instance types must be specified either in the node group or in the launch template."
        )
    for forbidden in (
        "IamInstanceProfile",
        "NetworkInterfaces.SubnetId",
        "InstanceMarketOptions",
        "HibernationOptions",
    ):
        if data.get(forbidden.partition(".")[0]) and "." not in forbidden:
            raise service_fault("Eks", f"Launch template must not specify {forbidden}.")
