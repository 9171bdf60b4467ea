"""The EKS control plane: cluster, encryption key, logs, access entries and the kubectl provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy
from milvus_constructs.checks.cdk_providers import acknowledge_kubectl_provider
from milvus_constructs.cluster.control_plane_logs import ControlPlaneLogs
from milvus_constructs.cluster.irsa_role import ServiceAccounts
from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.logs import retention
from milvus_constructs.removal import RemovalSetting, removal_policy
from milvus_constructs.tree import child
from settings.cluster import Cluster

_LOG_DAYS = 90
_FUNCTION_LOG_DAYS = 30
_CLUSTER_POLICY = "AmazonEKSClusterPolicy"
_LOG_TYPES = {
    "api": eks.ClusterLoggingTypes.API,
    "audit": eks.ClusterLoggingTypes.AUDIT,
    "authenticator": eks.ClusterLoggingTypes.AUTHENTICATOR,
    "controllerManager": eks.ClusterLoggingTypes.CONTROLLER_MANAGER,
    "scheduler": eks.ClusterLoggingTypes.SCHEDULER,
}


class EksCluster(Construct):
    """An EKS control plane in private subnets, without nodes and without add-ons.

    Provisions the cluster under a name of its own, a key for Kubernetes secrets, the log group of the control plane, an
    access entry for each administrator role and the Lambda functions with which CDK runs kubectl and helm. It costs
    money by the hour. The name, the key and the list of bootstrapped add-ons cannot be changed later: CloudFormation
    refuses to replace a cluster with a fixed name, which is what a cluster with data on its volumes needs. The private
    endpoint admits HTTPS from ``client_cidrs`` and the nodes, and nobody else. EKS's own deletion protection is off,
    since a deployment that fails has to be able to take the cluster back: `DeletionProtection` switches it on when all
    stands.

    Example:
        >>> EksCluster(stack, "Cluster", name="milvus-dev", settings=env.cluster, vpc=vpc, subnets=private,
        ...     client_cidrs=env.network.cidrs, removal="destroy")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: Cluster,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        client_cidrs: Sequence[str],
        removal: RemovalSetting,
    ) -> None:
        super().__init__(scope, construct_id)
        self.secrets_key = EncryptionKey(
            self, "SecretsKey", description=f"Kubernetes secrets of the EKS cluster {name}", removal=removal
        )
        self.function_logs = logs.LogGroup(
            self,
            "FunctionLogs",
            retention=retention(_FUNCTION_LOG_DAYS),
            removal_policy=removal_policy(removal),
        )
        """Where functions that look after the cluster write."""
        # EKS would make its group by itself, without an end.
        control_plane_logs = ControlPlaneLogs(
            self,
            # Not the id that a log group had here: CloudFormation changes no resource into one of another type.
            "ControlPlaneLogGroup",
            cluster_name=name,
            days=_LOG_DAYS,
            removal=removal,
            log_group=self.function_logs,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("eks.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_CLUSTER_POLICY)],
        )
        self.resource = eks.Cluster(
            self,
            "Resource",
            cluster_name=name,
            version=eks.KubernetesVersion.of(settings.version),
            vpc=vpc,
            vpc_subnets=[subnets],
            role=self.role,
            endpoint_access=self._endpoint_access(settings),
            secrets_encryption_key=self.secrets_key,
            cluster_logging=[_LOG_TYPES[log] for log in settings.logging],
            # Every add-on is installed with a pinned version instead of the one that EKS would choose.
            bootstrap_self_managed_addons=False,
            # Administrators are named in the settings; whoever happens to deploy is not one of them.
            bootstrap_cluster_creator_admin_permissions=False,
            default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
            default_capacity=0,
            output_config_command=False,
            kubectl_provider_options=eks.KubectlProviderOptions(
                kubectl_layer=KubectlV36Layer(self, "KubectlLayer"),
                # Helm keeps the Milvus chart with all its subcharts in memory: more room than CDK's 1 GiB.
                memory=Size.mebibytes(1536),
            ),
        )
        # CDK's own class lacks a member of the interface in its Python types; at run time it has it.
        self.cluster = cast("eks.ICluster", self.resource)
        """The cluster, for whatever deploys to it."""
        cluster = child(self.resource, "Resource", eks.CfnCluster)
        cluster.node.add_dependency(control_plane_logs)
        # EKS refuses to delete a protected cluster in a rollback too: a first deployment that fails could neither be
        # rolled back nor repeated. Written, not left out: what a template says nothing of is nobody's.
        # https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html
        cluster.deletion_protection = False
        self._open_to([*client_cidrs, *settings.private_cidrs])
        self.service_accounts = self._service_accounts()
        """Who vouches for service accounts; usable in other stacks."""
        self._admit(settings.admin_role_arns)
        acknowledge(self.role, {managed_policy(_CLUSTER_POLICY): "EKS demands this policy on the role of a cluster"})
        acknowledge_kubectl_provider(self.resource)
        if not isinstance(vpc, ec2.Vpc):
            why = "an existing VPC is not ours to tag: the load balancers name their subnets themselves"
            acknowledge(self.resource, {"Annotation::@aws-cdk/aws-eks:clusterMustManuallyTagSubnet": why})

    @property
    def kubeconfig_command(self) -> str:
        """Return the command that writes a kubeconfig for this cluster."""
        return f"aws eks update-kubeconfig --name {self.cluster.cluster_name} --region {Stack.of(self).region}"

    def _open_to(self, cidrs: Sequence[str]) -> None:
        """Admit clients to the private endpoint.

        Through the group that only the control plane carries: the cluster's own group is on every node too.
        https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html#private-access
        """
        group = child(self.resource, "ControlPlaneSecurityGroup", ec2.SecurityGroup)
        for cidr in cidrs:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "Kubernetes API")

    def _service_accounts(self) -> ServiceAccounts:
        provider = self.cluster.open_id_connect_provider
        # IAM only knows the provider's ARN, and the issuer has to be cut out of it. A stack that did so with the value
        # of another stack would put one intrinsic function into another that need not accept it (cfn-lint E1022).
        issuer = ssm.StringParameter(
            self,
            "OidcIssuer",
            description=f"Issuer of the service accounts of the EKS cluster {self.resource.cluster_name}",
            string_value=provider.open_id_connect_provider_issuer,
        )
        return ServiceAccounts(provider.open_id_connect_provider_arn, issuer.string_value)

    @staticmethod
    def _endpoint_access(settings: Cluster) -> eks.EndpointAccess:
        if settings.endpoint == "private":
            return eks.EndpointAccess.PRIVATE
        return eks.EndpointAccess.PUBLIC_AND_PRIVATE.only_from(*settings.public_cidrs)

    def _admit(self, role_arns: Sequence[str]) -> None:
        policy = eks.AccessPolicy.from_access_policy_name(
            "AmazonEKSClusterAdminPolicy", access_scope_type=eks.AccessScopeType.CLUSTER
        )
        for arn in role_arns:
            # The id is the role, so that another order in the file replaces nothing.
            _, _, _, _, account, role = arn.split(":")
            self.resource.grant_access(f"Admin-{account}-{role.replace('/', '-')}", arn, [policy])
