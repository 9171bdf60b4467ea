"""Credentials from Secrets Manager to Kubernetes Secrets, by the External Secrets Operator."""

from __future__ import annotations

from collections.abc import Mapping

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.context import ReleaseContext, needs_secrets, require
from charts.names import (
    ATTU_OIDC_SECRET,
    CONTROLLER_ACCOUNT,
    CONTROLLER_NAMESPACE,
    KAFKA_SECRET,
    ROOT_SECRET,
    SECRET_STORE,
    SECRETS_SERVICE_ACCOUNT,
)
from charts.objects import custom_resource
from settings import Environment

_API = "external-secrets.io/v1"
# A rotated secret reaches Kubernetes within this time, and Milvus with the next restart of its pods.
_REFRESH = "1h"


def secrets(scope: Construct, env: Environment, context: ReleaseContext) -> list[cdk8s.ApiObject]:
    """Create the ExternalSecrets that the release needs, with the store that they read from; none where it needs none.

    The store signs in with a service account and role of its own, so that Milvus itself can read no secret. Values
    never pass through a manifest: an object here only names what the operator has to copy inside the cluster. Pods get
    them by `charts.values.credentials`.

    Raises:
        ValueError: The context lacks a role or a secret that the settings need.
    """
    if not needs_secrets(env):
        return []
    store = _store(scope, env, context)
    found = []
    if env.queue.kind == "msk":
        arn = require(context.kafka_secret_arn, "kafka_secret_arn", "the queue is MSK")
        found.append(_external_secret(scope, env, KAFKA_SECRET, arn, {"username": "username", "password": "password"}))
    if env.milvus.authorization:
        arn = require(context.root_secret_arn, "root_secret_arn", "authorization is on")
        found.append(_external_secret(scope, env, ROOT_SECRET, arn, {"password": "password"}))
    attu = env.milvus.attu
    if attu.exposure != "off" and attu.oidc:
        keys = {"clientID": "clientID", "clientSecret": "clientSecret"}
        found.append(_external_secret(scope, env, ATTU_OIDC_SECRET, attu.oidc.client_secret_arn, keys))
    for external_secret in found:
        external_secret.add_dependency(store)
    if attu.exposure != "off" and attu.oidc:
        found += _readable_by_the_controller(scope, env, ATTU_OIDC_SECRET)
    return found


def _readable_by_the_controller(scope: Construct, env: Environment, secret: str) -> list[cdk8s.ApiObject]:
    """Let the load balancer controller, which may read no Secret, read this one: it hands it to the load balancer.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/examples/secrets_access/
    """
    metadata = k8s.ObjectMeta(name=f"{secret}-reader", namespace=env.milvus.namespace)
    rule = k8s.PolicyRule(
        api_groups=[""], resources=["secrets"], resource_names=[secret], verbs=["get", "list", "watch"]
    )
    reader = k8s.KubeRole(scope, "secret-reader", metadata=metadata, rules=[rule])
    binding = k8s.KubeRoleBinding(
        scope,
        "secret-reader-binding",
        metadata=metadata,
        role_ref=k8s.RoleRef(api_group="rbac.authorization.k8s.io", kind=reader.kind, name=reader.name),
        subjects=[k8s.Subject(kind="ServiceAccount", name=CONTROLLER_ACCOUNT, namespace=CONTROLLER_NAMESPACE)],
    )
    binding.add_dependency(reader)
    return [reader, binding]


def _store(scope: Construct, env: Environment, context: ReleaseContext) -> cdk8s.ApiObject:
    role = require(context.secrets_role_arn, "secrets_role_arn", "the release reads secrets")
    account = k8s.KubeServiceAccount(
        scope,
        "secrets-service-account",
        metadata=k8s.ObjectMeta(
            name=SECRETS_SERVICE_ACCOUNT,
            namespace=env.milvus.namespace,
            annotations={"eks.amazonaws.com/role-arn": role},
        ),
        automount_service_account_token=False,
    )
    store = custom_resource(
        scope,
        "secret-store",
        api_version=_API,
        kind="SecretStore",
        name=SECRET_STORE,
        namespace=env.milvus.namespace,
        spec={
            "provider": {
                "aws": {
                    "service": "SecretsManager",
                    "region": context.region,
                    "auth": {"jwt": {"serviceAccountRef": {"name": SECRETS_SERVICE_ACCOUNT}}},
                }
            }
        },
    )
    store.add_dependency(account)
    return store


def _external_secret(
    scope: Construct, env: Environment, name: str, arn: str, keys: Mapping[str, str]
) -> cdk8s.ApiObject:
    return custom_resource(
        scope,
        name,
        api_version=_API,
        kind="ExternalSecret",
        name=name,
        namespace=env.milvus.namespace,
        spec={
            "refreshInterval": _REFRESH,
            "secretStoreRef": {"kind": "SecretStore", "name": SECRET_STORE},
            # The Secret goes with its ExternalSecret, but never because the secret in AWS cannot be read for a while.
            "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "data": [{"secretKey": key, "remoteRef": {"key": arn, "property": remote}} for key, remote in keys.items()],
        },
    )
