"""Simulators that follow the account: node groups become nodes, controllers work while they are installed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from rehearsal.account import EmbeddedAccount
from rehearsal.run import Run
from rehearsal.servers import nodes
from rehearsal.servers.api import Api, ApiError
from rehearsal.servers.external_secrets import ExternalSecrets
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.lb_simulator import LoadBalancerSimulator
from rehearsal.servers.nodes import Node, Taint
from rehearsal.servers.process import ServerError
from rehearsal.servers.simulator import Simulator
from settings.contract import NODE_GROUP_LABEL
from settings.disks import nvme_gib
from settings.instances import INSTANCE_TYPES, InstanceType

CONTROLLER = "aws-load-balancer-controller"
OPERATOR = "external-secrets"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
# Which of its controllers run; addresses and the like are the process's own.
_SWITCHES = ("--enable-", "--namespace=")


class NodeSimulator(Simulator):
    """Makes one simulated node per node that a node group of the account wants, and removes them with the group.

    Zones are those of the group's subnets, in turn; labels, taints and instance type are the group's as deployed.
    """

    name = "node-simulator"

    def __init__(self, *, run: Run, api: Api, account: EmbeddedAccount) -> None:
        super().__init__(run=run, api=api)
        self._eks, self._ec2 = account.client("eks"), account.client("ec2")

    def step(self) -> None:
        """Compare the nodes with the account's node groups."""
        wanted = {node.name: node for node in self._wanted()}
        present = {item["metadata"]["name"] for item in self._api.objects("Node")}
        if new := [node for name, node in wanted.items() if name not in present]:
            nodes.register(self._api, new)
            self.note(f"new nodes: {', '.join(node.name for node in new)}")
        for name in present - set(wanted):
            self._api.delete("Node", name)
            self.note(f"node {name} is gone with its group")

    def _wanted(self) -> list[Node]:
        found: list[Node] = []
        for cluster in self._eks.list_clusters()["clusters"]:
            for name in self._eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
                found += self._nodes(self._eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"])
        return found

    def _nodes(self, group: dict[str, Any]) -> list[Node]:
        instance = INSTANCE_TYPES[group["instanceTypes"][0]]
        disk_gib = self._disk_gib(group, instance)
        described = self._ec2.describe_subnets(SubnetIds=group["subnets"])["Subnets"]
        zones = sorted({subnet["AvailabilityZone"] for subnet in described})
        # EKS makes up the names of groups that have none of their own; the label is shorter.
        short = group.get("labels", {}).get(NODE_GROUP_LABEL, group["nodegroupName"])
        return [
            Node(
                name=f"{short}-{number}",
                zone=zones[number % len(zones)],
                instance=instance,
                disk_gib=disk_gib,
                labels={
                    **group.get("labels", {}),
                    "eks.amazonaws.com/nodegroup": group["nodegroupName"],
                },
                taints=tuple(
                    Taint(key=taint["key"], value=taint.get("value", ""), effect=_EFFECTS[taint["effect"]])
                    for taint in group.get("taints", [])
                ),
            )
            for number in range(group["scalingConfig"]["desiredSize"])
        ]

    def _disk_gib(self, group: dict[str, Any], instance: InstanceType) -> float:
        """Return the disk on which the group's nodes keep their pods' files, by the launch template that it has."""
        template = group["launchTemplate"]
        found = self._ec2.describe_launch_template_versions(
            LaunchTemplateId=template["id"], Versions=[str(template["version"])]
        )
        data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        if "UserData" in data:
            return nvme_gib(instance)
        return float(data["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"])


class InstalledLoadBalancers(LoadBalancerSimulator):
    """The load balancer simulator while the controller's Deployment exists: once that is gone, finalizers stay.

    Args:
        always: for a controller whose chart could not be had and so has no Deployment.
    """

    def __init__(self, *, run: Run, api: Api, region: str, always: bool) -> None:
        super().__init__(run=run, api=api, region=region)
        self._always = always

    def step(self) -> None:
        """As the controller, where it is installed."""
        if self._always or self._api.get("Deployment", CONTROLLER, namespace="kube-system") is not None:
            super().step()


class InstalledOperator(Simulator):
    """Starts the real secrets operator once its chart is installed, as its pods would start.

    It works as the chart's service account and with the chart's switches, so with the rights that the chart gives it.
    """

    name = "external-secrets-starter"

    def __init__(self, *, run: Run, cluster: ControlPlane, account: EmbeddedAccount) -> None:
        super().__init__(run=run, api=cluster.api)
        self._run, self._cluster, self._account = run, cluster, account
        self._own: ExitStack | None = None
        self.started = False

    def step(self) -> None:
        """Start it when its service account is there."""
        if self.started or self._own is None:
            return
        deployment = self._api.get("Deployment", OPERATOR, namespace=OPERATOR)
        if deployment is None or not deployment.get("status", {}).get("availableReplicas"):
            return
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        operator = ExternalSecrets(
            run=self._run,
            cluster=self._cluster,
            aws_endpoint=self._account.endpoint,
            region=self._account.options.region,
            service_account=(OPERATOR, OPERATOR),
            flags=[argument for argument in container["args"] if argument.startswith(_SWITCHES)],
        )
        try:
            self._own.enter_context(operator)
        except ApiError:
            raise
        except ServerError as error:
            # The API server may not serve its definitions yet. A kubelet starts such a container again.
            self.note(f"starting again: {error}")
            return
        self.started = True
        self.note("started the operator")

    def _start(self, stack: ExitStack) -> None:
        self._own = stack.enter_context(ExitStack())
        super()._start(stack)
