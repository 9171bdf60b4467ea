"""A small cloud assembly with one of each thing that is billed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VALUES: dict[str, Any] = {
    "proxy": {"enabled": True, "replicas": 2, "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}}},
    "queryNode": {
        "enabled": True,
        "replicas": 3,
        "resources": {"requests": {"cpu": "2", "memory": "16Gi"}},
        "nodeSelector": {"node-group": "query"},
    },
    "rootCoordinator": {"enabled": False, "resources": {"requests": {"cpu": 9}}},
    "etcd": {
        "enabled": True,
        "replicaCount": 3,
        "persistence": {"size": "10Gi"},
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
    },
    "extraConfigFiles": {"user.yaml": "rootCoord:\n  dmlChannelNum: 4\n"},
}

NODES = {
    "Type": "AWS::EKS::Nodegroup",
    "Properties": {
        "Labels": {"node-group": "general"},
        "InstanceTypes": ["m7g.xlarge"],
        "ScalingConfig": {"DesiredSize": 3},
        "LaunchTemplate": {"Id": {"Ref": "Launch"}},
    },
}

RESOURCES: dict[str, Any] = {
    "Launch": {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {"LaunchTemplateData": {"BlockDeviceMappings": [{"Ebs": {"VolumeSize": 80}}]}},
    },
    "Nodes": NODES,
    "Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Version": "1.36"}},
    "Nat": {"Type": "AWS::EC2::NatGateway"},
    "Endpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]},
    },
    "Gateway": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
    "Brokers": {
        "Type": "AWS::MSK::Cluster",
        "Properties": {
            "NumberOfBrokerNodes": 3,
            "EnhancedMonitoring": "PER_BROKER",
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.m7g.large",
                "StorageInfo": {"EBSStorageInfo": {"VolumeSize": 100}},
            },
        },
    },
    "Release": {
        "Type": "Custom::AWSCDK-EKS-HelmChart",
        "Properties": {"Chart": "milvus", "Values": json.dumps(VALUES)},
    },
}


def write_assembly(folder: Path, resources: dict[str, Any], *, region: str = "us-east-2", name: str = "mine") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://unknown-account/{region}",
        "properties": {"templateFile": f"{name}.template.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {name: artifact}}), encoding="utf-8")
    (folder / f"{name}.template.json").write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    return folder
