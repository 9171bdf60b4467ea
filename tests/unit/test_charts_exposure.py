"""What is reachable from outside the cluster, by whom, and what never is."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.chart_objects import environment, objects_of

NLB = "service.beta.kubernetes.io/aws-load-balancer-"
ALB = "alb.ingress.kubernetes.io/"
CERTIFICATE = "arn:aws:acm:us-east-2:111122223333:certificate/00000000-0000-0000-0000-000000000000"
OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_secret_arn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf",
}
COGNITO = {
    "user_pool_arn": "arn:aws:cognito-idp:us-east-2:111122223333:userpool/us-east-2_abc",
    "user_pool_client_id": "client",
    "user_pool_domain": "attu-example",
}
EXISTING: list[tuple[str, Any]] = [
    ("network.existing.vpc_id", "vpc-0123456789abcdef0"),
    ("network.existing.private_subnet_ids", ["subnet-0000000a", "subnet-0000000b", "subnet-0000000c"]),
    ("network.existing.public_subnet_ids", ["subnet-0000001a", "subnet-0000001b", "subnet-0000001c"]),
]


def service(*changes: tuple[str, Any]) -> dict[str, Any]:
    return objects_of(environment(*changes))["Service/milvus-service"]


def ingress(**attu: Any) -> dict[str, Any]:
    return objects_of(environment(("milvus.attu", {"exposure": "internal", **attu})))["Ingress/milvus-attu"]


def annotation(found: dict[str, Any], key: str) -> str | None:
    value = found["metadata"]["annotations"].get(key)
    assert value is None or isinstance(value, str)
    return value


def test_load_balancer_carries_19530_to_the_proxies_and_nothing_else() -> None:
    spec = service()["spec"]
    # THEN never 9091: it has no login
    assert spec["ports"] == [{"name": "milvus", "port": 19530, "protocol": "TCP", "targetPort": 19530}]
    assert spec["selector"]["component"] == "proxy"
    assert (spec["type"], spec["loadBalancerClass"]) == ("LoadBalancer", "service.k8s.aws/nlb")
    assert spec["allocateLoadBalancerNodePorts"] is False


def test_load_balancer_is_the_only_one() -> None:
    found = objects_of(environment(("milvus.attu.exposure", "internal"))).values()
    assert [each["metadata"]["name"] for each in found if each["kind"] == "Service"] == ["milvus-service"]


def test_standalone_is_behind_the_load_balancer_itself() -> None:
    assert service(("milvus.mode", "standalone"))["spec"]["selector"]["component"] == "standalone"


def test_load_balancer_asks_the_port_of_the_clients_for_health_and_finds_pods_of_other_zones() -> None:
    assert service()["metadata"]["annotations"] == {
        f"{NLB}scheme": "internal",
        f"{NLB}nlb-target-type": "ip",
        f"{NLB}healthcheck-protocol": "tcp",
        f"{NLB}healthcheck-port": "traffic-port",
        f"{NLB}healthcheck-interval": "10",
        f"{NLB}attributes": "load_balancing.cross_zone.enabled=true",
    }


def test_load_balancer_is_internal_and_for_the_vpc_by_default() -> None:
    found = service(("network.cidr", "10.7.0.0/16"))
    assert annotation(found, f"{NLB}scheme") == "internal"
    assert found["spec"]["loadBalancerSourceRanges"] == ["10.7.0.0/16"]
    assert annotation(found, f"{NLB}ssl-cert") is None


def test_every_range_of_an_existing_vpc_is_the_vpc() -> None:
    ranges = ["100.64.0.0/16", "10.1.0.0/16"]
    env = environment(
        *EXISTING, ("network.existing.secondary_cidrs", ranges), ("milvus.attu", {"exposure": "internal"})
    )
    found = objects_of(env)
    everywhere = ["10.0.0.0/16", *ranges]
    assert found["Service/milvus-service"]["spec"]["loadBalancerSourceRanges"] == everywhere
    assert annotation(found["Ingress/milvus-attu"], f"{ALB}inbound-cidrs") == ",".join(everywhere)
    clients = found["NetworkPolicy/milvus-clients"]["spec"]["ingress"][0]["from"]
    assert [peer["ipBlock"]["cidr"] for peer in clients] == everywhere
    brokers = [rule["to"] for rule in found["NetworkPolicy/milvus"]["spec"]["egress"] if "9096" in str(rule)]
    assert [peer["ipBlock"]["cidr"] for peer in brokers[0]] == everywhere


def test_load_balancer_admits_the_given_ranges_only() -> None:
    found = service(("milvus.service", {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}))
    assert annotation(found, f"{NLB}scheme") == "internet-facing"
    assert found["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_certificate_means_tls_with_http2_on_19530() -> None:
    found = service(("milvus.service", {"certificate_arn": CERTIFICATE, "hostname": "milvus.example.com"}))
    assert annotation(found, f"{NLB}ssl-cert") == CERTIFICATE
    assert annotation(found, f"{NLB}ssl-ports") == "19530"
    assert annotation(found, f"{NLB}ssl-negotiation-policy") == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert annotation(found, f"{NLB}alpn-policy") == "HTTP2Preferred"


def test_load_balancers_in_an_existing_vpc_take_the_given_subnets() -> None:
    # GIVEN somebody else's VPC, whose subnets may carry no tags
    found = service(*EXISTING)
    assert annotation(found, f"{NLB}subnets") == "subnet-0000000a,subnet-0000000b,subnet-0000000c"
    public = {"scheme": "internet-facing", "source_cidrs": ["203.0.113.0/24"]}
    attu = {"exposure": "internet-facing", "inbound_cidrs": ["203.0.113.0/24"]}
    objects = objects_of(environment(*EXISTING, ("milvus.service", public), ("milvus.attu", attu)))
    subnets = "subnet-0000001a,subnet-0000001b,subnet-0000001c"
    assert annotation(objects["Service/milvus-service"], f"{NLB}subnets") == subnets
    assert annotation(objects["Ingress/milvus-attu"], f"{ALB}subnets") == subnets
    # AND our own VPC is found by its tags
    assert annotation(service(), f"{NLB}subnets") is None


# --- Attu


def test_attu_has_no_ingress_unless_switched_on() -> None:
    assert not [key for key in objects_of(environment()) if key.startswith("Ingress/")]


def test_attu_is_behind_an_alb_of_the_guides_group() -> None:
    found = ingress()
    assert found["apiVersion"] == "networking.k8s.io/v1"
    assert found["spec"]["ingressClassName"] == "alb"
    assert found["metadata"]["annotations"] == {
        f"{ALB}group.name": "attu",
        f"{ALB}scheme": "internal",
        f"{ALB}target-type": "ip",
        f"{ALB}inbound-cidrs": "10.0.0.0/16",
        f"{ALB}healthcheck-path": "/",
        f"{ALB}load-balancer-attributes": "routing.http.drop_invalid_header_fields.enabled=true",
        f"{ALB}listen-ports": '[{"HTTP": 80}]',
    }
    (rule,) = found["spec"]["rules"]
    backend = {"service": {"name": "milvus-attu", "port": {"number": 3000}}}
    assert rule == {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}


def test_attu_admits_the_vpc_unless_told_otherwise() -> None:
    assert annotation(ingress(), f"{ALB}inbound-cidrs") == "10.0.0.0/16"
    given = ingress(exposure="internet-facing", inbound_cidrs=["203.0.113.0/24", "198.51.100.0/24"])
    assert annotation(given, f"{ALB}inbound-cidrs") == "203.0.113.0/24,198.51.100.0/24"
    assert annotation(given, f"{ALB}scheme") == "internet-facing"


def test_attu_with_a_certificate_redirects_to_https() -> None:
    found = ingress(certificate_arn=CERTIFICATE)
    assert json.loads(annotation(found, f"{ALB}listen-ports") or "") == [{"HTTP": 80}, {"HTTPS": 443}]
    assert annotation(found, f"{ALB}ssl-redirect") == "443"
    assert annotation(found, f"{ALB}certificate-arn") == CERTIFICATE
    # AND by the policy of Milvus's own load balancer: the controller's default is from 2016
    assert annotation(found, f"{ALB}ssl-policy") == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_attu_without_a_certificate_speaks_plain_http() -> None:
    found = ingress()
    assert json.loads(annotation(found, f"{ALB}listen-ports") or "") == [{"HTTP": 80}]
    assert annotation(found, f"{ALB}ssl-redirect") is None


def test_attu_signs_in_by_oidc_with_the_secret_in_the_cluster_only() -> None:
    env = environment(("milvus.attu", {"exposure": "internal", "certificate_arn": CERTIFICATE, "oidc": OIDC}))
    found = objects_of(env)
    annotations = found["Ingress/milvus-attu"]["metadata"]["annotations"]
    assert annotations[f"{ALB}auth-type"] == "oidc"
    assert annotations[f"{ALB}auth-on-unauthenticated-request"] == "authenticate"
    assert json.loads(annotations[f"{ALB}auth-idp-oidc"]) == {
        "issuer": "https://login.example.com",
        "authorizationEndpoint": "https://login.example.com/authorize",
        "tokenEndpoint": "https://login.example.com/token",
        "userInfoEndpoint": "https://login.example.com/userinfo",
        "secretName": "milvus-attu-oidc",
    }
    # AND the Secret has the keys that the controller wants
    data = found["ExternalSecret/milvus-attu-oidc"]["spec"]["data"]
    assert [each["secretKey"] for each in data] == ["clientID", "clientSecret"]
    assert {each["remoteRef"]["key"] for each in data} == {OIDC["client_secret_arn"]}
    # AND the controller, which may read no Secret, may read this one
    assert found["Role/milvus-attu-oidc-reader"]["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["milvus-attu-oidc"],
            "verbs": ["get", "list", "watch"],
        }
    ]
    binding = found["RoleBinding/milvus-attu-oidc-reader"]
    rbac = "rbac.authorization.k8s.io"
    assert binding["roleRef"] == {"apiGroup": rbac, "kind": "Role", "name": "milvus-attu-oidc-reader"}
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "aws-load-balancer-controller", "namespace": "kube-system"}
    ]


def test_attu_signs_in_by_cognito() -> None:
    annotations = ingress(certificate_arn=CERTIFICATE, cognito=COGNITO)["metadata"]["annotations"]
    assert annotations[f"{ALB}auth-type"] == "cognito"
    assert json.loads(annotations[f"{ALB}auth-idp-cognito"]) == {
        "userPoolARN": COGNITO["user_pool_arn"],
        "userPoolClientID": "client",
        "userPoolDomain": "attu-example",
    }
