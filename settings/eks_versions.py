"""EKS versions: until when AWS supports them, and which add-on versions belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

VPC_CNI = "vpc-cni"
COREDNS = "coredns"
KUBE_PROXY = "kube-proxy"
EBS_CSI_DRIVER = "aws-ebs-csi-driver"
METRICS_SERVER = "metrics-server"

ADDONS = (VPC_CNI, KUBE_PROXY, COREDNS, EBS_CSI_DRIVER, METRICS_SERVER)
"""Every add-on that a cluster gets, in the order in which they are installed."""

EXTERNAL_SECRETS_CHART = "2.14.0"
"""Version of the External Secrets Operator and of its chart, for every Kubernetes version.

Its makers support their newest minor version only and test it on the newest Kubernetes (2.9 on 1.36); for older ones no
other is supported: https://external-secrets.io/latest/introduction/stability-support/. 2.14.0 is the newest
(https://gitlab.com/sylva-projects/sylva-core/-/merge_requests/9896, November 2026). Our values were read in the chart
of 2.9.0. 0.20.4 ended in November 2025 and has CVE-2026-22822.
"""


@dataclass(frozen=True)
class EksVersion:
    """A Kubernetes version on EKS.

    Source of the dates: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
    """

    standard_support_ends: date
    extended_support_ends: date
    addons: dict[str, str]
    """Add-on name to its pinned version (``v1.2.3-eksbuild.4``)."""


# AWS publishes no page with all add-on builds; the list of an account is
#   aws eks describe-addon-versions --kubernetes-version 1.36 --addon-name coredns
# These builds were in use on clusters of the same version in public repositories, most with the output of that command
# (2026-07 to 2026-11). Not verified against an account: a build that AWS has withdrawn fails the Eks stack with
# "Addon version specified is not supported", and is replaced here.
EKS_VERSIONS: dict[str, EksVersion] = {
    "1.33": EksVersion(
        standard_support_ends=date(2026, 7, 29),
        extended_support_ends=date(2027, 7, 29),
        addons={
            VPC_CNI: "v1.22.4-eksbuild.3",
            KUBE_PROXY: "v1.33.10-eksbuild.18",
            COREDNS: "v1.13.2-eksbuild.11",
            EBS_CSI_DRIVER: "v1.63.1-eksbuild.1",
            METRICS_SERVER: "v0.8.1-eksbuild.14",
        },
    ),
    "1.34": EksVersion(
        standard_support_ends=date(2026, 12, 2),
        extended_support_ends=date(2027, 12, 2),
        addons={
            VPC_CNI: "v1.23.1-eksbuild.1",
            KUBE_PROXY: "v1.34.6-eksbuild.25",
            COREDNS: "v1.13.2-eksbuild.24",
            EBS_CSI_DRIVER: "v1.65.0-eksbuild.2",
            METRICS_SERVER: "v0.9.0-eksbuild.5",
        },
    ),
    "1.35": EksVersion(
        standard_support_ends=date(2027, 3, 27),
        extended_support_ends=date(2028, 3, 27),
        addons={
            VPC_CNI: "v1.23.2-eksbuild.1",
            KUBE_PROXY: "v1.35.3-eksbuild.29",
            COREDNS: "v1.14.6-eksbuild.4",
            EBS_CSI_DRIVER: "v1.66.0-eksbuild.1",
            METRICS_SERVER: "v0.9.0-eksbuild.5",
        },
    ),
    "1.36": EksVersion(
        # 14 months after the release on EKS; the exact day was not found in a stored copy of AWS's calendar.
        standard_support_ends=date(2027, 8, 2),
        extended_support_ends=date(2028, 8, 2),
        addons={
            VPC_CNI: "v1.23.2-eksbuild.1",
            KUBE_PROXY: "v1.36.0-eksbuild.45",
            COREDNS: "v1.14.7-eksbuild.11",
            EBS_CSI_DRIVER: "v1.66.0-eksbuild.1",
            METRICS_SERVER: "v0.9.0-eksbuild.11",
        },
    ),
}

DEFAULT_EKS_VERSION = "1.36"
"""What an environment gets that names no version."""
