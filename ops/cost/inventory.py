"""What is billed of a deployment: each resource and object priced, free, by use, or without a price."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from ops.cost.assembly import Deployment, Resource
from ops.cost.found import Inventory, NodeGroup
from ops.cost.kinds import BY_USE, FREE, FREE_KINDS, FREE_PREFIX, MANIFEST, PRICED, RELEASE
from ops.cost.lines import Line
from ops.cost.prices import Price, Prices, Term
from ops.cost.release import MILVUS, WITHOUT_REQUESTS, helm_values, read_release, text_of
from settings.contract import NODE_GROUP_LABEL
from settings.eks_versions import EKS_VERSIONS

# What a volume of type gp3 has without more money: https://aws.amazon.com/ebs/pricing/
_FREE_IOPS, _FREE_MIBPS = 3000, 125
_ZONES = 3
_BUILDS = {
    ("LINUX_CONTAINER", "BUILD_GENERAL1_SMALL"): "small",
    ("LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM"): "medium",
}
_NO_PRICE = Price(None, "month", "none", None, "")


def take_stock(deployment: Deployment, prices: Prices, *, day: date, term: Term) -> Inventory:
    """Return what is billed of a deployment.

    Raises:
        OpsError: The price table knows nothing of its region.
    """
    return _Stock(deployment, prices, day, term).take()


class _Stock:
    def __init__(self, deployment: Deployment, prices: Prices, day: date, term: Term) -> None:
        self._deployment = deployment
        self._prices = prices
        self._day = day
        self._term = term
        self._found = Inventory(deployment.region)
        self._templates = {
            each.logical_id: each.properties["LaunchTemplateData"]
            for each in deployment.resources
            if each.type == "AWS::EC2::LaunchTemplate"
        }

    def take(self) -> Inventory:
        for resource in self._deployment.resources:
            self._resource(resource)
        return self._found

    def _resource(self, resource: Resource) -> None:
        if resource.type in FREE or resource.type.startswith(FREE_PREFIX):
            self._found.classes["free"] += 1
            self._found.count[resource.type] += 1
            if resource.type == MANIFEST:
                for each in json.loads(text_of(resource.properties["Manifest"])):
                    self._object(each)
            elif resource.type == RELEASE:
                self._release(resource)
        elif resource.type in PRICED:
            before = len(self._found.lines)
            getattr(self, _METHODS[resource.type])(resource)
            self._classify(self._found.lines[before:])
        elif resource.type in BY_USE:
            self._by_use(resource)
        else:
            self._unknown(resource.type)

    def _classify(self, lines: list[Line]) -> None:
        missing = any(line.price.amount is None for line in lines)
        self._found.classes["without a price" if missing else "priced" if lines else "free"] += 1

    def _unknown(self, what: str) -> None:
        self._found.unclassified.append(what)
        self._found.classes["without a price"] += 1
        self._add("other", "other", what, 1, _NO_PRICE, note="not classified")

    def _add(  # noqa: PLR0917 - short calls, many of them
        self, service: str, component: str, what: str, quantity: float, price: Price, note: str = ""
    ) -> None:
        self._found.lines.append(
            Line(service=service, component=component, what=what, quantity=quantity, price=price, note=note)
        )

    def _of(self, service: str, item: str) -> Price:
        return self._prices.of(self._found.region, service, item)

    def _by_use(self, resource: Resource) -> None:
        found, properties = self._found, resource.properties
        found.count[resource.type] += 1
        if resource.type == "AWS::EC2::FlowLog":
            found.flow_logs.append(str(properties.get("TrafficType", "ALL")))
        if resource.type == "AWS::CodePipeline::Pipeline":
            actions = [each for stage in properties["Stages"] for each in stage["Actions"]]
            found.count["actions"] += sum(each["ActionTypeId"]["Category"] != "Approval" for each in actions)
        elif resource.type == "AWS::CodeBuild::Project":
            environment = properties["Environment"]
            size = _BUILDS.get((environment["Type"], environment["ComputeType"]))
            if size is None:
                self._unknown(f"build on {environment['ComputeType']} of {environment['Type']}")
                return
            found.count[f"{size} builds"] += 1
        found.classes["by use"] += 1

    def _key(self, resource: Resource) -> None:
        self._add("KMS", "keys and secrets", "keys", 1, self._of("kms", "key"))
        self._found.count["rotated keys"] += bool(resource.properties.get("EnableKeyRotation"))

    def _secret(self, _: Resource) -> None:
        self._add("Secrets Manager", "keys and secrets", "secrets", 1, self._of("secretsmanager", "secret"))
        self._found.count["secrets"] += 1

    def _nat(self, _: Resource) -> None:
        self._add("NAT", "network", "NAT gateways", 1, self._of("nat", "hour"))
        self._found.count["nat"] += 1

    def _address(self, _: Resource) -> None:
        self._add("VPC", "network", "public IPv4 addresses", 1, self._of("vpc", "public-ipv4"))

    def _endpoint(self, resource: Resource) -> None:
        if resource.properties.get("VpcEndpointType") == "Interface":
            zones = len(resource.properties.get("SubnetIds", [])) or _ZONES
            price = self._of("vpc", "interface-endpoint")
            self._add("VPC", "network", "interface endpoints x zones", zones, price)
            self._found.count["endpoints"] += 1

    def _cluster(self, resource: Resource) -> None:
        version = EKS_VERSIONS.get(str(resource.properties.get("Version")))
        extended = version is not None and self._day > version.standard_support_ends
        item = "cluster-extended-support" if extended else "cluster-standard-support"
        what = "control plane, in extended support" if extended else "control plane"
        self._add("EKS", "control plane", what, 1, self._of("eks", item))
        logging = resource.properties.get("Logging", {}).get("ClusterLogging", {}).get("EnabledTypes", [])
        self._found.control_plane_logs += [each["Type"] for each in logging]

    def _nodes(self, resource: Resource) -> None:
        properties = resource.properties
        name = properties["Labels"][NODE_GROUP_LABEL]
        number = int(properties["ScalingConfig"]["DesiredSize"])
        kind = properties["InstanceTypes"][0]
        tainted = any(each.get("Effect") in {"NO_SCHEDULE", "NO_EXECUTE"} for each in properties.get("Taints", []))
        self._found.node_groups.append(NodeGroup(name, kind, number, tainted))
        spot = properties.get("CapacityType") == "SPOT"
        price = self._prices.instance(self._found.region, kind, "on-demand" if spot else self._term)
        note = "spot: at most this, the price on demand" if spot else ""
        where = f"nodes of {name}"
        self._add("EC2", where, f"{kind}, node group {name}", number, price, note)
        launch = self._templates.get(properties.get("LaunchTemplate", {}).get("Id", {}).get("Ref"), {})
        for mapping in launch.get("BlockDeviceMappings", []):
            disk = mapping["Ebs"]
            self._volumes(where, f"disks of nodes {name}", number, disk.get("VolumeSize", 0))
            for what, item, free, given in (
                ("IOPS", "gp3-iops-over-3000", _FREE_IOPS, disk.get("Iops", 0)),
                ("MiB/s", "gp3-throughput-over-125", _FREE_MIBPS, disk.get("Throughput", 0)),
            ):
                if given > free:
                    self._add("EBS", where, f"{what} of nodes {name}", number * (given - free), self._of("ebs", item))

    def _volumes(self, component: str, what: str, number: int, gib: float) -> None:
        self._add("EBS", component, what, number * gib, self._of("ebs", "gp3-storage"))

    def _msk(self, resource: Resource) -> None:
        properties = resource.properties
        nodes = properties["BrokerNodeGroupInfo"]
        number = int(properties["NumberOfBrokerNodes"])
        kind = nodes["InstanceType"]
        price = self._prices.broker(self._found.region, kind)
        self._add("MSK", "log: MSK", f"{kind} brokers", number, price)
        size = nodes["StorageInfo"]["EBSStorageInfo"]["VolumeSize"]
        self._add("MSK", "log: MSK", "storage of brokers", number * size, self._of("msk-storage", "gp2"))
        logs = properties.get("LoggingInfo", {}).get("BrokerLogs", {}).get("CloudWatchLogs", {}).get("Enabled")
        self._found.monitoring.append((properties.get("EnhancedMonitoring", "DEFAULT"), number, bool(logs)))

    def _object(self, each: dict[str, Any]) -> None:
        kind = each["kind"]
        before = len(self._found.lines)
        if kind == "Ingress":
            self._load_balancer("alb", each["metadata"].get("annotations", {}))
        elif kind == "Service":
            if each.get("spec", {}).get("type") == "LoadBalancer":
                self._load_balancer("nlb", each["metadata"].get("annotations", {}))
        elif kind not in FREE_KINDS:
            self._unknown(f"object {kind}")
            return
        self._classify(self._found.lines[before:])

    def _load_balancer(self, kind: str, annotations: dict[str, str]) -> None:
        self._add("ELB", "load balancers", f"{kind.upper()}s", 1, self._of("elb", f"{kind}-hour"))
        self._found.count[kind] += 1
        if any(key.endswith("scheme") and value == "internet-facing" for key, value in annotations.items()):
            price = self._of("vpc", "public-ipv4")
            self._add("VPC", "load balancers", "public IPv4 addresses of load balancers", _ZONES, price)

    def _release(self, resource: Resource) -> None:
        chart = text_of(resource.properties.get("Chart"))
        if chart in WITHOUT_REQUESTS:
            self._found.classes["free"] += 1
            return
        if chart != MILVUS:
            self._unknown(f"release of chart {chart}")
            return
        self._found.classes["free"] += 1
        release = read_release(helm_values(resource.properties))
        self._found.release = release
        self._found.pods += release.pods
        for volume in release.volumes:
            before = len(self._found.lines)
            self._volumes(volume.component, f"volumes of {volume.component}", volume.number, volume.gib)
            for _ in range(volume.number):
                self._classify(self._found.lines[before:])


_METHODS = {
    "AWS::EC2::EIP": "_address",
    "AWS::EC2::NatGateway": "_nat",
    "AWS::EC2::VPCEndpoint": "_endpoint",
    "AWS::EKS::Cluster": "_cluster",
    "AWS::EKS::Nodegroup": "_nodes",
    "AWS::KMS::Key": "_key",
    "AWS::MSK::Cluster": "_msk",
    "AWS::SecretsManager::Secret": "_secret",
}
