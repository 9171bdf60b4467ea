"""Custom resources that need more of a cluster than to apply a manifest: a release's way and readiness, a default."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr
from aws_cdk.lambda_layer_awscli import AwsCliLayer
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import Construct, IDependable

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy, wildcard
from milvus_constructs.checks.cdk_providers import acknowledge_provider
from milvus_constructs.handler import code_of
from settings import rollout
from settings.contract import TASKS_GROUP

_CODE = Path(__file__).parent / "kubernetes_tasks_lambda"
_LOOK_EVERY = Duration.seconds(20)
_RUNTIME = lambda_.Runtime.PYTHON_3_14
_LOG_POLICY = "service-role/AWSLambdaBasicExecutionRole"
_VPC_POLICY = "service-role/AWSLambdaVPCAccessExecutionRole"
LONGEST_WAIT = Duration.minutes(45)
"""When the state machine gives up by itself; a task's own time-out must be shorter, since only that one tells why."""
_FIRST_ANSWER = Duration.minutes(5)
"""How long a new cluster may refuse a task that does not wait for anything else."""
_PREPARATION = Duration.minutes(25)
"""A function that may still run Helm lives for 15 minutes; then the volumes of etcd may have to grow."""
OLD_DEFAULT_STORAGE_CLASS = "gp2"
"""The StorageClass whose mark of the default a task takes away."""


class KubernetesTasks(Construct):
    """A custom resource provider that polls: one task may take longer than the 15 minutes of a Lambda function.

    Its functions read workloads, pods and events in one namespace, and are in the group `TASKS_GROUP`: to read and mark
    `OLD_DEFAULT_STORAGE_CLASS` they need ``permissions`` in the cluster, and others in the namespace to prepare a
    release. They stand in the private subnets with the cluster's own security group, as CDK's kubectl functions do:
    the endpoint may be private.

    Example:
        >>> KubernetesTasks(stack, "Tasks", cluster=cluster, vpc=vpc, subnets=private, namespace="milvus",
        ...     stack_name="milvus-dev-milvus", permissions=attached)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.ICluster,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        namespace: str,
        stack_name: str,
        permissions: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        self._permissions = permissions
        self._cluster = cluster
        stack_arn = Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{stack_name}/*"
        )
        self.role = iam.Role(
            self,
            "Role",
            description=f"Looks after the release in the namespace {namespace}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_VPC_POLICY)],
            inline_policies={
                "Tasks": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["eks:DescribeCluster"], resources=[cluster.cluster_arn]),
                        # Whether the stack is being rolled back: a release that is not ready must not fail that too.
                        iam.PolicyStatement(
                            actions=["cloudformation:DescribeStacks"],
                            resources=[stack_arn],
                        ),
                    ]
                )
            },
        )
        self._admission = self._admit(namespace)
        code = code_of(_CODE, [Path(rollout.__file__)])
        on_event = lambda_.Function(
            self,
            "OnEvent",
            description="Starts a task in the cluster",
            runtime=_RUNTIME,
            code=code,
            handler="tasks.handler.on_event",
            timeout=Duration.seconds(30),
        )
        is_complete = lambda_.Function(
            self,
            "IsComplete",
            description="Looks how far a task in the cluster is",
            runtime=_RUNTIME,
            code=code,
            handler="tasks.handler.is_complete",
            role=self.role,
            # Longer than all the commands of one look, each of which is given up after a minute.
            timeout=Duration.minutes(11),
            memory_size=512,
            layers=[KubectlV36Layer(self, "KubectlLayer"), AwsCliLayer(self, "AwsCliLayer")],
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[cluster.cluster_security_group],
            environment={"AWS_STS_REGIONAL_ENDPOINTS": "regional"},
        )
        self._provider = cr.Provider(
            self,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=_LOOK_EVERY,
            total_timeout=LONGEST_WAIT,
        )
        acknowledge_provider(self._provider, on_event, is_complete)
        acknowledge(on_event, {managed_policy(_LOG_POLICY): "it writes its log and has no other permission"})
        why = "it writes its log, and has a network interface to reach a private endpoint"
        acknowledge(self.role, {managed_policy(_VPC_POLICY): why})
        acknowledge(self.role, {wildcard(self, stack_arn): "a stack's ARN ends in a random id; the name is exact"})

    def make_gp2_non_default(self, scope: Construct, construct_id: str) -> CustomResource:
        """Take the mark of the default from the StorageClass ``gp2``, and do nothing where there is none.

        From 1.30 on EKS marks no class as the default, and a cluster without the self-managed add-ons may have no
        ``gp2`` at all: CDK's KubernetesPatch would fail there.
        """
        properties = {"StorageClass": OLD_DEFAULT_STORAGE_CLASS, "TimeoutSeconds": str(_FIRST_ANSWER.to_seconds())}
        return self._task(scope, construct_id, "Custom::NonDefaultStorageClass", properties)

    def prepare_release(
        self,
        scope: Construct,
        construct_id: str,
        *,
        namespace: str,
        release: str,
        etcd: str,
        volume_gib: int,
        trigger: str,
    ) -> CustomResource:
        """Bring out of the way what would fail Helm's next upgrade of a release.

        A record of an upgrade whose function was killed is taken away ("another operation is in progress"), and the
        volumes of etcd grow, whose size Kubernetes lets no upgrade change. Does nothing where there is neither.

        Args:
            scope: Where the resource stands: its stack is the one that fails.
            construct_id: Id in the scope.
            namespace: Namespace of the release.
            release: Name of the release.
            etcd: Name of etcd's StatefulSet.
            volume_gib: Size of each of its volumes in GiB.
            trigger: The release's values as text: where they change, Helm runs.
        """
        properties = {
            "Namespace": namespace,
            "Release": release,
            "Etcd": etcd,
            "VolumeGib": str(volume_gib),
            "TimeoutSeconds": str(_PREPARATION.to_seconds()),
            "Trigger": trigger,
        }
        return self._task(scope, construct_id, "Custom::ReleasePreparation", properties)

    def await_release(
        self, scope: Construct, construct_id: str, *, namespace: str, release: str, timeout: Duration, trigger: str
    ) -> CustomResource:
        """Wait until the workloads of a Helm release are rolled out.

        Args:
            scope: Where the resource stands: its stack is the one that fails.
            construct_id: Id in the scope.
            namespace: Namespace of the release.
            release: Name of the release.
            timeout: When the stack fails; at most `LONGEST_WAIT`.
            trigger: The release's values as text. The wait is repeated when it changes. It may hold tokens: a hash of
                it would be another one at each synth.

        Raises:
            ValueError: The time-out is not below `LONGEST_WAIT`.
        """
        if timeout.to_seconds() >= LONGEST_WAIT.to_seconds():
            raise ValueError(
                f"time-out of {timeout.to_minutes()} minutes: must be below {LONGEST_WAIT.to_minutes()}, when the "
                "state machine gives up without a reason; use less"
            )
        properties = {
            "Namespace": namespace,
            "Release": release,
            "TimeoutSeconds": str(timeout.to_seconds()),
            "Trigger": trigger,
        }
        return self._task(scope, construct_id, "Custom::ReleaseReadiness", properties)

    def _task(
        self, scope: Construct, construct_id: str, resource_type: str, properties: dict[str, str]
    ) -> CustomResource:
        task = CustomResource(
            scope,
            construct_id,
            resource_type=resource_type,
            service_token=self._provider.service_token,
            properties={"ClusterName": self._cluster.cluster_name, **properties},
        )
        task.node.add_dependency(self._admission, self._permissions)
        return task

    def _admit(self, namespace: str) -> Construct:
        """Let the functions read the namespace, and put them into their group."""
        admission = Construct(self, "Admission")
        eks.CfnAccessEntry(
            admission,
            "Entry",
            cluster_name=self._cluster.cluster_name,
            principal_arn=self.role.role_arn,
            kubernetes_groups=[TASKS_GROUP],
            access_policies=[
                eks.CfnAccessEntry.AccessPolicyProperty(
                    policy_arn=Stack.of(self).format_arn(
                        service="eks",
                        region="",
                        account="aws",
                        resource="cluster-access-policy",
                        resource_name="AmazonEKSViewPolicy",
                    ),
                    access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="namespace", namespaces=[namespace]),
                )
            ],
        )
        return admission
