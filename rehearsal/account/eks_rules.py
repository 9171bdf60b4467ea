"""EKS's own rules for clusters and node groups that neither a schema nor the settings hold.

What the settings refuse, such as a size or an image that does not fit an instance type, never gets here.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from rehearsal.account.base import Request
from rehearsal.account.identity import require_role
from rehearsal.account.kafka_rules import require_key
from rehearsal.account.network import require_security_groups, require_subnets
from rehearsal.account.refusals import ResourceError, service_fault

# https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (standard and extended support)
KUBERNETES_VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
# ARN of a cluster -> the version that it was last upgraded from: that one alone EKS goes back to. It does so for seven
# days, and no account lives here for as long. https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html
_UPGRADED_FROM: dict[str, str] = {}
HALF_ROLLED: dict[str, str] = {}
"""Node group -> the version of its newest nodes, where not all of them could be replaced."""


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
    for entry in wanted.get("EncryptionConfig", []):
        require_key(request, entry["Provider"]["KeyArn"])
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
        _check_version_change(request, cluster, version)


def _check_version_change(request: Request, cluster: dict[str, Any], version: str) -> None:
    arn, current = cluster["arn"], cluster["version"]
    oldest, newest = _nodes(request, cluster["name"])
    if _UPGRADED_FROM.get(arn) == version and all(_minor(node) <= _minor(version) for node in newest.values()):
        del _UPGRADED_FROM[arn]
    elif _minor(version) != _minor(current) + 1:
        # Nor does it go back under nodes that are newer: https://github.com/aws/containers-roadmap/issues/497
        raise service_fault("Eks", f"Unsupported Kubernetes minor version update from {current} to {version}")
    elif behind := sorted(name for name, node in oldest.items() if node != current):
        # https://github.com/hashicorp/terraform-provider-aws/issues/19478
        raise service_fault(
            "Eks",
            f"Nodegroups {', '.join(behind)} must be updated to match cluster version {current} before updating "
            "cluster version",
        )
    else:
        _UPGRADED_FROM[arn] = current


def _nodes(request: Request, cluster: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the version of each node group of a cluster, and that of its newest nodes."""
    eks = request.aws("eks")
    names = eks.list_nodegroups(clusterName=cluster)["nodegroups"]
    found = {
        name: eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]["version"] for name in names
    }
    return found, {name: HALF_ROLLED.get(name, version) for name, version in found.items()}


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


# What one call of EKS's changes, and what another one does.
_NODES = ("Version", "ReleaseVersion", "LaunchTemplate")
_CONFIGURATION = ("ScalingConfig", "Labels", "Taints", "UpdateConfig", "NodeRepairConfig", "Tags")


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
    version = tuple(int(part) for part in str(wanted.get("Version", cluster["version"])).split("."))
    if version > tuple(int(part) for part in cluster["version"].split(".")):
        raise service_fault("Eks", f"Requested Nodegroup version {wanted['Version']} is newer than the cluster's.")
    # https://github.com/aws/aws-cdk/issues/16644, https://github.com/aws/containers-roadmap/issues/1258
    if request.previous and all(
        any(request.previous.get(key) != wanted.get(key) for key in kind) for kind in (_NODES, _CONFIGURATION)
    ):
        raise service_fault("Eks", "Version and ReleaseVersion updates cannot be combined with other updates")
