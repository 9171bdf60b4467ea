"""The bare peer of prod: the same resources by plain AWS CDK and cdk8s, with their defaults.

Nothing of this project, no settings, no checks, no cdk8s-plus-27. It is measured, never deployed. `make bench-synth`
says where its resources are no longer those of prod.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import cdk8s
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from aws_cdk import custom_resources as cr
from aws_cdk.lambda_layer_awscli import AwsCliLayer
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import Construct

_PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
# Functions as long as those of prod cannot stand inside a template.
_CODE = str(Path(__file__).with_name("function"))


class _Guarded(cdk.Stack):
    """A stack whose updates a function judges."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        function = _function(self, "Guard", logs.LogGroup(self, "GuardLogs"))
        function.add_to_role_policy(iam.PolicyStatement(actions=["*"], resources=[self.stack_id]))
        cdk.CustomResource(self, "Guarded", resource_type="Custom::ChangeGuard", service_token=function.function_arn)


class Network(_Guarded):
    """A VPC in three zones with flow logs and endpoints."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=[f"{cdk.Aws.REGION}{zone}" for zone in "abc"],
            restrict_default_security_group=True,
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        self.vpc.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(logs.LogGroup(self, "FlowLogGroup"))
        )
        logs.LogGroup(self, "ProviderLogs")
        group = ec2.SecurityGroup(self, "Endpoints", vpc=self.vpc)
        for name in ("ECR", "ECR_DOCKER", "STS", "CLOUDWATCH_LOGS", "SECRETS_MANAGER", "KMS"):
            service = getattr(ec2.InterfaceVpcEndpointAwsService, name)
            self.vpc.add_interface_endpoint(name, service=service, security_groups=[group])


class Storage(_Guarded):
    """Two encrypted buckets."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        self.data, self.backup = (
            s3.Bucket(self, name, encryption=s3.BucketEncryption.KMS, enforce_ssl=True, versioned=True)
            for name in ("Data", "Backup")
        )


class Streaming(_Guarded):
    """MSK, its user, and the custom resources around it."""

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.Vpc, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        key = kms.Key(self, "Key")
        self.group = ec2.SecurityGroup(self, "Brokers", vpc=vpc)
        log_group = logs.LogGroup(self, "BrokerLogs")
        configuration = msk.CfnConfiguration(self, "Configuration", name="peer", server_properties="num.partitions=1\n")
        cluster = msk.CfnCluster(
            self,
            "Cluster",
            cluster_name="peer",
            kafka_version="3.9.x.kraft",
            number_of_broker_nodes=3,
            broker_node_group_info={
                "instanceType": "kafka.m7g.large",
                "clientSubnets": vpc.select_subnets(subnet_type=_PRIVATE.subnet_type).subnet_ids,
                "securityGroups": [self.group.security_group_id],
                "storageInfo": {"ebsStorageInfo": {"volumeSize": 200}},
            },
            client_authentication={"sasl": {"scram": {"enabled": True}}, "unauthenticated": {"enabled": False}},
            encryption_info={"encryptionAtRest": {"dataVolumeKmsKeyId": key.key_arn}},
            logging_info={"brokerLogs": {"cloudWatchLogs": {"enabled": True, "logGroup": log_group.log_group_name}}},
            configuration_info={"arn": configuration.attr_arn, "revision": configuration.attr_latest_revision_revision},
        )
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="kafka",
            scalable_dimension="kafka:broker-storage:VolumeSize",
            resource_id=cluster.attr_arn,
            min_capacity=1,
            max_capacity=2000,
        )
        scaling.CfnScalingPolicy(
            self, "Growth", policy_name="growth", policy_type="TargetTrackingScaling", scaling_target_id=target.ref
        )
        self.user = secretsmanager.Secret(self, "User", encryption_key=key)
        function_logs = logs.LogGroup(self, "FunctionLogs")
        _behind_function(self, "Scram", "Custom::MskScramAssociation", cluster.attr_arn, log_group=function_logs)
        self.brokers = _behind_function(
            self, "BrokerList", "Custom::MskBootstrapBrokers", cluster.attr_arn, log_group=function_logs
        ).get_att_string("BootstrapBrokerStringSaslScram")


class Eks(_Guarded):
    """The cluster with node groups, add-ons, controllers and a provider that polls."""

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.Vpc, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        own_logs = logs.LogGroup(self, "OwnLogs")
        cluster = eks.Cluster(
            self,
            "Cluster",
            version=eks.KubernetesVersion.of("1.36"),
            vpc=vpc,
            vpc_subnets=[_PRIVATE],
            secrets_encryption_key=kms.Key(self, "Key"),
            default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
            default_capacity=0,
            kubectl_provider_options=eks.KubectlProviderOptions(kubectl_layer=KubectlV36Layer(self, "Kubectl")),
        )
        # CDK's own class lacks a member of the interface in its Python types; at run time it has it.
        self.cluster = cast("eks.ICluster", cluster)
        self._issuer = cluster.cluster_open_id_connect_issuer_url
        self._provider_of_identities = cluster.open_id_connect_provider
        ssm.StringParameter(self, "Issuer", string_value=self._issuer)
        for name in ("general", "query"):
            template = ec2.CfnLaunchTemplate(
                self, f"Template-{name}", launch_template_data={"metadataOptions": {"httpTokens": "required"}}
            )
            cluster.add_nodegroup_capacity(
                name,
                instance_types=[ec2.InstanceType("m7g.2xlarge")],
                ami_type=eks.NodegroupAmiType.AL2023_ARM_64_STANDARD,
                launch_template_spec=eks.LaunchTemplateSpec(
                    id=template.ref, version=template.attr_latest_version_number
                ),
            )
        for name in ("vpc-cni", "aws-ebs-csi-driver"):
            self.web_identity(self, name)
        for name in ("vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver", "metrics-server"):
            eks.Addon(self, f"Addon-{name}", cluster=self.cluster, addon_name=name)
        eks.AlbController(self, "Alb", cluster=cluster, version=eks.AlbControllerVersion.V3_2_2)
        self.cluster.add_helm_chart(
            "ExternalSecrets", chart="external-secrets", repository="https://charts.external-secrets.io"
        )
        self.cluster.add_manifest(
            "StorageClass", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "ebs"}}
        )
        self.provider = self._provider(vpc)
        for kind in ("ControlPlaneLogs", "EksDeletionProtection"):
            _behind_function(self, f"Own{kind}", f"Custom::{kind}", self.cluster.cluster_arn, log_group=own_logs)
        cdk.CustomResource(
            self, "Gp2", resource_type="Custom::NonDefaultStorageClass", service_token=self.provider.service_token
        )
        logs.LogGroup(self, "ProviderLogs")

    def web_identity(self, scope: Construct, name: str) -> iam.Role:
        """Create a role for a service account."""
        conditions = cdk.CfnJson(
            scope, f"{name}Conditions", value={f"{self._issuer}:sub": f"system:serviceaccount:{name}"}
        )
        principal = iam.OpenIdConnectPrincipal(self._provider_of_identities, {"StringEquals": conditions})
        return iam.Role(scope, f"{name}Role", assumed_by=principal)

    def _provider(self, vpc: ec2.Vpc) -> cr.Provider:
        role = iam.Role(self, "TasksRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        eks.AccessEntry(
            self,
            "TasksEntry",
            cluster=self.cluster,
            principal=role.role_arn,
            access_policies=[
                eks.AccessPolicy.from_access_policy_name(
                    "AmazonEKSViewPolicy", access_scope_type=eks.AccessScopeType.NAMESPACE, namespaces=["milvus"]
                )
            ],
        )
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            self.cluster.add_manifest(
                f"Tasks{kind}",
                {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "tasks"}},
            )
        looks = lambda_.Function(
            self,
            "IsComplete",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_asset(_CODE),
            role=role,
            layers=[KubectlV36Layer(self, "TasksKubectl"), AwsCliLayer(self, "TasksAwsCli")],
            vpc=vpc,
            vpc_subnets=_PRIVATE,
            security_groups=[self.cluster.cluster_security_group],
        )
        return cr.Provider(
            self, "TasksProvider", on_event_handler=_function(self, "OnEvent"), is_complete_handler=looks
        )


class Milvus(_Guarded):
    """The release with its companions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: Eks,
        storage: Storage,
        streaming: Streaming,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        identity = cluster.web_identity(self, "Identity")
        iam.Policy(
            self,
            "Objects",
            roles=[identity],
            statements=[
                iam.PolicyStatement(actions=["s3:GetObject"], resources=[storage.data.arn_for_objects("milvus/*")])
            ],
        )
        root = secretsmanager.Secret(self, "Root", encryption_key=kms.Key(self, "RootKey"))
        reader = cluster.web_identity(self, "Reader")
        root.grant_read(reader)
        logs.LogGroup(self, "ProviderLogs")
        chart = cdk8s.Chart(cdk8s.App(), "milvus")
        for name, manifest in _objects(identity.role_arn, root.secret_arn).items():
            found = _api_object(chart, name, manifest)
            eks.KubernetesManifest(self, name, cluster=cluster.cluster, manifest=[found.to_json()])
        preparation = cdk.CustomResource(
            self,
            "Preparation",
            resource_type="Custom::ReleasePreparation",
            service_token=cluster.provider.service_token,
        )
        release = eks.HelmChart(
            self,
            "Release",
            cluster=cluster.cluster,
            chart="milvus",
            repository="https://zilliztech.github.io/milvus-helm",
            release="milvus",
            namespace="milvus",
            values={
                "externalS3": {"enabled": True, "bucketName": storage.data.bucket_name, "useIAM": True},
                "externalKafka": {"enabled": True, "brokerList": streaming.brokers},
                "minio": {"enabled": False},
                "pulsarv3": {"enabled": False},
                **{part: {"replicas": 2, "resources": {"limits": {"cpu": 2, "memory": "8Gi"}}} for part in _PARTS},
            },
        )
        release.node.add_dependency(preparation)
        ec2.CfnSecurityGroupIngress(
            self,
            "KafkaIngress",
            group_id=streaming.group.security_group_id,
            ip_protocol="tcp",
            from_port=9096,
            to_port=9096,
            source_security_group_id=cluster.cluster.cluster_security_group_id,
        )
        ready = cdk.CustomResource(
            self,
            "Readiness",
            resource_type="Custom::ReleaseReadiness",
            service_token=cluster.provider.service_token,
        )
        ready.node.add_dependency(release)
        address = eks.KubernetesObjectValue(
            self,
            "Address",
            cluster=cluster.cluster,
            object_type="service",
            object_name="service",
            json_path=".status.loadBalancer.ingress[0].hostname",
        )
        address.node.add_dependency(release)
        cdk.CfnOutput(self, "Endpoint", value=address.value)


_PARTS = ("mixCoordinator", "proxy", "queryNode", "streamingNode", "dataNode", "etcd")


def _objects(role_arn: str, secret_arn: str) -> dict[str, dict[str, Any]]:
    kinds: dict[str, tuple[str, Sequence[str], dict[str, Any]]] = {
        "Namespace": ("v1", ["milvus"], {}),
        "ServiceAccount": ("v1", ["identity", "reader"], {"automountServiceAccountToken": False}),
        "NetworkPolicy": (
            "networking.k8s.io/v1",
            ["deny", "milvus", "clients", "etcd"],
            {
                "spec": {
                    "podSelector": {},
                    "policyTypes": ["Ingress", "Egress"],
                    "ingress": [{"from": [{"podSelector": {}}]}],
                }
            },
        ),
        "SecretStore": ("external-secrets.io/v1", ["store"], {"spec": {"provider": {"aws": {"role": role_arn}}}}),
        "ExternalSecret": (
            "external-secrets.io/v1",
            ["kafka", "root"],
            {"spec": {"dataFrom": [{"extract": {"key": secret_arn}}]}},
        ),
        "PodDisruptionBudget": ("policy/v1", _PARTS, {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {}}}}),
        "Role": (
            "rbac.authorization.k8s.io/v1",
            ["release"],
            {"rules": [{"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get", "delete"]}]},
        ),
        "RoleBinding": (
            "rbac.authorization.k8s.io/v1",
            ["release"],
            {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "release"},
                "subjects": [{"kind": "User", "name": "tasks"}],
            },
        ),
        "Service": (
            "v1",
            ["service"],
            {"spec": {"type": "LoadBalancer", "ports": [{"port": 19530}], "selector": {"component": "proxy"}}},
        ),
    }
    return {
        f"{kind}-{name}": {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name, "namespace": "milvus"},
            **content,
        }
        for kind, (version, names, content) in kinds.items()
        for name in names
    }


def _api_object(chart: cdk8s.Chart, name: str, manifest: dict[str, Any]) -> cdk8s.ApiObject:
    metadata = cdk8s.ApiObjectMetadata(name=manifest["metadata"]["name"], namespace=manifest["metadata"]["namespace"])
    found = cdk8s.ApiObject(chart, name, api_version=manifest["apiVersion"], kind=manifest["kind"], metadata=metadata)
    for field in manifest.keys() - {"apiVersion", "kind", "metadata"}:
        found.add_json_patch(cdk8s.JsonPatch.add(f"/{field}", manifest[field]))
    return found


def _function(scope: Construct, name: str, log_group: logs.ILogGroup | None = None) -> lambda_.Function:
    return lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_asset(_CODE),
        log_group=log_group,
    )


def _behind_function(
    scope: Construct, name: str, resource_type: str, arn: str, log_group: logs.ILogGroup | None = None
) -> cdk.CustomResource:
    function = _function(scope, f"{name}Function", log_group=log_group)
    function.add_to_role_policy(iam.PolicyStatement(actions=["*"], resources=[arn]))
    provider = cr.Provider(scope, f"{name}Provider", on_event_handler=function, log_group=log_group)
    return cdk.CustomResource(scope, name, resource_type=resource_type, service_token=provider.service_token)


def build(app: cdk.App) -> None:
    """Add the five stacks."""
    env = cdk.Environment(region="us-east-2")
    network = Network(app, "peer-network", env=env)
    storage = Storage(app, "peer-storage", env=env)
    streaming = Streaming(app, "peer-streaming", vpc=network.vpc, env=env)
    cluster = Eks(app, "peer-eks", vpc=network.vpc, env=env)
    Milvus(app, "peer-milvus", cluster=cluster, storage=storage, streaming=streaming, env=env)
