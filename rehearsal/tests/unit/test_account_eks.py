"""EKS's rules: versions, architectures, roles, add-ons, access entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.account import evictions
from rehearsal.account.base import Request
from rehearsal.account.eks import HANDLERS
from rehearsal.account.eks_rules import KUBERNETES_VERSIONS, check_cluster, check_nodegroup
from rehearsal.account.refusals import ResourceError

_ROLE = "arn:aws:iam::111122223333:role/made-up"


def _missing(**_: object) -> None:
    raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "Describe")


def _account(*, zones: str, mode: str, trusted: str, cluster: bool) -> dict[str, Any]:
    def subnets(SubnetIds: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
        pairs = zip(SubnetIds, zones, strict=False)
        return {"Subnets": [{"SubnetId": name, "AvailabilityZone": zone} for name, zone in pairs]}

    described = {"cluster": {"version": "1.36", "accessConfig": {"authenticationMode": mode}}}
    return {
        "ec2": SimpleNamespace(describe_subnets=subnets),
        "iam": SimpleNamespace(get_role=lambda **_: {"Role": {"AssumeRolePolicyDocument": trusted}}),
        "eks": SimpleNamespace(
            describe_cluster=(lambda **_: described) if cluster else _missing,
            create_addon=lambda **_: {"addon": {"addonArn": "arn:addon"}},
            create_access_entry=lambda **_: {"accessEntry": {"accessEntryArn": "arn:entry"}},
            associate_access_policy=lambda **_: {},
        ),
    }


def _request(
    properties: dict[str, Any],
    *,
    zones: str = "ab",
    mode: str = "API",
    trusted: str = "eks.amazonaws.com ec2.amazonaws.com",
    cluster: bool = True,
) -> Request:
    account = _account(zones=zones, mode=mode, trusted=trusted, cluster=cluster)
    return Request(type_name="T", logical_id="L", stack="s", properties=properties, aws=lambda name: account[name])


def _cluster(**change: Any) -> dict[str, Any]:
    return {"Version": "1.36", "RoleArn": _ROLE, "ResourcesVpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"]}} | change


def _group(**change: Any) -> dict[str, Any]:
    return {
        "ClusterName": "milvus",
        "NodeRole": _ROLE,
        "Subnets": ["subnet-1"],
        "AmiType": "AL2023_ARM_64_STANDARD",
        "InstanceTypes": ["m7g.xlarge"],
        "ScalingConfig": {"MinSize": 1, "DesiredSize": 2, "MaxSize": 3},
    } | change


def test_a_sound_cluster_and_node_group_are_accepted() -> None:
    check_cluster(_request(_cluster()))
    check_nodegroup(_request(_group()))


def test_a_version_that_eks_no_longer_creates_is_refused() -> None:
    with pytest.raises(ResourceError, match=r"unsupported Kubernetes version 1\.26"):
        check_cluster(_request(_cluster(Version="1.26")))


def test_a_cluster_is_left_alone_whose_version_does_not_change() -> None:
    # GIVEN a cluster of a version that EKS creates no more
    request = replace(_request(_cluster(Version="1.26")), previous=_cluster(Version="1.26"), physical_id="milvus")
    described = {"cluster": {"arn": "arn:cluster", "version": "1.26"}}
    aws = _account(zones="ab", mode="API", trusted="eks.amazonaws.com", cluster=True)
    aws["eks"] = SimpleNamespace(describe_cluster=lambda **_: described)
    # WHEN something else of it changes, THEN its version is no reason to refuse that
    assert "1.26" not in KUBERNETES_VERSIONS
    check_cluster(replace(request, aws=aws.__getitem__))


def _upgrade(arn: str, current: str, wanted: str, **groups: str) -> Request:
    """Return a change of a cluster's version, whose node groups have these versions."""
    aws = _account(zones="ab", mode="API", trusted="eks.amazonaws.com", cluster=True)
    described = {"cluster": {"arn": arn, "name": "milvus", "version": current}}
    aws["eks"] = SimpleNamespace(
        describe_cluster=lambda **_: described,
        list_nodegroups=lambda **_: {"nodegroups": list(groups)},
        describe_nodegroup=lambda nodegroupName, **_: {"nodegroup": {"version": groups[nodegroupName]}},  # noqa: N803 - boto3's
    )
    request = replace(_request(_cluster(Version=wanted)), previous=_cluster(Version=current), physical_id="milvus")
    return replace(request, aws=aws.__getitem__)


def test_a_cluster_goes_up_only_when_its_node_groups_have_its_version() -> None:
    check_cluster(_upgrade("arn:same", "1.34", "1.35", main="1.34"))
    with pytest.raises(ResourceError, match=r"Nodegroups old must be updated to match cluster version 1\.34 before"):
        check_cluster(_upgrade("arn:behind", "1.34", "1.35", main="1.34", old="1.33"))


def test_a_cluster_goes_back_only_where_no_node_is_newer(tmp_path: Path) -> None:
    # GIVEN a cluster that was upgraded, with a node group whose nodes were half replaced when the pods were stuck
    check_cluster(_upgrade("arn:back", "1.34", "1.35", stuck="1.34"))
    labels = {"Labels": {"node-group": "milvus"}}
    nodes = _request(_group(**labels, Version="1.35"))
    nodes = replace(nodes, previous=_group(**labels, Version="1.34"), physical_id="milvus/stuck")
    (tmp_path / evictions.FILE).write_text("milvus\n", encoding="utf-8")
    held = evictions.Evictions(tmp_path)
    with pytest.raises(ResourceError, match=r"PodEvictionFailure.* in node group milvus"):
        held.check_nodegroup(nodes)
    # THEN it does not go back, nor where one was replaced as a whole
    for groups in ({"stuck": "1.34"}, {"new": "1.35"}):
        with pytest.raises(ResourceError, match=r"Unsupported Kubernetes minor version update from 1\.35 to 1\.34"):
            check_cluster(_upgrade("arn:back", "1.35", "1.34", **groups))
    # WHEN the pods let themselves be moved, THEN it does
    (tmp_path / evictions.FILE).unlink()
    held.check_nodegroup(replace(nodes, previous=nodes.properties, properties=nodes.previous))
    check_cluster(_upgrade("arn:back", "1.35", "1.34", stuck="1.34"))


def test_size_of_a_node_group_changes_whatever_its_pods_do(tmp_path: Path) -> None:
    (tmp_path / evictions.FILE).write_text("milvus\n", encoding="utf-8")
    nodes = _request(_group(ScalingConfig={"MinSize": 1, "DesiredSize": 3, "MaxSize": 3}))
    evictions.Evictions(tmp_path).check_nodegroup(replace(nodes, previous=_group(), physical_id="milvus/stuck"))


def test_a_cluster_needs_two_zones() -> None:
    with pytest.raises(ResourceError, match="at least two different AZs"):
        check_cluster(_request(_cluster(), zones="aa"))


def test_a_cluster_role_must_trust_eks() -> None:
    with pytest.raises(ResourceError, match="the trusted entity is not correct"):
        check_cluster(_request(_cluster(), trusted="lambda.amazonaws.com"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Version": "1.37"}, "newer than the cluster's"),
        ({"NodeRole": "made-up"}, "Invalid role ARN: made-up"),
    ],
)
def test_a_node_group_that_eks_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        check_nodegroup(_request(_group(**change)))


_ADDON = {"ClusterName": "milvus", "AddonName": "vpc-cni", "AddonVersion": "v1.20.0-eksbuild.1"}


def test_ref_of_an_addon_is_cluster_and_name() -> None:
    assert HANDLERS["AWS::EKS::Addon"].create(_request(_ADDON)).physical_id == "milvus|vpc-cni"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AddonVersion": "1.20"}, "Addon version specified is not supported: 1.20"),
        ({"AddonName": "kube-proxy", "AddonVersion": "v1.37.1-eksbuild.1"}, "not supported: v1.37.1-eksbuild.1"),
        ({"AddonName": "vpc-cnn"}, "Addon vpc-cnn specified is not supported"),
        ({"ConfigurationValues": "{"}, "not JSON"),
        ({"ServiceAccountRoleArn": _ROLE}, "the trusted entity is not correct"),
    ],
)
def test_an_addon_that_eks_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        HANDLERS["AWS::EKS::Addon"].create(_request(_ADDON | change))


def test_an_addon_of_no_cluster_is_refused() -> None:
    with pytest.raises(ResourceError, match=r"No cluster found for name: milvus\."):
        HANDLERS["AWS::EKS::Addon"].create(_request(_ADDON, cluster=False))


def _entry(**change: Any) -> dict[str, Any]:
    policy = {
        "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        "AccessScope": {"Type": "cluster"},
    }
    return {"ClusterName": "milvus", "PrincipalArn": _ROLE, "AccessPolicies": [policy]} | change


def test_ref_of_an_access_entry_is_principal_and_cluster() -> None:
    assert HANDLERS["AWS::EKS::AccessEntry"].create(_request(_entry())).physical_id == f"{_ROLE}|milvus"


def test_an_access_entry_needs_the_api_mode() -> None:
    with pytest.raises(ResourceError, match=r"authentication mode must be set to one of \[API"):
        HANDLERS["AWS::EKS::AccessEntry"].create(_request(_entry(), mode="CONFIG_MAP"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PrincipalArn": "someone"}, "principalArn is invalid"),
        (
            {"AccessPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/Admin", "AccessScope": {"Type": "cluster"}}]},
            "policyArn is invalid",
        ),
        (
            {
                "AccessPolicies": [
                    {
                        "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
                        "AccessScope": {"Type": "namespace"},
                    }
                ]
            },
            "Namespaces must be given",
        ),
    ],
)
def test_an_access_entry_that_eks_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ResourceError, match=message):
        HANDLERS["AWS::EKS::AccessEntry"].create(_request(_entry(**change)))
