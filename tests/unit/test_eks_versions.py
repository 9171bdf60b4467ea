from __future__ import annotations

import re

import pytest

from settings.eks_versions import ADDONS, EKS_VERSIONS, KUBE_PROXY


def test_add_ons_are_those_of_eks_in_the_order_in_which_a_cluster_needs_them() -> None:
    # https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
    assert ADDONS == ("vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver", "metrics-server")


@pytest.mark.parametrize("version", EKS_VERSIONS)
def test_every_add_on_is_pinned_to_a_build(version: str) -> None:
    addons = EKS_VERSIONS[version].addons
    assert set(addons) == set(ADDONS)
    for build in addons.values():
        assert re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", build)


@pytest.mark.parametrize("version", EKS_VERSIONS)
def test_kube_proxy_is_of_the_cluster_s_own_minor_version(version: str) -> None:
    # https://kubernetes.io/releases/version-skew-policy/: never newer than the API server
    assert EKS_VERSIONS[version].addons[KUBE_PROXY].startswith(f"v{version}.")


@pytest.mark.parametrize("version", EKS_VERSIONS)
def test_extended_support_lasts_a_year(version: str) -> None:
    support = EKS_VERSIONS[version]
    assert (support.extended_support_ends - support.standard_support_ends).days in {365, 366}
