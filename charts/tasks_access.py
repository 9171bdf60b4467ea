"""What the tasks of the cluster stack may do in the cluster beyond reading the release's namespace."""

from __future__ import annotations

import cdk8s
from cdk8s_plus_27 import k8s
from constructs import Construct

_API_GROUP = "rbac.authorization.k8s.io"
_NAME = "milvus-on-eks-storage-class"


class TasksAccessChart(cdk8s.Chart):
    """Lets a group read and mark one StorageClass.

    Who is in the group is for an access entry of the cluster to say.

    Example:
        >>> TasksAccessChart(cdk8s.App(), "tasks-access", group="milvus-on-eks:tasks", storage_class="gp2")
    """

    def __init__(self, scope: Construct, construct_id: str, *, group: str, storage_class: str) -> None:
        super().__init__(scope, construct_id)
        metadata = k8s.ObjectMeta(name=_NAME)
        mark = k8s.PolicyRule(
            api_groups=["storage.k8s.io"],
            resources=["storageclasses"],
            resource_names=[storage_class],
            verbs=["get", "patch"],
        )
        role = k8s.KubeClusterRole(self, "role", metadata=metadata, rules=[mark])
        binding = k8s.KubeClusterRoleBinding(
            self,
            "binding",
            metadata=metadata,
            role_ref=k8s.RoleRef(api_group=_API_GROUP, kind=role.kind, name=role.name),
            subjects=[k8s.Subject(api_group=_API_GROUP, kind="Group", name=group)],
        )
        binding.add_dependency(role)
