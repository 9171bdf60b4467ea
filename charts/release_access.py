"""What the functions that look after the release may do in its namespace, beyond reading its workloads."""

from __future__ import annotations

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

from charts.workloads import etcd_name
from settings import Environment
from settings.contract import TASKS_GROUP

_API_GROUP = "rbac.authorization.k8s.io"
_NAME = "milvus-on-eks-release"
_MOST_MEMBERS = 5


def release_access(scope: Construct, env: Environment) -> cdk8s.ApiObject:
    """Create the permissions that let a release be prepared, and return what has to be there for them to hold.

    Helm keeps its records as Secrets, and Kubernetes cannot tell these from others by their type: who takes one away
    may read and delete every Secret of the namespace. No other role of this project may.
    """
    name = etcd_name(env)
    claims = [f"data-{name}-{number}" for number in range(_MOST_MEMBERS)]
    metadata = k8s.ObjectMeta(name=_NAME, namespace=env.milvus.namespace)
    role = k8s.KubeRole(
        scope,
        "release-access",
        metadata=metadata,
        rules=[
            _rule("", "secrets", "get", "list", "delete"),
            _rule("", "persistentvolumeclaims", "get", "patch", names=claims),
            # Nobody can be allowed to create an object of one name only.
            _rule("apps", "statefulsets", "create"),
            _rule("apps", "statefulsets", "get", "patch", "delete", names=[name]),
            _rule("", "configmaps", "create"),
            _rule("", "configmaps", "get", "delete", names=[f"{name}-being-made-again"]),
        ],
    )
    binding = k8s.KubeRoleBinding(
        scope,
        "release-access-binding",
        metadata=metadata,
        role_ref=k8s.RoleRef(api_group=_API_GROUP, kind=role.kind, name=role.name),
        subjects=[k8s.Subject(api_group=_API_GROUP, kind="Group", name=TASKS_GROUP)],
    )
    binding.add_dependency(role)
    return binding


def _rule(group: str, resource: str, *verbs: str, names: list[str] | None = None) -> k8s.PolicyRule:
    return k8s.PolicyRule(api_groups=[group], resources=[resource], verbs=list(verbs), resource_names=names)
