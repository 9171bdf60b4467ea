"""NetworkPolicies of the namespace: everything is closed, and each door is opened by name."""

from __future__ import annotations

from collections.abc import Sequence

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.workloads import CHART_COMPONENTS, component_labels, etcd_labels, front_door, milvus_labels
from settings import Environment
from settings.contract import ATTU_PORT, CLIENT_PORT, KAFKA_PORT, METRICS_PORT

_ETCD_CLIENT = 2379
_ETCD_PEER = 2380


def network_policies(scope: Construct, env: Environment) -> list[cdk8s.ApiObject]:
    """Create the policies. They act where the network plugin enforces them: in EKS, the VPC CNI with its agent on.

    Who may talk to whom:

    - Clients in the VPC, and load balancers (they come from addresses of the VPC, ip targets do not keep the client's)
      reach the proxies on 19530. Who gets to the load balancer is for its source ranges to say.
    - Nobody reaches 9091, which has no login, but Milvus itself, Prometheus where it is asked for, and the kubelet of
      the pod's own node, which no policy holds off.
    - Pods of Milvus reach each other, etcd, the brokers on 9096, and 443 anywhere: S3 and STS have no fixed addresses.
    - etcd, which has no password, is reached by Milvus and itself alone.
    - Attu reaches the proxies on 19530 and nothing else, because it connects to any address that a visitor types.
    - Nobody needs the Kubernetes API: etcd is Milvus's registry.
    """
    vpc = [k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr)) for cidr in env.network.cidrs]
    milvus = _milvus_pods(env)
    etcd = k8s.LabelSelector(match_labels=etcd_labels(env))
    door = k8s.LabelSelector(match_labels=component_labels(env, front_door(env)))
    anywhere = k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr="0.0.0.0/0"))

    egress = [
        _to(_pods(milvus)),
        _to(_pods(etcd), _tcp(_ETCD_CLIENT)),
        _to([anywhere], _tcp(443)),
        _dns(),
    ]
    if env.queue.kind == "msk":
        egress.append(_to(vpc, _tcp(KAFKA_PORT)))
    ingress = [_from(_pods(milvus))]
    if env.milvus.service_monitor:
        ingress.append(_from([_prometheus()], _tcp(METRICS_PORT)))

    policies = [
        _policy(scope, env, "default-deny", k8s.LabelSelector(), ingress=[], egress=[]),
        _policy(scope, env, "milvus", milvus, ingress=ingress, egress=egress),
        _policy(scope, env, "milvus-clients", door, ingress=[_from(vpc, _tcp(CLIENT_PORT))]),
        _policy(
            scope,
            env,
            "etcd",
            etcd,
            ingress=[
                _from(_pods(milvus), _tcp(_ETCD_CLIENT)),
                _from(_pods(etcd), _tcp(_ETCD_CLIENT, _ETCD_PEER)),
            ],
            egress=[_to(_pods(etcd), _tcp(_ETCD_CLIENT, _ETCD_PEER)), _dns()],
        ),
    ]
    if env.milvus.attu.exposure != "off":
        attu = k8s.LabelSelector(match_labels=component_labels(env, "attu"))
        policies += [
            _policy(
                scope,
                env,
                "attu",
                attu,
                ingress=[_from(vpc, _tcp(ATTU_PORT))],
                egress=[_to(_pods(door), _tcp(CLIENT_PORT)), _dns()],
            ),
            _policy(scope, env, "milvus-attu", door, ingress=[_from(_pods(attu), _tcp(CLIENT_PORT))]),
        ]
    return policies


def _milvus_pods(env: Environment) -> k8s.LabelSelector:
    """Select Milvus's own pods: Attu carries the same labels but for ``component``."""
    components = [CHART_COMPONENTS[name].label for name in env.component_names]
    own = k8s.LabelSelectorRequirement(key="component", operator="In", values=components)
    return k8s.LabelSelector(match_labels=milvus_labels(env), match_expressions=[own])


def _pods(selector: k8s.LabelSelector) -> list[k8s.NetworkPolicyPeer]:
    return [k8s.NetworkPolicyPeer(pod_selector=selector)]


def _prometheus() -> k8s.NetworkPolicyPeer:
    # The label that the Prometheus Operator gives its pods, whatever namespace they are in.
    return k8s.NetworkPolicyPeer(
        namespace_selector=k8s.LabelSelector(),
        pod_selector=k8s.LabelSelector(match_labels={"app.kubernetes.io/name": "prometheus"}),
    )


def _dns() -> k8s.NetworkPolicyEgressRule:
    resolver = k8s.NetworkPolicyPeer(
        namespace_selector=k8s.LabelSelector(match_labels={"kubernetes.io/metadata.name": "kube-system"}),
        pod_selector=k8s.LabelSelector(match_labels={"k8s-app": "kube-dns"}),
    )
    return _to([resolver], [_port("UDP", 53), _port("TCP", 53)])


def _port(protocol: str, number: int) -> k8s.NetworkPolicyPort:
    return k8s.NetworkPolicyPort(protocol=protocol, port=k8s.IntOrString.from_number(number))


def _tcp(*numbers: int) -> list[k8s.NetworkPolicyPort]:
    return [_port("TCP", number) for number in numbers]


def _from(
    peers: Sequence[k8s.NetworkPolicyPeer], ports: Sequence[k8s.NetworkPolicyPort] | None = None
) -> k8s.NetworkPolicyIngressRule:
    return k8s.NetworkPolicyIngressRule(from_=peers, ports=ports)


def _to(
    peers: Sequence[k8s.NetworkPolicyPeer], ports: Sequence[k8s.NetworkPolicyPort] | None = None
) -> k8s.NetworkPolicyEgressRule:
    return k8s.NetworkPolicyEgressRule(to=peers, ports=ports)


def _policy(
    scope: Construct,
    env: Environment,
    name: str,
    pods: k8s.LabelSelector,
    *,
    ingress: Sequence[k8s.NetworkPolicyIngressRule],
    egress: Sequence[k8s.NetworkPolicyEgressRule] | None = None,
) -> cdk8s.ApiObject:
    return k8s.KubeNetworkPolicy(
        scope,
        f"policy-{name}",
        metadata=k8s.ObjectMeta(name=name, namespace=env.milvus.namespace),
        spec=k8s.NetworkPolicySpec(
            pod_selector=pods,
            policy_types=["Ingress"] if egress is None else ["Ingress", "Egress"],
            ingress=ingress,
            egress=egress,
        ),
    )
