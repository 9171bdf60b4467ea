"""What the published guide deploys, word by word, as if it were a template of ours: to price it by the same rules.

https://milvus.io/blog/how-to-deploy-open-source-milvus-vector-database-on-amazon-eks.md. It names neither type nor
volume of the brokers: those of our `guide` environment are put in. Nothing of ours is in it: no logs, keys for disks or
buckets, metrics above the free level, backups.
"""

from __future__ import annotations

import json
from typing import Any

from ops.cost.assembly import Deployment, Resource

GUIDE = "guide as written"


def guide_as_written() -> Deployment:
    """Return the guide's resources: eksctl's VPC with a NAT gateway, three nodes, MSK, the chart, load balancers."""
    resources = (
        _resource("Cluster", "AWS::EKS::Cluster", Version="1.36"),
        _resource("Nat", "AWS::EC2::NatGateway"),
        _resource("Address", "AWS::EC2::EIP"),
        _resource(
            "Launch",
            "AWS::EC2::LaunchTemplate",
            LaunchTemplateData={"BlockDeviceMappings": [{"Ebs": {"VolumeSize": 80}}]},  # eksctl's default
        ),
        _resource(
            "Nodes",
            "AWS::EKS::Nodegroup",
            Labels={"node-group": "milvus"},
            InstanceTypes=["m6i.2xlarge"],
            ScalingConfig={"DesiredSize": 3},
            LaunchTemplate={"Id": {"Ref": "Launch"}},
        ),
        _resource(
            "Brokers",
            "AWS::MSK::Cluster",
            NumberOfBrokerNodes=3,
            BrokerNodeGroupInfo={
                "InstanceType": "kafka.m7g.large",
                "StorageInfo": {"EBSStorageInfo": {"VolumeSize": 100}},
            },
        ),
        _resource("Key", "AWS::KMS::Key"),  # an AmazonMSK_ secret needs a customer's own
        _resource("Secret", "AWS::SecretsManager::Secret"),
        _resource("Bucket", "AWS::S3::Bucket"),
        _resource("Release", "Custom::AWSCDK-EKS-HelmChart", Chart="milvus", Values=json.dumps(_values())),
        _resource(
            "Doors",
            "Custom::AWSCDK-EKS-KubernetesResource",
            Manifest=json.dumps(
                [
                    {"kind": "Service", "metadata": {}, "spec": {"type": "LoadBalancer"}},
                    {"kind": "Ingress", "metadata": {"annotations": {"alb/scheme": "internet-facing"}}},
                ]
            ),
        ),
    )
    return Deployment(GUIDE, "us-east-2", resources)


def _values() -> dict[str, Any]:
    return {
        "rootCoordinator": _pods(2, 1, 2),
        "queryCoordinator": _pods(2, 0.5, 0.5),
        "dataCoordinator": _pods(2, 0.5, 0.5),
        "indexCoordinator": _pods(2, 0.5, 0.5),
        "proxy": _pods(2, 1, 4),
        "queryNode": _pods(1, 2, 8),
        "dataNode": _pods(1, 1, 4),
        "indexNode": _pods(1, 4, 8),
        # The chart's own: three members that request nothing, with 10 GiB each.
        "etcd": {"replicaCount": 3, "resources": {}, "persistence": {"size": "10Gi"}},
    }


def _pods(replicas: int, cpu: float, memory_gib: float) -> dict[str, Any]:
    requests = {"cpu": cpu, "memory": f"{memory_gib}Gi"}
    return {"replicas": replicas, "resources": {"requests": requests}}


def _resource(logical_id: str, kind: str, **properties: object) -> Resource:
    return Resource("guide", logical_id, kind, properties)
