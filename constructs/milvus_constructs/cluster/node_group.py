"""A managed node group: AL2023, IMDSv2, encrypted gp3 root volume, least privilege."""

from __future__ import annotations

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from milvus_constructs.checks.acknowledgements import acknowledge, managed_policy
from milvus_constructs.tree import child
from settings import cluster as settings_of
from settings.contract import NODE_GROUP_LABEL
from settings.instances import INSTANCE_TYPES

_AMI_TYPES = {
    "amd64": eks.NodegroupAmiType.AL2023_X86_64_STANDARD,
    "arm64": eks.NodegroupAmiType.AL2023_ARM_64_STANDARD,
}
_NODE_POLICIES = {
    "AmazonEKSWorkerNodePolicy": "EKS demands this policy on the role of a node",
    "AmazonEC2ContainerRegistryPullOnly": "nodes pull the add-ons' images from AWS's registries, and push nothing",
}
# Pods that need AWS have a role of their own; one hop keeps the node's role out of the reach of any pod without the
# host's network. https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
_METADATA_HOPS = 1
# EKS merges it with its own: nodeadm makes one disk of the instance's own, and puts the kubelet and containerd on it.
# https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/ and
# https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
_LOCAL_STORAGE = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="BOUNDARY"

--BOUNDARY
Content-Type: application/node.eks.aws

apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0

--BOUNDARY--
"""


class NodeGroup(Construct):
    """A managed node group in private subnets. Its instances cost money by the hour.

    The nodes carry the cluster's own security group and nothing else. Their role has neither the policy of the VPC CNI
    nor any other permission of a pod. Changing the instance types or the capacity kind replaces the group; another disk
    rolls its nodes. Instances and volumes carry a name, and EKS's own tags of cluster and group.

    Example:
        >>> NodeGroup(stack, "Milvus", cluster=cluster, name="milvus", version="1.36",
        ...     settings=env.cluster.node_groups["milvus"], subnets=private, volume_key_arn=None, after=addons)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: eks.ICluster,
        name: str,
        settings: settings_of.NodeGroup,
        version: str,
        subnets: ec2.SubnetSelection,
        volume_key_arn: str | None,
        after: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description=f"Nodes of the group {name}",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy) for policy in _NODE_POLICIES],
        )
        template = self._launch_template(settings, f"{cluster.cluster_name}-{name}", volume_key_arn)
        self.node_group = eks.Nodegroup(
            self,
            "Resource",
            cluster=cluster,
            ami_type=_AMI_TYPES[INSTANCE_TYPES[settings.instance_types[0]].architecture],
            instance_types=[ec2.InstanceType(name) for name in settings.instance_types],
            capacity_type=eks.CapacityType.SPOT if settings.spot else eks.CapacityType.ON_DEMAND,
            min_size=settings.min_size,
            desired_size=settings.desired_size,
            max_size=settings.max_size,
            max_unavailable=1,
            enable_node_auto_repair=True,
            node_role=self.role,
            subnets=subnets,
            launch_template_spec=eks.LaunchTemplateSpec(id=template.ref, version=template.attr_latest_version_number),
            labels={**settings.labels, NODE_GROUP_LABEL: name},
            taints=[
                eks.TaintSpec(key=taint.key, value=taint.value, effect=eks.TaintEffect[taint.effect])
                for taint in settings.taints
            ],
            # A pod that a disruption budget protects makes an upgrade fail instead of being killed after 15 minutes.
            force_update=False,
        )
        self.node_group.node.add_dependency(after)
        # Without it, an upgraded cluster would keep its old nodes.
        child(self.node_group, "Resource", eks.CfnNodegroup).version = version
        acknowledge(self.role, {managed_policy(policy): reason for policy, reason in _NODE_POLICIES.items()})

    def _launch_template(
        self, settings: settings_of.NodeGroup, name: str, volume_key_arn: str | None
    ) -> ec2.CfnLaunchTemplate:
        return ec2.CfnLaunchTemplate(
            self,
            "LaunchTemplate",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                user_data=Fn.base64(_LOCAL_STORAGE) if settings.local_storage == "raid0" else None,
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_tokens="required", http_put_response_hop_limit=_METADATA_HOPS
                ),
                block_device_mappings=[
                    ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
                        device_name="/dev/xvda",
                        ebs=ec2.CfnLaunchTemplate.EbsProperty(
                            volume_size=settings.disk_gib,
                            volume_type="gp3",
                            iops=settings.disk_iops,
                            throughput=settings.disk_throughput,
                            encrypted=True,
                            kms_key_id=volume_key_arn,
                            delete_on_termination=True,
                        ),
                    )
                ],
                # The stack's tags are on the node group. Here too, another tag would be another version of the template
                # and other tags of the group in one change, which EKS refuses (aws-cdk#16644).
                tag_specifications=[
                    ec2.CfnLaunchTemplate.TagSpecificationProperty(
                        resource_type=kind, tags=[{"key": "Name", "value": name}]
                    )
                    for kind in ("instance", "volume")
                ],
            ),
        )
