"""What clients reach: the network load balancer of Milvus and, where switched on, Attu's application load balancer."""

from __future__ import annotations

import json

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.names import ATTU_OIDC_SECRET
from charts.workloads import attu_name, component_labels, front_door
from settings import Environment
from settings.contract import ATTU_PORT, CLIENT_PORT
from settings.exposure import Attu

_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_NLB = "service.beta.kubernetes.io/aws-load-balancer-"
_ALB = "alb.ingress.kubernetes.io/"


def load_balancer_service(scope: Construct, env: Environment) -> cdk8s.ApiObject:
    """Create the Service for which the AWS Load Balancer Controller makes a network load balancer; it costs by hour.

    It carries port 19530 (gRPC and REST) and nothing else, and asks no other port for health: 9091 has no login
    (CVE-2026-26190). The chart's own Service, named like the release, stays inside the cluster.
    """
    service = env.milvus.service
    # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
    annotations = {
        "scheme": service.scheme,
        "nlb-target-type": "ip",
        # Whether Milvus is well, the kubelet asks on 9091, and a pod that is not ready is no target. The load balancer
        # asks whether the port of the clients is open: it needs no door of its own, from wherever its addresses are.
        "healthcheck-protocol": "tcp",
        "healthcheck-port": "traffic-port",
        "healthcheck-interval": "10",
        # Fewer proxies than zones are the rule: without it a client in the wrong zone finds nobody.
        "attributes": "load_balancing.cross_zone.enabled=true",
    }
    if service.certificate_arn:
        annotations |= {
            "ssl-cert": service.certificate_arn,
            "ssl-ports": str(CLIENT_PORT),
            "ssl-negotiation-policy": _TLS_POLICY,
            # gRPC clients insist on being offered HTTP/2.
            "alpn-policy": "HTTP2Preferred",
        }
    subnets = _existing_subnets(env, service.scheme)
    if subnets:
        annotations["subnets"] = subnets
    port = k8s.ServicePort(
        name="milvus", protocol="TCP", port=CLIENT_PORT, target_port=k8s.IntOrString.from_number(CLIENT_PORT)
    )
    return k8s.KubeService(
        scope,
        "load-balancer",
        metadata=k8s.ObjectMeta(
            name=service.name,
            namespace=env.milvus.namespace,
            annotations={_NLB + key: value for key, value in annotations.items()},
        ),
        spec=k8s.ServiceSpec(
            type="LoadBalancer",
            load_balancer_class="service.k8s.aws/nlb",
            allocate_load_balancer_node_ports=False,
            load_balancer_source_ranges=list(service.source_cidrs or env.network.cidrs),
            selector=component_labels(env, front_door(env)),
            ports=[port],
        ),
    )


def attu_ingress(scope: Construct, env: Environment) -> cdk8s.ApiObject | None:
    """Create the Ingress for which the controller makes Attu's application load balancer; None where Attu is off.

    Own rather than the chart's: the chart falls back to an API version that Kubernetes has removed, and this object has
    to go before the controller does. It costs by hour.
    """
    attu = env.milvus.attu
    if attu.exposure == "off":
        return None
    # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
    annotations = {
        "scheme": attu.exposure,
        "target-type": "ip",
        "group.name": "attu",
        "inbound-cidrs": ",".join(attu.inbound_cidrs or env.network.cidrs),
        "healthcheck-path": "/",
        "load-balancer-attributes": "routing.http.drop_invalid_header_fields.enabled=true",
        **_listeners(attu),
        **_sign_in(attu),
    }
    subnets = _existing_subnets(env, attu.exposure)
    if subnets:
        annotations["subnets"] = subnets
    service = k8s.IngressServiceBackend(name=attu_name(env), port=k8s.ServiceBackendPort(number=ATTU_PORT))
    path = k8s.HttpIngressPath(path="/", path_type="Prefix", backend=k8s.IngressBackend(service=service))
    return k8s.KubeIngress(
        scope,
        "attu-ingress",
        metadata=k8s.ObjectMeta(
            name=attu_name(env),
            namespace=env.milvus.namespace,
            annotations={_ALB + key: value for key, value in annotations.items()},
        ),
        spec=k8s.IngressSpec(
            ingress_class_name="alb",
            rules=[k8s.IngressRule(http=k8s.HttpIngressRuleValue(paths=[path]))],
        ),
    )


def _listeners(attu: Attu) -> dict[str, str]:
    if attu.certificate_arn is None:
        return {"listen-ports": json.dumps([{"HTTP": 80}])}
    return {
        "listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
        "ssl-redirect": "443",
        "certificate-arn": attu.certificate_arn,
        "ssl-policy": _TLS_POLICY,
    }


def _sign_in(attu: Attu) -> dict[str, str]:
    if attu.oidc:
        provider = {
            "issuer": attu.oidc.issuer,
            "authorizationEndpoint": attu.oidc.authorization_endpoint,
            "tokenEndpoint": attu.oidc.token_endpoint,
            "userInfoEndpoint": attu.oidc.user_info_endpoint,
            "secretName": ATTU_OIDC_SECRET,
        }
        kind = "oidc"
    elif attu.cognito:
        provider = {
            "userPoolARN": attu.cognito.user_pool_arn,
            "userPoolClientID": attu.cognito.user_pool_client_id,
            "userPoolDomain": attu.cognito.user_pool_domain,
        }
        kind = "cognito"
    else:
        return {}
    return {
        "auth-type": kind,
        f"auth-idp-{kind}": json.dumps(provider),
        "auth-on-unauthenticated-request": "authenticate",
    }


def _existing_subnets(env: Environment, scheme: str) -> str | None:
    """Return the subnets of somebody else's VPC, whose tags nobody promised; None where the tags are our own."""
    existing = env.network.existing
    if existing is None:
        return None
    chosen = existing.private_subnet_ids if scheme == "internal" else existing.public_subnet_ids
    return ",".join(chosen)
