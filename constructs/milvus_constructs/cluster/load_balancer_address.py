"""The address of a load balancer that a controller made for an object in the cluster."""

from __future__ import annotations

from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from milvus_constructs.cluster.attached_chart import Attached
from milvus_constructs.tree import child

_TIMEOUT = Duration.minutes(10)


class LoadBalancerAddress(Construct):
    """Waits for the load balancer of a Service or an Ingress, at most ten minutes, and knows its host name.

    The name is read again when the object changes. Another scheme means another load balancer, which takes minutes:
    until a deployment that changes the object again, the old name may stand here (docs/upgrade.md says what to do).

    Example:
        >>> service = attached.find("Service", "milvus-service")
        >>> LoadBalancerAddress(stack, "Address", cluster=cluster, attached=service).host
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: eks.ICluster, attached: Attached) -> None:
        super().__init__(scope, construct_id)
        metadata = attached.manifest["metadata"]
        value = eks.KubernetesObjectValue(
            self,
            "Value",
            cluster=cluster,
            object_type=attached.manifest["kind"].lower(),
            object_name=metadata["name"],
            object_namespace=metadata["namespace"],
            json_path=".status.loadBalancer.ingress[0].hostname",
            timeout=_TIMEOUT,
        )
        value.node.add_dependency(attached.resource)
        resource = child(value, "Resource/Default", CfnResource)
        resource.add_property_override("Trigger", Stack.of(self).to_json_string(attached.manifest))
        self.host = value.value
        """Host name of the load balancer."""
