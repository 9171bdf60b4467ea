"""Every object beside the release, whole, of an environment that has each of them."""

from __future__ import annotations

from typing import Any

import cdk8s
import yaml

from charts.tasks_access import TasksAccessChart
from settings import Environment
from tests.unit.chart_objects import chart_of, environment

CERTIFICATE = "arn:aws:acm:us-east-2:111122223333:certificate"

OBJECTS = """
apiVersion: v1
kind: Namespace
metadata:
  name: search
  labels:
    elbv2.k8s.aws/pod-readiness-gate-inject: enabled
    pod-security.kubernetes.io/enforce: baseline
    pod-security.kubernetes.io/enforce-version: v1.36
    pod-security.kubernetes.io/audit: restricted
    pod-security.kubernetes.io/audit-version: v1.36
    pod-security.kubernetes.io/warn: restricted
    pod-security.kubernetes.io/warn-version: v1.36
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: milvus-s3-access-sa
  namespace: search
  labels: {aws-usage: milvus}
  annotations:
    eks.amazonaws.com/role-arn: ${MILVUS_ROLE_ARN}
    eks.amazonaws.com/sts-regional-endpoints: "true"
automountServiceAccountToken: false
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: milvus-secrets-sa
  namespace: search
  annotations: {eks.amazonaws.com/role-arn: "${SECRETS_ROLE_ARN}"}
automountServiceAccountToken: false
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: milvus-secrets-manager, namespace: search}
spec:
  provider:
    aws:
      service: SecretsManager
      region: us-east-2
      auth: {jwt: {serviceAccountRef: {name: milvus-secrets-sa}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: milvus-kafka, namespace: search}
spec:
  refreshInterval: 1h
  secretStoreRef: {kind: SecretStore, name: milvus-secrets-manager}
  target: {name: milvus-kafka, creationPolicy: Owner, deletionPolicy: Retain}
  data:
    - {secretKey: username, remoteRef: {key: "${KAFKA_SECRET_ARN}", property: username}}
    - {secretKey: password, remoteRef: {key: "${KAFKA_SECRET_ARN}", property: password}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: milvus-root, namespace: search}
spec:
  refreshInterval: 1h
  secretStoreRef: {kind: SecretStore, name: milvus-secrets-manager}
  target: {name: milvus-root, creationPolicy: Owner, deletionPolicy: Retain}
  data:
    - {secretKey: password, remoteRef: {key: "${ROOT_SECRET_ARN}", property: password}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: milvus-attu-oidc, namespace: search}
spec:
  refreshInterval: 1h
  secretStoreRef: {kind: SecretStore, name: milvus-secrets-manager}
  target: {name: milvus-attu-oidc, creationPolicy: Owner, deletionPolicy: Retain}
  data:
    - secretKey: clientID
      remoteRef: {key: "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf", property: clientID}
    - secretKey: clientSecret
      remoteRef: {key: "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf", property: clientSecret}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: milvus-attu-oidc-reader, namespace: search}
rules:
  - {apiGroups: [""], resources: [secrets], resourceNames: [milvus-attu-oidc], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: milvus-attu-oidc-reader, namespace: search}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: milvus-attu-oidc-reader}
subjects:
  - {kind: ServiceAccount, name: aws-load-balancer-controller, namespace: kube-system}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: search}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [], egress: []}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: milvus, namespace: search}
spec:
  podSelector: &milvus
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus}
    matchExpressions:
      - {key: component, operator: In, values: [mixcoord, proxy, querynode, streamingnode, datanode]}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: *milvus}]
    - from:
        - namespaceSelector: {}
          podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}
      ports: [{protocol: TCP, port: 9091}]
  egress:
    - to: [{podSelector: *milvus}]
    - to: [{podSelector: &etcd {matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: etcd}}}]
      ports: [{protocol: TCP, port: 2379}]
    - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
      ports: [{protocol: TCP, port: 443}]
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
    - to: [{ipBlock: {cidr: 10.0.0.0/16}}]
      ports: [{protocol: TCP, port: 9096}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: milvus-clients, namespace: search}
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: proxy}
  policyTypes: [Ingress]
  ingress:
    - from: [{ipBlock: {cidr: 10.0.0.0/16}}]
      ports: [{protocol: TCP, port: 19530}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: etcd, namespace: search}
spec:
  podSelector: &etcd {matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: etcd}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus}
            matchExpressions:
              - {key: component, operator: In, values: [mixcoord, proxy, querynode, streamingnode, datanode]}
      ports: [{protocol: TCP, port: 2379}]
    - from: [{podSelector: *etcd}]
      ports: [{protocol: TCP, port: 2379}, {protocol: TCP, port: 2380}]
  egress:
    - to: [{podSelector: *etcd}]
      ports: [{protocol: TCP, port: 2379}, {protocol: TCP, port: 2380}]
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: attu, namespace: search}
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: attu}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ipBlock: {cidr: 10.0.0.0/16}}]
      ports: [{protocol: TCP, port: 3000}]
  egress:
    - to:
        - podSelector:
            matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: proxy}
      ports: [{protocol: TCP, port: 19530}]
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: milvus-attu, namespace: search}
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: proxy}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: attu}
      ports: [{protocol: TCP, port: 19530}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: milvus-on-eks-release, namespace: search}
rules:
  - {apiGroups: [""], resources: [secrets], verbs: [get, list, delete]}
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    resourceNames: [data-blue-etcd-0, data-blue-etcd-1, data-blue-etcd-2, data-blue-etcd-3, data-blue-etcd-4]
    verbs: [get, patch]
  - {apiGroups: [apps], resources: [statefulsets], verbs: [create]}
  - {apiGroups: [apps], resources: [statefulsets], resourceNames: [blue-etcd], verbs: [get, patch, delete]}
  - {apiGroups: [""], resources: [configmaps], verbs: [create]}
  - {apiGroups: [""], resources: [configmaps], resourceNames: [blue-etcd-being-made-again], verbs: [get, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: milvus-on-eks-release, namespace: search}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: milvus-on-eks-release}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "milvus-on-eks:tasks"}
---
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: blue, namespace: kube-system}
spec:
  repo: https://zilliztech.github.io/milvus-helm/
  chart: milvus
  version: 5.0.19
  targetNamespace: search
  failurePolicy: abort
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: blue-etcd, namespace: search}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: etcd}}
  unhealthyPodEvictionPolicy: AlwaysAllow
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: blue-milvus-mixcoord, namespace: search}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: mixcoord}
  unhealthyPodEvictionPolicy: AlwaysAllow
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: blue-milvus-proxy, namespace: search}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: proxy}
  unhealthyPodEvictionPolicy: AlwaysAllow
---
apiVersion: v1
kind: Service
metadata:
  name: front
  namespace: search
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
    service.beta.kubernetes.io/aws-load-balancer-attributes: load_balancing.cross_zone.enabled=true
    service.beta.kubernetes.io/aws-load-balancer-healthcheck-interval: "10"
    service.beta.kubernetes.io/aws-load-balancer-healthcheck-port: traffic-port
    service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol: tcp
    service.beta.kubernetes.io/aws-load-balancer-alpn-policy: HTTP2Preferred
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:us-east-2:111122223333:certificate/1
    service.beta.kubernetes.io/aws-load-balancer-ssl-negotiation-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: "19530"
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  loadBalancerSourceRanges: [203.0.113.0/24, 198.51.100.0/24]
  allocateLoadBalancerNodePorts: false
  ports: [{name: milvus, port: 19530, protocol: TCP, targetPort: 19530}]
  selector: {app.kubernetes.io/instance: blue, app.kubernetes.io/name: milvus, component: proxy}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: blue-milvus-attu
  namespace: search
  annotations:
    alb.ingress.kubernetes.io/group.name: attu
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/inbound-cidrs: 203.0.113.0/24,198.51.100.0/24
    alb.ingress.kubernetes.io/healthcheck-path: /
    alb.ingress.kubernetes.io/load-balancer-attributes: routing.http.drop_invalid_header_fields.enabled=true
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:us-east-2:111122223333:certificate/2
    alb.ingress.kubernetes.io/ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
    alb.ingress.kubernetes.io/ssl-redirect: "443"
    alb.ingress.kubernetes.io/auth-type: oidc
    alb.ingress.kubernetes.io/auth-on-unauthenticated-request: authenticate
    alb.ingress.kubernetes.io/auth-idp-oidc: >-
      {"issuer": "https://id.example", "authorizationEndpoint": "https://id.example/authorize",
      "tokenEndpoint": "https://id.example/token", "userInfoEndpoint": "https://id.example/user",
      "secretName": "milvus-attu-oidc"}
spec:
  ingressClassName: alb
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: blue-milvus-attu, port: {number: 3000}}}
"""

MARKS_A_STORAGE_CLASS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: milvus-on-eks-storage-class}
rules:
  - {apiGroups: [storage.k8s.io], resources: [storageclasses], resourceNames: [gp2], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: milvus-on-eks-storage-class}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: milvus-on-eks-storage-class}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: those-who-mark}
"""


def exposed() -> Environment:
    ranges = ["203.0.113.0/24", "198.51.100.0/24"]
    return environment(
        ("milvus.namespace", "search"),
        ("milvus.release_name", "blue"),
        ("milvus.service_monitor", True),
        (
            "milvus.service",
            {
                "name": "front",
                "scheme": "internet-facing",
                "source_cidrs": ranges,
                "certificate_arn": f"{CERTIFICATE}/1",
                "hostname": "milvus.example.com",
            },
        ),
        (
            "milvus.attu",
            {
                "exposure": "internet-facing",
                "inbound_cidrs": ranges,
                "certificate_arn": f"{CERTIFICATE}/2",
                "oidc": {
                    "issuer": "https://id.example",
                    "authorization_endpoint": "https://id.example/authorize",
                    "token_endpoint": "https://id.example/token",
                    "user_info_endpoint": "https://id.example/user",
                    "client_secret_arn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:attu-AbCdEf",
                },
            },
        ),
    )


def by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}


def test_every_object_is_whole_as_it_was_decided() -> None:
    # GIVEN a release with everything that can be switched on
    found = chart_of(exposed()).to_json()
    # WHEN its values are left to the tests of the values
    [release] = [each for each in found if each["kind"] == "HelmChart"]
    assert release["spec"].pop("values")
    # THEN the rest is this, in the order in which it is applied
    expected = list(yaml.safe_load_all(OBJECTS))
    for name, each in by_name(expected).items():
        assert by_name(found).get(name) == each
    assert list(by_name(found)) == list(by_name(expected))


def test_functions_may_mark_one_storage_class_and_no_other() -> None:
    chart = TasksAccessChart(cdk8s.App(), "tasks-access", group="those-who-mark", storage_class="gp2")
    assert chart.to_json() == list(yaml.safe_load_all(MARKS_A_STORAGE_CLASS))
