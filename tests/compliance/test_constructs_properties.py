"""Every plain property of the resources of one environment: what no relation, no right and no chart says."""

from __future__ import annotations

import json
from typing import Any

from settings.eks_versions import EKS_VERSIONS, EXTERNAL_SECRETS_CHART
from settings.version import version
from tests.assemblies import assembly
from tests.compliance.test_relations import CDK_MAKES_IT
from tests.references import assembly_of, references

Properties = dict[str, Any]

HELD_ELSEWHERE = {
    "AssumeRolePolicyDocument",
    "Code",
    "Policies",
    "Tags",
    # What a guard compares, and what makes a task run again.
    "Rules",
    "Settings",
    "Trigger",
    # For readers.
    "Content",
    "Description",
    "GroupDescription",
}
SUFFIX = "<0 of <2 of ${AWS::StackId} cut at /> cut at ->"
"""Of names that must be new for each stack: the first letters of its id."""
NO_WAY_OUT = {
    "CidrIp": "255.255.255.255/32",
    "Description": "Disallow all traffic",
    "FromPort": 252,
    "IpProtocol": "icmp",
    "ToPort": 86,
}
"""How the CDK writes a security group that lets nothing out: CloudFormation would open one without any rule."""
CIDR = "10.0.0.0/16"
AWS_POLICY = "arn:${AWS::Partition}:iam::aws:policy"
ADDONS = EKS_VERSIONS["1.36"].addons


def https_from(cidr: str, description: str) -> Properties:
    return {"CidrIp": cidr, "Description": description, "FromPort": 443, "IpProtocol": "tcp", "ToPort": 443}


def logs(days: int) -> Properties:
    return {"RetentionInDays": days}


def key(*, of_a_secret: bool = False) -> Properties:
    account = {"AWS": "arn:aws:iam::${AWS::AccountId}:root"}
    statements: list[Properties] = [{"Action": "kms:*", "Effect": "Allow", "Principal": account, "Resource": "*"}]
    if of_a_secret:
        actions = ["CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"]
        through = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-2.amazonaws.com"}}
        statements.append(
            {
                "Action": [f"kms:{action}" for action in actions],
                "Condition": through,
                "Effect": "Allow",
                "Principal": account,
                "Resource": "*",
            }
        )
    return {
        "EnableKeyRotation": True,
        "KeyPolicy": {"Statement": statements, "Version": "2012-10-17"},
        "PendingWindowInDays": 30,
    }


def handler(seconds: int, *, pause: str | None = "15") -> Properties:
    found: Properties = {
        "Architectures": ["arm64"],
        "Handler": "handler.on_event",
        "MemorySize": 256,
        "Runtime": "python3.14",
        "Timeout": seconds,
    }
    return found if pause is None else {**found, "Environment": {"Variables": {"PAUSE_SECONDS": pause}}}


def network() -> Properties:
    found: Properties = {
        "network/Network/Vpc": {
            "CidrBlock": CIDR,
            "EnableDnsHostnames": True,
            "EnableDnsSupport": True,
            "InstanceTenancy": "default",
        },
        "network/Network/Vpc/S3": {"ServiceName": "com.amazonaws.${AWS::Region}.s3", "VpcEndpointType": "Gateway"},
        "network/Network/Vpc/RestrictDefaultSecurityGroupCustomResource": {"Account": "${AWS::AccountId}"},
        "network/Network/Vpc/FlowLog/FlowLog": {
            "LogDestinationType": "cloud-watch-logs",
            "ResourceType": "VPC",
            "TrafficType": "ALL",
        },
        "network/Network/FlowLogGroup": logs(90),
        "network/Network/Endpoints/SecurityGroup": {
            "SecurityGroupEgress": [NO_WAY_OUT],
            "SecurityGroupIngress": [https_from(CIDR, "HTTPS from the VPC")],
        },
    }
    # A third of the range is kept for each zone, private subnets first.
    for kind, ranges in {
        "private": ("10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"),
        "public": ("10.0.48.0/24", "10.0.49.0/24", "10.0.50.0/24"),
    }.items():
        for number, zone in enumerate("abc"):
            subnet = f"network/Network/Vpc/{kind}Subnet{number + 1}"
            found[f"{subnet}/Subnet"] = {
                "AvailabilityZone": f"${{AWS::Region}}{zone}",
                "CidrBlock": ranges[number],
                "MapPublicIpOnLaunch": False,
            }
            found[f"{subnet}/DefaultRoute"] = {"DestinationCidrBlock": "0.0.0.0/0"}
            if kind == "public":
                found[f"{subnet}/EIP"] = {"Domain": "vpc"}
    for service in ("ecr.api", "ecr.dkr", "sts", "logs", "secretsmanager", "kms"):
        found[f"network/Network/Endpoints/{service.replace('.', '-')}"] = {
            "PrivateDnsEnabled": True,
            "ServiceName": f"com.amazonaws.us-east-2.{service}",
            "VpcEndpointType": "Interface",
        }
    return found


def storage() -> Properties:
    common = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
            ]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    ends = {
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "Status": "Enabled",
    }
    refused = {"Action": "s3:*", "Effect": "Deny", "Principal": {"AWS": "*"}}
    policy = {
        "PolicyDocument": {
            "Statement": [
                {**refused, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                {**refused, "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
            ],
            "Version": "2012-10-17",
        }
    }
    return {
        "storage/Storage/DataKey": key(),
        "storage/Storage/BackupKey": key(),
        "storage/Storage/Data": {
            **common,
            "LifecycleConfiguration": {"Rules": [{**ends, "ExpiredObjectDeleteMarker": True, "Id": "data"}]},
        },
        "storage/Storage/Backup": {
            **common,
            "LifecycleConfiguration": {
                "Rules": [
                    {**ends, "ExpirationInDays": 35, "Id": "backup"},
                    # No rule may have both: https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html
                    {"ExpiredObjectDeleteMarker": True, "Id": "delete-markers", "Status": "Enabled"},
                ]
            },
        },
        "storage/Storage/Data/Policy": policy,
        "storage/Storage/Backup/Policy": policy,
    }


def streaming() -> Properties:
    return {
        "streaming/Key": key(of_a_secret=True),
        "streaming/FunctionLogs": logs(90),
        "streaming/Kafka/SecurityGroup": {"SecurityGroupEgress": [NO_WAY_OUT]},
        "streaming/Kafka/BrokerLogs": {"LogGroupName": f"/aws/vendedlogs/msk/milvus-prod-{SUFFIX}", **logs(90)},
        "streaming/Kafka/Configuration": {
            "Name": f"milvus-prod-{SUFFIX}",
            "ServerProperties": "auto.create.topics.enable=true\n"
            "default.replication.factor=3\n"
            "log.retention.hours=168\n"
            "message.max.bytes=10485880\n"
            "min.insync.replicas=2\n"
            "num.partitions=1\n"
            "offsets.topic.replication.factor=3\n"
            "replica.fetch.max.bytes=20971760\n"
            "unclean.leader.election.enable=false\n",
        },
        "streaming/Kafka": {
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.m7g.large",
                "StorageInfo": {"EBSStorageInfo": {"VolumeSize": 200}},
            },
            "ClientAuthentication": {
                "Sasl": {"Iam": {"Enabled": False}, "Scram": {"Enabled": True}},
                "Unauthenticated": {"Enabled": False},
            },
            "ClusterName": "milvus-prod",
            "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True}},
            "EnhancedMonitoring": "PER_BROKER",
            "KafkaVersion": "3.9.x.kraft",
            "LoggingInfo": {"BrokerLogs": {"CloudWatchLogs": {"Enabled": True}}},
            "NumberOfBrokerNodes": 3,
        },
        "streaming/Kafka/StorageTarget": {
            "MaxCapacity": 2000,
            "MinCapacity": 1,
            "ScalableDimension": "kafka:broker-storage:VolumeSize",
            "ServiceNamespace": "kafka",
        },
        "streaming/Kafka/StorageGrowth": {
            "PolicyName": "broker-storage",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "DisableScaleIn": True,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "KafkaBrokerStorageUtilization"},
                "TargetValue": 60,
            },
        },
        "streaming/User": {
            "GenerateSecretString": {
                "ExcludeCharacters": "x",
                "ExcludePunctuation": True,
                "GenerateStringKey": "password",
                "IncludeSpace": False,
                "PasswordLength": 48,
                "RequireEachIncludedType": True,
                "SecretStringTemplate": {"username": "milvus"},
            },
            "Name": f"AmazonMSK_milvus-prod-milvus-{SUFFIX}",
        },
        "streaming/Association/Function": handler(300),
        "streaming/Brokers/Function": handler(300),
    }


def eks() -> Properties:
    found: Properties = {
        "eks/Cluster/SecretsKey": key(),
        "eks/Cluster/FunctionLogs": logs(30),
        "eks/Tasks/OnEvent/LogGroup": logs(30),
        "eks/Tasks/IsComplete/LogGroup": logs(30),
        "eks/Cluster/ControlPlaneLogGroup/Function": handler(600),
        "eks/Cluster/ControlPlaneLogGroup": {
            "LogGroup": "/aws/eks/milvus-prod/cluster",
            "Removal": "retain",
            "RetentionInDays": "90",
        },
        "eks/Cluster/Role": {"ManagedPolicyArns": [f"{AWS_POLICY}/AmazonEKSClusterPolicy"]},
        "eks/Cluster/KubectlLayer": {"LicenseInfo": "Apache-2.0"},
        "eks/Tasks/KubectlLayer": {"LicenseInfo": "Apache-2.0"},
        "eks/Cluster/Resource/ControlPlaneSecurityGroup": {
            "SecurityGroupEgress": [
                {"CidrIp": "0.0.0.0/0", "Description": "Allow all outbound traffic by default", "IpProtocol": "-1"}
            ],
            "SecurityGroupIngress": [https_from(CIDR, "Kubernetes API")],
        },
        "eks/Cluster/Resource": {
            "AccessConfig": {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False},
            "BootstrapSelfManagedAddons": False,
            "ComputeConfig": {"Enabled": False},
            "DeletionProtection": False,
            "EncryptionConfig": [{"Resources": ["secrets"]}],
            "KubernetesNetworkConfig": {"ElasticLoadBalancing": {"Enabled": False}, "IpFamily": "ipv4"},
            "Logging": {
                "ClusterLogging": {
                    "EnabledTypes": [
                        {"Type": "api"},
                        {"Type": "audit"},
                        {"Type": "authenticator"},
                        {"Type": "controllerManager"},
                        {"Type": "scheduler"},
                    ]
                }
            },
            "Name": "milvus-prod",
            "ResourcesVpcConfig": {"EndpointPrivateAccess": True, "EndpointPublicAccess": False},
            "StorageConfig": {"BlockStorage": {"Enabled": False}},
            "Version": "1.36",
        },
        "eks/Cluster/Resource/KubectlReadyBarrier": {"Type": "String", "Value": "aws:cdk:eks:kubectl-ready"},
        "eks/Cluster/Resource/ClusterAdminRoleAccess": {
            "AccessPolicies": [
                {
                    "AccessScope": {"Type": "cluster"},
                    "PolicyArn": "arn:${AWS::Partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                }
            ]
        },
        "eks/Cluster/Resource/OidcProviderNative": {"ClientIdList": ["sts.amazonaws.com"]},
        "eks/Cluster/OidcIssuer": {"Type": "String"},
        "eks/NetworkAddons/CniRole/Role": {"ManagedPolicyArns": [f"{AWS_POLICY}/AmazonEKS_CNI_Policy"]},
        "eks/WorkloadAddons/EbsCsiRole/Role": {"ManagedPolicyArns": [f"{AWS_POLICY}/AmazonEBSCSIDriverPolicyV2"]},
        "eks/LoadBalancers/Resource/Resource": {
            "Chart": "aws-load-balancer-controller",
            "CreateNamespace": True,
            "Namespace": "kube-system",
            "Release": "aws-load-balancer-controller",
            "Repository": "https://aws.github.io/eks-charts",
            "Timeout": "600s",
            "Values": {
                "defaultTags": {"environment": "prod"},
                "enableServiceMutatorWebhook": False,
                "enableShield": False,
                "enableWaf": False,
                "enableWafv2": False,
                "image": {"repository": "public.ecr.aws/eks/aws-load-balancer-controller", "tag": "v3.2.2"},
                "keepTLSSecret": True,
                "podDisruptionBudget": {"maxUnavailable": 1},
                "region": "us-east-2",
                "replicaCount": 2,
                "serviceAccount": {"create": False, "name": "aws-load-balancer-controller"},
            },
            "Version": "3.2.2",
            "Wait": True,
        },
        "eks/ExternalSecrets/Resource": {
            "Chart": "external-secrets",
            "CreateNamespace": True,
            "Namespace": "external-secrets",
            "Release": "external-secrets",
            "Repository": "https://charts.external-secrets.io",
            "Timeout": "600s",
            "Values": {
                "installCRDs": True,
                "processClusterExternalSecret": False,
                "processClusterGenerator": False,
                "processClusterPushSecret": False,
                "processClusterStore": False,
                "processPushSecret": False,
            },
            "Version": EXTERNAL_SECRETS_CHART,
            "Wait": True,
        },
        "eks/Tasks/Role": {"ManagedPolicyArns": [f"{AWS_POLICY}/service-role/AWSLambdaVPCAccessExecutionRole"]},
        "eks/Tasks/OnEvent/ServiceRole": {
            "ManagedPolicyArns": [f"{AWS_POLICY}/service-role/AWSLambdaBasicExecutionRole"]
        },
        "eks/Tasks/Admission/Entry": {
            "AccessPolicies": [
                {
                    "AccessScope": {"Namespaces": ["milvus"], "Type": "namespace"},
                    "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
                }
            ],
            "KubernetesGroups": ["milvus-on-eks:tasks"],
        },
        "eks/Tasks/OnEvent": {"Handler": "tasks.handler.on_event", "Runtime": "python3.14", "Timeout": 30},
        "eks/Tasks/IsComplete": {
            "Environment": {"Variables": {"AWS_STS_REGIONAL_ENDPOINTS": "regional"}},
            "Handler": "tasks.handler.is_complete",
            "MemorySize": 512,
            "Runtime": "python3.14",
            "Timeout": 660,
        },
        "eks/Gp2NonDefault": {"StorageClass": "gp2", "TimeoutSeconds": "300"},
        "eks/Protection/Function": handler(840),
    }
    for name, addon in {
        "NetworkAddons/VpcCni": "vpc-cni",
        "NetworkAddons/KubeProxy": "kube-proxy",
        "WorkloadAddons/CoreDns": "coredns",
        "WorkloadAddons/EbsCsiDriver": "aws-ebs-csi-driver",
        "WorkloadAddons/MetricsServer": "metrics-server",
    }.items():
        found[f"eks/{name}"] = {
            "AddonName": addon,
            "AddonVersion": ADDONS[addon],
            "PreserveOnDelete": False,
            "ResolveConflicts": "OVERWRITE",
        }
    found["eks/NetworkAddons/VpcCni"]["ConfigurationValues"] = {"enableNetworkPolicy": "true"}
    return found | nodes("general", "m7g.2xlarge", 9, role="milvus") | nodes("query", "r7g.2xlarge", 12, tainted=True)


def nodes(name: str, instance: str, most: int, *, role: str = "milvus-query", tainted: bool = False) -> Properties:
    taints = [{"Effect": "NO_SCHEDULE", "Key": "role", "Value": role}] if tainted else []
    return {
        f"eks/Nodes-{name}/Role": {
            "ManagedPolicyArns": [
                f"{AWS_POLICY}/AmazonEKSWorkerNodePolicy",
                f"{AWS_POLICY}/AmazonEC2ContainerRegistryPullOnly",
            ]
        },
        f"eks/Nodes-{name}/LaunchTemplate": {
            "LaunchTemplateData": {
                "BlockDeviceMappings": [
                    {
                        "DeviceName": "/dev/xvda",
                        "Ebs": {
                            "DeleteOnTermination": True,
                            "Encrypted": True,
                            "VolumeSize": 80,
                            "VolumeType": "gp3",
                        },
                    }
                ],
                "MetadataOptions": {"HttpPutResponseHopLimit": 1, "HttpTokens": "required"},
                "TagSpecifications": [
                    {"ResourceType": "instance", "Tags": [{"Key": "Name"}]},
                    {"ResourceType": "volume", "Tags": [{"Key": "Name"}]},
                ],
            }
        },
        f"eks/Nodes-{name}/Resource": {
            "AmiType": "AL2023_ARM_64_STANDARD",
            "CapacityType": "ON_DEMAND",
            "ForceUpdateEnabled": False,
            "InstanceTypes": [instance],
            "Labels": {"node-group": name, "role": role},
            "NodeRepairConfig": {"Enabled": True},
            "ScalingConfig": {"DesiredSize": 3, "MaxSize": most, "MinSize": 3},
            "Taints": taints,
            "UpdateConfig": {"MaxUnavailable": 1},
            "Version": "1.36",
        },
    }


def milvus() -> Properties:
    release = {"Namespace": "milvus", "Release": "milvus"}
    return {
        "milvus/RootPassword/Key": key(of_a_secret=True),
        "milvus/RootPassword/Secret": {
            "GenerateSecretString": {
                "ExcludePunctuation": True,
                "GenerateStringKey": "password",
                "IncludeSpace": False,
                "PasswordLength": 32,
                "SecretStringTemplate": {"username": "root"},
            }
        },
        "milvus/Chart-milvus/HelmChart-milvus": {
            "Chart": "milvus",
            **release,
            "Repository": "https://zilliztech.github.io/milvus-helm/",
            "Version": "5.0.19",
        },
        "milvus/Kafka/Ingress": {
            "FromPort": 9096,
            "IpProtocol": "tcp",
            "ToPort": 9096,
        },
        "milvus/Preparation": {**release, "Etcd": "milvus-etcd", "TimeoutSeconds": "1500", "VolumeGib": "20"},
        "milvus/Readiness": {**release, "TimeoutSeconds": "1800"},
        "milvus/Address/Value": {
            "JsonPath": ".status.loadBalancer.ingress[0].hostname",
            "ObjectName": "milvus-service",
            "ObjectNamespace": "milvus",
            "ObjectType": "service",
            "TimeoutSeconds": 600,
        },
    }


def guards() -> Properties:
    found: Properties = {}
    for part in ("network", "storage", "streaming", "eks", "milvus"):
        found[f"{part}/Guard"] = {"Accepted": [], "Version": version()}
        found[f"{part}/Guard/Function"] = handler(60, pause=None)
        found[f"{part}/Guard/FunctionLogs"] = logs(90)
    return found


def plain(value: Any) -> Any:
    """Return a value without whatever points at something else; texts that hold JSON as what they say."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        return plain(json.loads(value))
    if isinstance(value, str):
        return None if references(value) else value
    if isinstance(value, dict):
        kept = {name: plain(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each is not None} or (None if value else {})
    if isinstance(value, list):
        left = [plain(each) for each in value]
        return [each for each in left if each is not None] or (None if value else [])
    return value


def test_every_property_of_the_production_environment_is_what_was_decided() -> None:
    # GIVEN the resources of prod, but what the CDK makes of its own, and what tests of the charts hold
    found: Properties = {}
    for each in assembly_of(assembly("prod")).resources.values():
        if CDK_MAKES_IT.search(f"/{each.name}") or each.type in {"AWS::IAM::Policy", "Custom::AWSCDKCfnJson"}:
            continue
        properties = {name: value for name, value in each.properties.items() if name not in HELD_ELSEWHERE}
        if each.type == "Custom::AWSCDK-EKS-KubernetesResource":
            del properties["Manifest"]
        if each.name == "milvus/Chart-milvus/HelmChart-milvus":
            del properties["Values"]
        if kept := plain(properties):
            found[each.name] = kept
    # THEN each has the properties of this table, and no other
    expected = network() | storage() | streaming() | eks() | milvus() | guards()
    written = {name for name in found if name.partition("/Chart-")[2] and "HelmChart" not in name}
    assert len(written) > 15
    expected |= {name: {"Overwrite": True} for name in written}
    account = "eks/LoadBalancers/Resource/alb-sa/manifest-alb-saServiceAccountResource"
    assert list(found.pop(account)) == ["PruneLabel"]
    differ = {name: (found.get(name), expected.get(name)) for name in found.keys() | expected.keys()}
    assert {name: both for name, both in differ.items() if both[0] != both[1]} == {}


DESCRIBED = {
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::MSK::Configuration",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
}
SILENT = {
    # The CDK's own, and those of a service or a function whose name says it.
    "eks/Cluster/Resource/KubectlReadyBarrier",
    "eks/Cluster/Role",
    "eks/LoadBalancers/Resource/alb-sa/Role",
    "eks/Tasks/OnEvent/ServiceRole",
}


def test_whoever_looks_into_the_account_reads_what_each_thing_is_for() -> None:
    # GIVEN the resources of prod that AWS shows with a description
    graph = assembly_of(assembly("prod"))
    ours = [each for each in graph.resources.values() if not CDK_MAKES_IT.search(f"/{each.name}")]
    silent = {each.name for each in ours if each.type in DESCRIBED and not each.properties.get("Description")}
    # THEN each has one, but the roles of functions, which have the name of theirs
    assert {name for name in silent if not name.endswith("/FunctionRole")} == SILENT
    # AND so has each stack, security group and output for people
    groups = {each.name: each.at("GroupDescription") for each in graph.of_type("AWS::EC2::SecurityGroup")}
    # The CDK would put the path.
    assert [name for name, text in groups.items() if f"{name.partition('/')[0]}/" in text] == []
    for part, template in graph.templates.items():
        assert template["Description"].startswith("Milvus milvus-prod: "), part
        outputs = [output for output in template["Outputs"].values() if "Export" not in output]
        assert [output for output in outputs if not output.get("Description")] == [], part
