"""Decides connections: security groups as EC2 does, network policies as Kubernetes does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple

from rehearsal.reach.templates import Properties, Templates, short

_ANY_PROTOCOL = "-1"
_EVERYWHERE = "0.0.0.0/0"


class Place(NamedTuple):
    """Where a connection starts or ends: its groups, and the ranges in which its addresses are."""

    networks: tuple[str, ...]
    groups: tuple[str, ...] = ()


class SecurityGroups:
    """Every security group of the templates, and the one that EKS gives each cluster."""

    def __init__(self, templates: Templates) -> None:
        self._rules: dict[str, dict[str, list[Properties]]] = {}
        for group in templates.of_type("AWS::EC2::SecurityGroup"):
            self._rules[group.identifier] = {
                "ingress": list(group.properties.get("SecurityGroupIngress", [])),
                # Without any, EC2 adds the rule that lets everything out.
                "egress": list(group.properties.get("SecurityGroupEgress", [_everything(_EVERYWHERE)])),
            }
        for cluster in templates.of_type("AWS::EKS::Cluster"):
            # https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
            own = cluster_group(cluster.identifier)
            self._rules[own] = {
                "ingress": [{"IpProtocol": _ANY_PROTOCOL, "SourceSecurityGroupId": own}],
                "egress": [_everything(_EVERYWHERE)],
            }
        for direction in ("Ingress", "Egress"):
            for rule in templates.of_type(f"AWS::EC2::SecurityGroup{direction}"):
                self._rules[rule.properties["GroupId"]][direction.lower()].append(rule.properties)

    def admit(self, source: Place, target: Place, port: int) -> str:
        """Return the rule that lets a connection pass, for people; empty where it does not pass.

        A source without groups is an address: what lets it out is not ours to know.
        """
        if source.groups and not self.leave(source, target, port):
            return ""
        return self._passes("ingress", target.groups, source, port)

    def leave(self, source: Place, target: Place, port: int) -> str:
        """Return the rule that lets a connection out, wherever it is let in."""
        return self._passes("egress", source.groups, target, port)

    def _passes(self, direction: str, own: Iterable[str], other: Place, port: int) -> str:
        rules = [(group, rule) for group in own for rule in self._rules[group][direction] if _carries(rule, port)]
        peer = "SourceSecurityGroupId" if direction == "ingress" else "DestinationSecurityGroupId"
        for group, rule in rules:
            if rule.get(peer) in other.groups:
                return f"{short(group)} for {short(rule[peer])}"
        admitting = {
            network: (group, rule["CidrIp"])
            for group, rule in rules
            for network in other.networks
            if "CidrIp" in rule and within(network, rule["CidrIp"])
        }
        if other.networks and admitting.keys() == set(other.networks):
            return ", ".join(dict.fromkeys(f"{short(group)} for {cidr}" for group, cidr in admitting.values()))
        return ""


def cluster_group(cluster: str) -> str:
    """Return the identifier of the group that EKS puts on a cluster's interfaces and nodes."""
    return f"{cluster}.ClusterSecurityGroupId"


def within(network: str, cidr: str) -> bool:
    """Return whether a range lies in another one."""
    return ip_network(network).subnet_of(ip_network(cidr))  # type: ignore[arg-type]  # all are IPv4


def _everything(cidr: str) -> Properties:
    return {"IpProtocol": _ANY_PROTOCOL, "CidrIp": cidr}


def _carries(rule: Properties, port: int) -> bool:
    protocol = str(rule["IpProtocol"])
    return protocol == _ANY_PROTOCOL or (protocol == "tcp" and int(rule["FromPort"]) <= port <= int(rule["ToPort"]))


class NetworkPolicies:
    """The network policies of a namespace, for connections of its pods with addresses."""

    def __init__(self, objects: Iterable[Mapping[str, Any]], namespace: str) -> None:
        self._policies = [
            each for each in objects if each["kind"] == "NetworkPolicy" and each["metadata"]["namespace"] == namespace
        ]

    def admit(self, labels: Mapping[str, str], networks: Iterable[str], port: int, *, direction: str) -> str:
        """Return the policies that let ranges in to a pod (``ingress``) or a pod out to them, or an empty text."""
        bound = [
            each
            for each in self._policies
            if direction.capitalize() in each["spec"]["policyTypes"] and _selects(each["spec"]["podSelector"], labels)
        ]
        if not bound:
            return "no policy selects it"
        admitting = [next(self._admitting(bound, network, port, direction), "") for network in networks]
        return ", ".join(dict.fromkeys(admitting)) if all(admitting) else ""

    @staticmethod
    def _admitting(policies: Iterable[Mapping[str, Any]], network: str, port: int, direction: str) -> Iterator[str]:
        peers = "from" if direction == "ingress" else "to"
        for policy in policies:
            for rule in policy["spec"].get(direction, []):
                if "ports" in rule and port not in [
                    each["port"] for each in rule["ports"] if each["protocol"] == "TCP"
                ]:
                    continue
                for peer in rule.get(peers, [{"ipBlock": {"cidr": _EVERYWHERE}}]):
                    cidr = peer.get("ipBlock", {}).get("cidr")
                    if cidr and within(network, cidr):
                        yield f"policy {policy['metadata']['name']} for {cidr}"


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", [])
    )
