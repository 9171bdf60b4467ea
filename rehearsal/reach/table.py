"""The connections that matter in an environment, and what decides each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from charts.workloads import component_labels, etcd_labels, front_door
from rehearsal.reach.rules import NetworkPolicies, Place, SecurityGroups, cluster_group
from rehearsal.reach.templates import Resource, Templates
from settings import Environment
from settings.contract import ATTU_PORT, CLIENT_PORT, KAFKA_PORT, METRICS_PORT, NODE_GROUP_LABEL

_HTTPS, _HTTP, _ETCD = 443, 80, 2379
_ANYBODY = "0.0.0.0/0"
_NLB = "service.beta.kubernetes.io/aws-load-balancer-"
_ALB = "alb.ingress.kubernetes.io/"


class Need(StrEnum):
    """What a connection has to be."""

    OPEN = "needed"
    CLOSED = "must be closed"
    EITHER = "not needed"


class Connection(NamedTuple):
    """One row of the table."""

    source: str
    target: str
    port: int
    by: str
    """The rule that lets it pass; empty where none does."""
    need: Need

    @property
    def wrong(self) -> bool:
        """Return whether it is closed and needed, or open and must not be."""
        return (not self.by and self.need is Need.OPEN) or (bool(self.by) and self.need is Need.CLOSED)

    def __str__(self) -> str:
        """One line: who, what, port, and by which rule."""
        return f"{self.source} -> {self.target}:{self.port} {f'by {self.by}' if self.by else 'closed'}"


class Reach:
    """Decides the connections of one environment from its templates and Kubernetes objects."""

    def __init__(self, env: Environment, templates: Templates) -> None:
        self._env, self._templates = env, templates
        self._groups = SecurityGroups(templates)
        self._objects = list(templates.objects())
        self._policies = NetworkPolicies(self._objects, env.milvus.namespace)
        (self._cluster,) = templates.of_type("AWS::EKS::Cluster")
        own = cluster_group(self._cluster.identifier)
        self._vpc = Place(env.network.cidrs)
        self._api = Place(env.network.cidrs, (own, *self._cluster.properties["ResourcesVpcConfig"]["SecurityGroupIds"]))
        self._brokers = [
            Place(env.network.cidrs, tuple(each.properties["BrokerNodeGroupInfo"]["SecurityGroups"]))
            for each in templates.of_type("AWS::MSK::Cluster")
        ]

    def table(self) -> list[Connection]:
        """Return every row."""
        return [
            *self._to_the_api(),
            *self._nodes_and_functions(),
            *self._to_brokers_and_endpoints(),
            *self._to_milvus(),
            *self._to_attu(),
            *self._builds(),
        ]

    def _to_the_api(self) -> Iterator[Connection]:
        for cidr in (*self._env.network.cidrs, *self._env.cluster.private_cidrs):
            yield self._private_api(cidr, Place((cidr,)))
        network = self._cluster.properties["ResourcesVpcConfig"]
        public = network.get("PublicAccessCidrs", [_ANYBODY]) if network["EndpointPublicAccess"] else []
        allowed = self._env.cluster.public_cidrs if self._env.cluster.endpoint != "private" else ()
        for cidr in dict.fromkeys((*allowed, *public, _ANYBODY)):
            by = "public endpoint" if cidr in public else ""
            yield Connection(cidr, "Kubernetes API", _HTTPS, by, Need.OPEN if cidr in allowed else Need.CLOSED)

    def _private_api(self, name: str, source: Place) -> Connection:
        private = self._cluster.properties["ResourcesVpcConfig"]["EndpointPrivateAccess"]
        by = self._groups.admit(source, self._api, _HTTPS) if private else ""
        return Connection(name, "Kubernetes API", _HTTPS, by, Need.OPEN)

    def _nodes_and_functions(self) -> Iterator[Connection]:
        templates = {each.identifier: each for each in self._templates.of_type("AWS::EC2::LaunchTemplate")}
        for group in self._templates.of_type("AWS::EKS::Nodegroup"):
            data = templates[group.properties["LaunchTemplate"]["Id"]].properties["LaunchTemplateData"]
            # Groups of a launch template stand in the place of the cluster's own.
            groups = data.get("SecurityGroupIds") or [cluster_group(self._cluster.identifier)]
            place = Place(self._env.network.cidrs, tuple(groups))
            name = f"nodes of {group.properties['Labels'][NODE_GROUP_LABEL]}"
            yield self._private_api(name, place)
            for brokers in self._brokers:
                yield Connection(name, "brokers", KAFKA_PORT, self._groups.admit(place, brokers, KAFKA_PORT), Need.OPEN)
        for function in self._templates.of_type("AWS::Lambda::Function"):
            if (inside := self._inside(function)) is None:
                continue
            yield self._private_api(f"function {function.name}", inside)
            for brokers in self._brokers:
                by = self._groups.admit(inside, brokers, KAFKA_PORT)
                yield Connection(f"function {function.name}", "brokers", KAFKA_PORT, by, Need.EITHER)

    def _inside(self, resource: Resource) -> Place | None:
        network = resource.properties.get("VpcConfig")
        return Place(self._env.network.cidrs, tuple(network["SecurityGroupIds"])) if network else None

    def _to_brokers_and_endpoints(self) -> Iterator[Connection]:
        for brokers in self._brokers:
            by = self._groups.admit(self._vpc, brokers, KAFKA_PORT)
            yield Connection("VPC", "brokers", KAFKA_PORT, by, Need.CLOSED)
            for name in self._env.component_names:
                labels = component_labels(self._env, name)
                by = self._policies.admit(labels, self._env.network.cidrs, KAFKA_PORT, direction="egress")
                yield Connection(f"pods of {name}", "brokers", KAFKA_PORT, by, Need.OPEN)
        for endpoint in self._templates.of_type("AWS::EC2::VPCEndpoint"):
            if groups := endpoint.properties.get("SecurityGroupIds"):
                by = self._groups.admit(self._vpc, Place(self._env.network.cidrs, tuple(groups)), _HTTPS)
                yield Connection("VPC", f"endpoint {endpoint.name}", _HTTPS, by, Need.OPEN)

    def _to_milvus(self) -> Iterator[Connection]:
        door = f"pods of {front_door(self._env)}"
        for service in self._of_kind("Service", type="LoadBalancer"):
            name, spec = f"load balancer {service['metadata']['name']}", service["spec"]
            for cidr in spec["loadBalancerSourceRanges"]:
                for port in spec["ports"]:
                    need = Need.OPEN if port["port"] == CLIENT_PORT else Need.CLOSED
                    yield Connection(cidr, name, port["port"], "loadBalancerSourceRanges", need)
            asked = service["metadata"]["annotations"][f"{_NLB}healthcheck-port"]
            served = {int(port["targetPort"]) for port in spec["ports"]}
            health = served if asked == "traffic-port" else {int(asked)}
            for number in sorted(served | health):
                # The controller opens the nodes' group for exactly these ports; the addresses are the VPC's.
                by = self._pods(spec["selector"], number)
                yield Connection(name, door + (", health" if number in health else ""), number, by, Need.OPEN)
            yield Connection("VPC", door, METRICS_PORT, self._pods(spec["selector"], METRICS_PORT), Need.CLOSED)
        yield Connection("VPC", "pods of etcd", _ETCD, self._pods(etcd_labels(self._env), _ETCD), Need.CLOSED)

    def _to_attu(self) -> Iterator[Connection]:
        for ingress in self._of_kind("Ingress"):
            annotations = ingress["metadata"]["annotations"]
            name = f"load balancer {ingress['metadata']['name']}"
            for cidr in annotations[f"{_ALB}inbound-cidrs"].split(","):
                for port in (_HTTP, _HTTPS) if f"{_ALB}certificate-arn" in annotations else (_HTTP,):
                    yield Connection(cidr, name, port, "inbound-cidrs", Need.OPEN)
            by = self._pods(component_labels(self._env, "attu"), ATTU_PORT)
            yield Connection(name, "pods of attu", ATTU_PORT, by, Need.OPEN)

    def _builds(self) -> Iterator[Connection]:
        for project in self._templates.of_type("AWS::CodeBuild::Project"):
            if (place := self._inside(project)) is None:
                continue
            yield self._private_api(f"build {project.name}", place)
            out = self._groups.leave(place, self._vpc, CLIENT_PORT)
            yield Connection(f"build {project.name}", "load balancer", CLIENT_PORT, out, Need.OPEN)

    def _pods(self, labels: Mapping[str, str], port: int) -> str:
        return self._policies.admit(labels, self._env.network.cidrs, port, direction="ingress")

    def _of_kind(self, kind: str, **spec: str) -> Iterator[dict[str, Any]]:
        for each in self._objects:
            if each["kind"] == kind and spec.items() <= each["spec"].items():
                yield each
