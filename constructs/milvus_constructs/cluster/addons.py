"""The EKS add-ons of a cluster, each version-pinned, with roles of their own where they call AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy
from milvus_constructs.cluster.irsa_role import IrsaRole, ServiceAccounts
from milvus_constructs.encryption_key import through
from settings.eks_versions import COREDNS, EBS_CSI_DRIVER, EKS_VERSIONS, KUBE_PROXY, METRICS_SERVER, VPC_CNI


class EksAddon(Construct):
    """One EKS add-on in the version that belongs to the cluster's Kubernetes version.

    Fields that somebody changed by hand are overwritten: what the settings say is what runs.

    Example:
        >>> EksAddon(stack, "CoreDns", cluster=cluster, kubernetes_version="1.36", name="coredns")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.ICluster,
        kubernetes_version: str,
        name: str,
        role_arn: str | None = None,
        configuration: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = eks.CfnAddon(
            self,
            "Resource",
            cluster_name=cluster.cluster_name,
            addon_name=name,
            addon_version=EKS_VERSIONS[kubernetes_version].addons[name],
            resolve_conflicts="OVERWRITE",
            preserve_on_delete=False,
            service_account_role_arn=role_arn,
            configuration_values=Stack.of(self).to_json_string(configuration) if configuration else None,
        )


class NetworkAddons(Construct):
    """What a node needs before it can become ready: the VPC CNI with network policies, and kube-proxy.

    Both run on every node as DaemonSets, so EKS calls them active while there is no node yet. The VPC CNI has its own
    role, and the nodes' role therefore none of its permissions.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: eks.ICluster, kubernetes_version: str) -> None:
        super().__init__(scope, construct_id)
        role = _addon_role(
            self,
            "CniRole",
            cluster=cluster,
            service_account="aws-node",
            policy="AmazonEKS_CNI_Policy",
            description="VPC CNI: network interfaces and addresses of pods",
        )
        EksAddon(
            self,
            "VpcCni",
            cluster=cluster,
            kubernetes_version=kubernetes_version,
            name=VPC_CNI,
            role_arn=role.arn,
            configuration={"enableNetworkPolicy": "true"},
        )
        EksAddon(self, "KubeProxy", cluster=cluster, kubernetes_version=kubernetes_version, name=KUBE_PROXY)


class WorkloadAddons(Construct):
    """What needs nodes to run on: CoreDNS, the EBS CSI driver with its own role, and the metrics server.

    EKS reports them healthy only when their pods run, so they depend on the node groups.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.ICluster,
        kubernetes_version: str,
        volume_key_arn: str | None,
        after: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        role = _addon_role(
            self,
            "EbsCsiRole",
            cluster=cluster,
            service_account="ebs-csi-controller-sa",
            # Its first version may act on every volume of the account; this one on those that the driver made.
            # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicyV2.html
            policy="AmazonEBSCSIDriverPolicyV2",
            description="EBS CSI driver: volumes of pods",
        )
        if volume_key_arn:
            _grant_volumes(role.role, volume_key_arn)
        self.coredns = EksAddon(self, "CoreDns", cluster=cluster, kubernetes_version=kubernetes_version, name=COREDNS)
        self.ebs_csi_driver = EksAddon(
            self,
            "EbsCsiDriver",
            cluster=cluster,
            kubernetes_version=kubernetes_version,
            name=EBS_CSI_DRIVER,
            role_arn=role.arn,
        )
        self.metrics_server = EksAddon(
            self, "MetricsServer", cluster=cluster, kubernetes_version=kubernetes_version, name=METRICS_SERVER
        )
        for addon in (self.coredns, self.ebs_csi_driver, self.metrics_server):
            addon.node.add_dependency(after)


def _grant_volumes(role: iam.Role, key_arn: str) -> None:
    """Let the driver encrypt volumes with a key of the account, by EC2 and for its resources alone.

    Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    by_ec2: dict[str, dict[str, Any]] = {"StringEquals": dict(through(role, "ec2"))}
    use = ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"]
    for_volumes: dict[str, dict[str, Any]] = {**by_ec2, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    statements: dict[tuple[str, ...], Mapping[str, Mapping[str, Any]]] = {
        tuple(f"kms:{action}" for action in use): by_ec2,
        ("kms:CreateGrant",): for_volumes,
    }
    for actions, conditions in statements.items():
        iam.Grant.add_to_principal(grantee=role, actions=list(actions), resource_arns=[key_arn], conditions=conditions)


def _addon_role(
    scope: Construct, construct_id: str, *, cluster: eks.ICluster, service_account: str, policy: str, description: str
) -> IrsaRole:
    provider = cluster.open_id_connect_provider
    irsa = IrsaRole(
        scope,
        construct_id,
        identities=ServiceAccounts(provider.open_id_connect_provider_arn, provider.open_id_connect_provider_issuer),
        namespace="kube-system",
        service_account=service_account,
        description=description,
    )
    irsa.role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(policy))
    why = f"AWS maintains this policy for exactly this add-on, and only {service_account} can assume the role"
    acknowledge(irsa.role, {managed_policy(policy): why})
    return irsa
