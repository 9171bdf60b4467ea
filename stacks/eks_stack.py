"""The Eks stack: cluster, nodes, add-ons, load balancer controller, secrets operator and StorageClass."""

from __future__ import annotations

import aws_cdk as cdk
import cdk8s
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, DependencyGroup

from charts.storage_class import StorageClassChart
from charts.tasks_access import TasksAccessChart
from milvus_constructs.cluster.addons import NetworkAddons, WorkloadAddons
from milvus_constructs.cluster.attached_chart import AttachedChart
from milvus_constructs.cluster.control_plane import EksCluster
from milvus_constructs.cluster.deletion_protection import DeletionProtection
from milvus_constructs.cluster.external_secrets import ExternalSecrets
from milvus_constructs.cluster.kubernetes_tasks import OLD_DEFAULT_STORAGE_CLASS, KubernetesTasks
from milvus_constructs.cluster.load_balancer_controller import LoadBalancerController
from milvus_constructs.cluster.node_group import NodeGroup
from settings import Environment, output_keys
from settings.contract import TASKS_GROUP
from settings.parts import Part, stack_name
from stacks.base import EnvironmentStack


class EksStack(EnvironmentStack):
    """The cluster and what every workload on it needs; it `attach`es charts."""

    def __init__(
        self,
        scope: Construct,
        *,
        env: Environment,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
    ) -> None:
        description = "the EKS cluster with nodes, add-ons and controllers"
        super().__init__(scope, Part.EKS, env=env, description=description)
        self._retain_data = env.removal_policy == "retain"
        version = env.cluster.version
        control_plane = EksCluster(
            self,
            "Cluster",
            name=env.name,
            settings=env.cluster,
            vpc=vpc,
            subnets=subnets,
            client_cidrs=env.network.cidrs,
            removal=env.removal_policy,
        )
        self.cluster = control_plane.cluster
        """The cluster."""
        network_addons = NetworkAddons(self, "NetworkAddons", cluster=self.cluster, kubernetes_version=version)
        nodes = DependencyGroup()
        for name, group in env.cluster.node_groups.items():
            nodes.add(
                NodeGroup(
                    self,
                    f"Nodes-{name}",
                    cluster=self.cluster,
                    name=name,
                    settings=group,
                    version=version,
                    subnets=subnets,
                    volume_key_arn=env.cluster.volume_key_arn,
                    after=network_addons,
                )
            )
        addons = WorkloadAddons(
            self,
            "WorkloadAddons",
            cluster=self.cluster,
            kubernetes_version=version,
            volume_key_arn=env.cluster.volume_key_arn,
            after=nodes,
        )
        # What asks for a load balancer depends on this stack, and so goes while the controller can still delete it.
        LoadBalancerController(
            self, "LoadBalancers", cluster=control_plane.resource, tags=env.tags, after=addons.coredns
        )
        ExternalSecrets(self, "ExternalSecrets", cluster=self.cluster, after=addons.coredns)
        permissions = self.attach(
            TasksAccessChart(cdk8s.App(), "tasks-access", group=TASKS_GROUP, storage_class=OLD_DEFAULT_STORAGE_CLASS),
            self,
        )
        self.tasks = KubernetesTasks(
            self,
            "Tasks",
            cluster=self.cluster,
            vpc=vpc,
            subnets=subnets,
            namespace=env.milvus.namespace,
            stack_name=stack_name(env, Part.MILVUS),
            permissions=permissions,
        )
        """Waits for releases."""
        storage_class = StorageClassChart(cdk8s.App(), "storage-class", volume_key_arn=env.cluster.volume_key_arn)
        storage = self.attach(storage_class, self)
        # One after the other, while the two controllers are installed: a new account runs no more functions at once.
        storage.node.add_dependency(permissions)
        self.tasks.make_gp2_non_default(self, "Gp2NonDefault").node.add_dependency(storage)
        self.service_accounts = control_plane.service_accounts
        """Who vouches for service accounts, for roles of workloads."""
        # Exported whether or not a stack uses it: an export that goes while a deployed stack uses it fails this one.
        self.export_value(self.cluster.cluster_security_group_id)
        outputs = {
            output_keys.CLUSTER_NAME: (self.cluster.cluster_name, "Name of the EKS cluster."),
            output_keys.KUBECONFIG_COMMAND: (control_plane.kubeconfig_command, "Writes a kubeconfig for the cluster."),
            output_keys.OIDC_ISSUER: (self.service_accounts.issuer, "Issuer of the tokens of service accounts."),
        }
        for key, (value, description) in outputs.items():
            cdk.CfnOutput(self, key, value=value, description=description)
        if env.termination_protection:
            self._protect(control_plane, env)

    def _protect(self, control_plane: EksCluster, env: Environment) -> None:
        """Protect the cluster when everything else in this stack stands, and for as long."""
        everything = list(self.node.children)
        protection = DeletionProtection(
            self,
            "Protection",
            cluster=self.cluster,
            # A node group changes nothing of the cluster.
            trigger=env.cluster.model_dump_json(exclude={"node_groups"}),
            log_group=control_plane.function_logs,
        )
        protection.node.add_dependency(*everything)

    def attach(self, chart: cdk8s.Chart, scope: Construct) -> AttachedChart:
        """Deploy a chart's objects to the cluster, as resources of the stack that ``scope`` is in.

        ``HelmChart`` objects become Helm releases, others manifests, in the order of the chart's dependencies
        (docs/adr/0001-helmchart-objects.md). Namespaces are retained where the environment retains data.
        """
        return AttachedChart(
            scope, f"Chart-{chart.node.id}", chart=chart, cluster=self.cluster, retain_data=self._retain_data
        )
