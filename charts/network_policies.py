"""NetworkPolicies of the namespace: everything is closed, and each door is opened by name."""

from __future__ import annotations

from typing import Any

import cdk8s
from constructs import Construct

from charts.names import CLIENT_PORT, METRICS_PORT
from charts.objects import api_object
from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels, front_door, milvus_labels
from settings import Environment

_Rule = dict[str, Any]
_ATTU_PORT = 3000
_ETCD_CLIENT = 2379
_ETCD_PEER = 2380
_KAFKA_SASL = 9096


def network_policies(scope: Construct, env: Environment) -> list[cdk8s.ApiObject]:
    """Create the policies. They act where the network plugin enforces them: in EKS, the VPC CNI with its agent on.

    Who may talk to whom:

    - Clients in the VPC, and load balancers (they come from addresses of the VPC, ip targets do not keep the client's)
      reach the proxies on 19530, and on 9091 for their health check. Who gets to the load balancer is for its source
      ranges to say.
    - Pods of Milvus reach each other, etcd, the brokers on 9096, and 443 anywhere: S3 and STS have no fixed addresses.
    - etcd, which has no password, is reached by Milvus and itself alone.
    - Attu reaches the proxies on 19530 and nothing else, because it connects to any address that a visitor types.
    - Nobody needs the Kubernetes API: etcd is Milvus's registry.
    """
    vpc = [{"ipBlock": {"cidr": cidr}} for cidr in env.network.cidrs]
    milvus = _milvus_pods(env)
    etcd = {"matchLabels": etcd_labels(env)}
    door = {"matchLabels": component_labels(env, front_door(env))}

    egress = [
        _rule("to", [{"podSelector": milvus}]),
        _rule("to", [{"podSelector": etcd}], _ETCD_CLIENT),
        _rule("to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], 443),
        _dns(),
    ]
    if env.queue.kind == "msk":
        egress.append(_rule("to", vpc, _KAFKA_SASL))
    ingress = [_rule("from", [{"podSelector": milvus}])]
    if env.milvus.service_monitor:
        ingress.append(_rule("from", [_prometheus()], METRICS_PORT))

    policies = [
        _policy(scope, env, "default-deny", {}, ingress=[], egress=[]),
        _policy(scope, env, "milvus", milvus, ingress=ingress, egress=egress),
        _policy(scope, env, "milvus-clients", door, ingress=[_rule("from", vpc, CLIENT_PORT, METRICS_PORT)]),
        _policy(
            scope,
            env,
            "etcd",
            etcd,
            ingress=[
                _rule("from", [{"podSelector": milvus}], _ETCD_CLIENT),
                _rule("from", [{"podSelector": etcd}], _ETCD_CLIENT, _ETCD_PEER),
            ],
            egress=[_rule("to", [{"podSelector": etcd}], _ETCD_CLIENT, _ETCD_PEER), _dns()],
        ),
    ]
    if env.milvus.attu.exposure != "off":
        attu = {"matchLabels": component_labels(env, "attu")}
        from_attu = [_rule("from", [{"podSelector": attu}], CLIENT_PORT)]
        policies += [
            _policy(
                scope,
                env,
                "attu",
                attu,
                ingress=[_rule("from", vpc, _ATTU_PORT)],
                egress=[_rule("to", [{"podSelector": door}], CLIENT_PORT), _dns()],
            ),
            _policy(scope, env, "milvus-attu", door, ingress=from_attu),
        ]
    return policies


def _milvus_pods(env: Environment) -> dict[str, Any]:
    """Select Milvus's own pods: Attu carries the same labels but for ``component``."""
    components = [CHART_COMPONENTS[name].label for name in env.component_names]
    return {
        "matchLabels": milvus_labels(env),
        "matchExpressions": [{"key": "component", "operator": "In", "values": components}],
    }


def _prometheus() -> dict[str, Any]:
    # The label that the Prometheus Operator gives its pods, whatever namespace they are in.
    return {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}


def _dns() -> _Rule:
    resolver = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"to": [resolver], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def _rule(direction: str, peers: list[dict[str, Any]], *ports: int) -> _Rule:
    rule: _Rule = {direction: peers}
    if ports:
        rule["ports"] = [{"protocol": "TCP", "port": port} for port in ports]
    return rule


def _policy(
    scope: Construct,
    env: Environment,
    name: str,
    pods: dict[str, Any],
    *,
    ingress: list[_Rule],
    egress: list[_Rule] | None = None,
) -> cdk8s.ApiObject:
    spec: dict[str, Any] = {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": ingress}
    if egress is not None:
        spec |= {"policyTypes": ["Ingress", "Egress"], "egress": egress}
    return api_object(
        scope,
        f"policy-{name}",
        api_version="networking.k8s.io/v1",
        kind="NetworkPolicy",
        name=name,
        namespace=env.milvus.namespace,
        spec=spec,
    )
