"""What points at what, in every environment: one table of relations, and nothing in the stacks that it leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from settings import Environment, load_environment
from settings.parts import parts
from settings.queue import Msk
from tests.assemblies import EVERY_FIXTURE, assembly, kubernetes_objects
from tests.references import Assembly, assembly_of

CLUSTER = "${eks/Cluster/Resource}"
CLUSTER_GROUP = "${eks/Cluster/Resource.ClusterSecurityGroupId}"
"""The security group that EKS makes for a cluster: its nodes carry it, and so do their pods."""
OIDC_PROVIDER = "${eks/Cluster/Resource/OidcProviderNative}"
ISSUER = f"<1 of {OIDC_PROVIDER} cut at :oidc-provider/>"
KUBECTL = "${eks/Cluster/Resource/KubectlProvider/Provider/framework-onEvent.Arn}"
TASKS = "${eks/Tasks/Provider/framework-onEvent.Arn}"
ADDRESS = "${milvus/Address/Value.Value}"

Relations = dict[str, dict[str, Any]]
"""Expected values by resource and dotted path of the property."""

CDK_MAKES_IT = re.compile(
    # The functions around our own ones (custom_resources.Provider) and behind CDK's own custom resources: what goes
    # into them is in the table, what they make of it is CDK's.
    r"/Provider/(framework-|waiter-state-machine)|/KubectlProvider/|/AWS[0-9a-f]{32}|CustomResourceProvider/"
    # Function and role of the flow logs.
    r"|/FlowLog/IAMRole"
)


def vpc(env: Environment) -> str:
    return env.network.existing.vpc_id if env.network.existing else "${network/Network/Vpc}"


def private_subnets(env: Environment) -> list[str]:
    if env.network.existing:
        return list(env.network.existing.private_subnet_ids)
    return [f"${{network/Network/Vpc/privateSubnet{n}/Subnet}}" for n in range(1, len(env.network.zones) + 1)]


def network(env: Environment) -> Relations:
    found: Relations = {}
    if env.network.interface_endpoints:
        found["network/Network/Endpoints/SecurityGroup"] = {"VpcId": vpc(env)}
    for service in env.network.interface_endpoints:
        found[f"network/Network/Endpoints/{service.replace('.', '-')}"] = {
            "VpcId": vpc(env),
            "SubnetIds": private_subnets(env),
            "SecurityGroupIds": ["${network/Network/Endpoints/SecurityGroup.GroupId}"],
        }
    if env.network.existing:
        return found
    tables = []
    zones = range(1, len(env.network.zones) + 1)
    for kind in ("private", "public"):
        for n in zones:
            subnet = f"network/Network/Vpc/{kind}Subnet{n}"
            tables.append(f"${{{subnet}/RouteTable}}")
            # One gateway for all, or each zone by its own: a zone that fails takes no other with it.
            nat = n if env.network.nat == "per-zone" else 1
            way_out = (
                {"NatGatewayId": f"${{network/Network/Vpc/publicSubnet{nat}/NATGateway}}"}
                if kind == "private"
                else {"GatewayId": "${network/Network/Vpc/IGW}"}
            )
            found |= {
                f"{subnet}/Subnet": {"VpcId": vpc(env)},
                f"{subnet}/RouteTable": {"VpcId": vpc(env)},
                f"{subnet}/RouteTableAssociation": {
                    "RouteTableId": f"${{{subnet}/RouteTable}}",
                    "SubnetId": f"${{{subnet}/Subnet}}",
                },
                f"{subnet}/DefaultRoute": {"RouteTableId": f"${{{subnet}/RouteTable}}", **way_out},
            }
            if kind == "public" and nat == n:
                found[f"{subnet}/NATGateway"] = {
                    "AllocationId": f"${{{subnet}/EIP.AllocationId}}",
                    "SubnetId": f"${{{subnet}/Subnet}}",
                }
    found |= {
        "network/Network/Vpc/VPCGW": {"InternetGatewayId": "${network/Network/Vpc/IGW}", "VpcId": vpc(env)},
        "network/Network/Vpc/S3": {"VpcId": vpc(env), "RouteTableIds": tables},
        "network/Network/Vpc/RestrictDefaultSecurityGroupCustomResource": {
            "ServiceToken": "${network/Custom::VpcRestrictDefaultSGCustomResourceProvider/Handler.Arn}",
            "DefaultSecurityGroupId": "${network/Network/Vpc.DefaultSecurityGroup}",
        },
    }
    if env.network.flow_logs.enabled:
        found["network/Network/Vpc/FlowLog/FlowLog"] = {
            "ResourceId": vpc(env),
            "LogGroupName": "${network/Network/FlowLogGroup}",
            "DeliverLogsPermissionArn": "${network/Network/Vpc/FlowLog/IAMRole.Arn}",
        }
    return found


def storage(env: Environment) -> Relations:
    key = "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.KMSMasterKeyID"
    found: Relations = {}
    for name in ("Data", "Backup"):
        bucket = f"storage/Storage/{name}"
        found[bucket] = {key: f"${{{bucket}Key.Arn}}"}
        found[f"{bucket}/Policy"] = {"Bucket": f"${{{bucket}}}"}
        if env.removal_policy == "destroy":
            found[f"{bucket}/AutoDeleteObjectsCustomResource"] = {
                "ServiceToken": "${storage/Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler.Arn}",
                "BucketName": f"${{{bucket}}}",
            }
    return found


def streaming(env: Environment) -> Relations:
    if not isinstance(env.queue, Msk):
        return {}
    found: Relations = {
        "streaming/Kafka/SecurityGroup": {"VpcId": vpc(env)},
        "streaming/Kafka": {
            "BrokerNodeGroupInfo.ClientSubnets": private_subnets(env),
            "BrokerNodeGroupInfo.SecurityGroups": ["${streaming/Kafka/SecurityGroup.GroupId}"],
            "ConfigurationInfo.Arn": "${streaming/Kafka/Configuration.Arn}",
            "ConfigurationInfo.Revision": "${streaming/Kafka/Configuration.LatestRevision.Revision}",
            "EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId": "${streaming/Key.Arn}",
            "LoggingInfo.BrokerLogs.CloudWatchLogs.LogGroup": "${streaming/Kafka/BrokerLogs}",
        },
        "streaming/User": {"KmsKeyId": "${streaming/Key.Arn}"},
        "streaming/Association": {
            "ServiceToken": calls("streaming/Association"),
            "ClusterArn": "${streaming/Kafka.Arn}",
            "SecretArn": "${streaming/User}",
        },
        "streaming/Brokers/List": {"ServiceToken": calls("streaming/Brokers"), "ClusterArn": "${streaming/Kafka.Arn}"},
    }
    for path in ("streaming/Association", "streaming/Brokers"):
        found |= handler(path, "streaming/FunctionLogs")
    if env.queue.storage.max_gib > env.queue.storage.volume_gib:
        found["streaming/Kafka/StorageTarget"] = {"ResourceId": "${streaming/Kafka.Arn}"}
        found["streaming/Kafka/StorageGrowth"] = {"ScalingTargetId": "${streaming/Kafka/StorageTarget}"}
    return found


def eks(env: Environment) -> Relations:
    inside = {"VpcConfig.SubnetIds": private_subnets(env), "VpcConfig.SecurityGroupIds": [CLUSTER_GROUP]}
    found: Relations = {
        "eks/Cluster/Resource/ControlPlaneSecurityGroup": {"VpcId": vpc(env)},
        "eks/Cluster/Resource": {
            "RoleArn": "${eks/Cluster/Role.Arn}",
            "EncryptionConfig.0.Provider.KeyArn": "${eks/Cluster/SecretsKey.Arn}",
            "ResourcesVpcConfig.SubnetIds": private_subnets(env),
            "ResourcesVpcConfig.SecurityGroupIds": ["${eks/Cluster/Resource/ControlPlaneSecurityGroup.GroupId}"],
        },
        "eks/Cluster/ControlPlaneLogGroup": {"ServiceToken": calls("eks/Cluster/ControlPlaneLogGroup")},
        "eks/Cluster/Resource/OidcProviderNative": {"Url": "${eks/Cluster/Resource.OpenIdConnectIssuerUrl}"},
        "eks/Cluster/OidcIssuer": {
            "Value": ISSUER,
            "Description": f"Issuer of the service accounts of the EKS cluster {CLUSTER}",
        },
        # CDK's kubectl acts with the role that was admitted, from where a private endpoint can be reached.
        "eks/Cluster/Resource/ClusterAdminRoleAccess": {
            "PrincipalArn": "${eks/Cluster/Resource/KubectlProvider/Handler/ServiceRole.Arn}"
        },
        "eks/Cluster/Resource/KubectlProvider/Handler": {
            "Role": "${eks/Cluster/Resource/KubectlProvider/Handler/ServiceRole.Arn}",
            "Layers": ["${eks/Cluster/KubectlLayer}", "${eks/Cluster/Resource/KubectlProvider/AwsCliLayer}"],
            **inside,
        },
        "eks/Cluster/Resource/KubectlProvider/Provider/framework-onEvent": inside,
        "eks/NetworkAddons/VpcCni": {"ServiceAccountRoleArn": "${eks/NetworkAddons/CniRole/Role.Arn}"},
        "eks/WorkloadAddons/EbsCsiDriver": {"ServiceAccountRoleArn": "${eks/WorkloadAddons/EbsCsiRole/Role.Arn}"},
        "eks/LoadBalancers/Resource/alb-sa/manifest-alb-saServiceAccountResource": {
            "Manifest.0.metadata.annotations": {
                "eks.amazonaws.com/role-arn": "${eks/LoadBalancers/Resource/alb-sa/Role.Arn}"
            }
        },
        "eks/LoadBalancers/Resource/Resource": {"Values.clusterName": CLUSTER, "Values.vpcId": vpc(env)},
        "eks/Tasks/Admission/Entry": {"PrincipalArn": "${eks/Tasks/Role.Arn}"},
        "eks/Tasks/OnEvent": {"Role": "${eks/Tasks/OnEvent/ServiceRole.Arn}"},
        "eks/Tasks/IsComplete": {
            "Role": "${eks/Tasks/Role.Arn}",
            "Layers": ["${eks/Tasks/AwsCliLayer}", "${eks/Tasks/KubectlLayer}"],
            **inside,
        },
        "eks/Tasks/Provider/framework-onEvent": {
            "Environment.Variables.USER_ON_EVENT_FUNCTION_ARN": "${eks/Tasks/OnEvent.Arn}",
            "Environment.Variables.USER_IS_COMPLETE_FUNCTION_ARN": "${eks/Tasks/IsComplete.Arn}",
        },
        **service_account_role("eks/NetworkAddons/CniRole", ISSUER, "kube-system:aws-node"),
        **service_account_role("eks/WorkloadAddons/EbsCsiRole", ISSUER, "kube-system:ebs-csi-controller-sa"),
        **service_account_role(
            "eks/LoadBalancers/Resource/alb-sa", ISSUER, "kube-system:aws-load-balancer-controller", "ConditionJson"
        ),
    }
    found |= handler("eks/Cluster/ControlPlaneLogGroup", "eks/Cluster/FunctionLogs")
    if env.termination_protection:
        found |= handler("eks/Protection", "eks/Cluster/FunctionLogs")
        found["eks/Protection"] = {"ServiceToken": calls("eks/Protection"), "ClusterName": CLUSTER}
    for name in env.cluster.node_groups:
        template = f"eks/Nodes-{name}/LaunchTemplate"
        found[template] = {
            f"LaunchTemplateData.TagSpecifications.{n}.Tags.0": {"Key": "Name", "Value": f"{CLUSTER}-{name}"}
            for n in (0, 1)
        }
        found[f"eks/Nodes-{name}/Resource"] = {
            "NodeRole": f"${{eks/Nodes-{name}/Role.Arn}}",
            "Subnets": private_subnets(env),
            # Without its launch template a node has IMDSv1, two hops to its role, and a plain root volume.
            "LaunchTemplate": {"Id": f"${{{template}}}", "Version": f"${{{template}.LatestVersionNumber}}"},
        }
    return found


def milvus(env: Environment) -> Relations:
    chart, namespace = "milvus/Chart-milvus", env.milvus.namespace
    release = f"{chart}/HelmChart-{env.milvus.release_name}"
    found: Relations = {
        **service_account_role(
            "milvus/Identity", "${eks/Cluster/OidcIssuer.Value}", f"{namespace}:milvus-s3-access-sa"
        ),
        f"{chart}/ServiceAccount-milvus-s3-access-sa": {
            "Manifest.0.metadata.annotations": {
                "eks.amazonaws.com/role-arn": "${milvus/Identity/Role.Arn}",
                # Older Milvus would ask the global endpoint, which a private subnet may not reach.
                "eks.amazonaws.com/sts-regional-endpoints": "true",
            }
        },
        # The backup bucket is not Milvus's: its role has no right to it.
        release: {"Values.externalS3.bucketName": "${storage/Storage/Data}"},
        "milvus/Preparation": {"Trigger.values.externalS3.bucketName": "${storage/Storage/Data}"},
        "milvus/Readiness": {"Trigger.values.externalS3.bucketName": "${storage/Storage/Data}"},
    }
    if env.milvus.authorization or isinstance(env.queue, Msk):
        found |= service_account_role(
            "milvus/SecretsReader", "${eks/Cluster/OidcIssuer.Value}", f"{namespace}:milvus-secrets-sa"
        )
        found[f"{chart}/ServiceAccount-milvus-secrets-sa"] = {
            "Manifest.0.metadata.annotations": {"eks.amazonaws.com/role-arn": "${milvus/SecretsReader/Role.Arn}"}
        }
    if env.milvus.authorization:
        found["milvus/RootPassword/Secret"] = {"KmsKeyId": "${milvus/RootPassword/Key.Arn}"}
        found[f"{chart}/ExternalSecret-milvus-root"] = {
            "Manifest.0.spec.data": copied("${milvus/RootPassword/Secret}", "password")
        }
    if isinstance(env.queue, Msk):
        brokers = "${streaming/Brokers/List.BootstrapBrokerStringSaslScram}"
        found[release]["Values.externalKafka.brokerList"] = brokers
        for task in ("Preparation", "Readiness"):
            found[f"milvus/{task}"]["Trigger.values.externalKafka.brokerList"] = brokers
        found[f"{chart}/ExternalSecret-milvus-kafka"] = {
            "Manifest.0.spec.data": copied("${streaming/User}", "username", "password")
        }
        found["milvus/Kafka/Ingress"] = {
            "GroupId": "${streaming/Kafka/SecurityGroup.GroupId}",
            "SourceSecurityGroupId": CLUSTER_GROUP,
        }
    return found


def calls(path: str) -> str:
    """Return what CloudFormation calls of a handler."""
    return f"${{{path}/Provider/framework-onEvent.Arn}}"


def handler(path: str, log_group: str) -> Relations:
    """Return a function of ours with its role, and CDK's framework, which calls it."""
    logs = {"LoggingConfig.LogGroup": f"${{{log_group}}}"}
    return {
        f"{path}/Function": {"Role": f"${{{path}/FunctionRole.Arn}}", **logs},
        f"{path}/Provider/framework-onEvent": {
            "Environment.Variables.USER_ON_EVENT_FUNCTION_ARN": f"${{{path}/Function.Arn}}",
            **logs,
        },
    }


def service_account_role(path: str, issuer: str, account: str, conditions: str = "Conditions") -> Relations:
    """Return who assumes a role: one service account, vouched for by the cluster."""
    return {
        f"{path}/{conditions}": {
            "Value": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": f"system:serviceaccount:{account}"}
        },
        f"{path}/Role": {
            "AssumeRolePolicyDocument.Statement": [
                {
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": f"${{{path}/{conditions}.Value}}"},
                    "Effect": "Allow",
                    "Principal": {"Federated": OIDC_PROVIDER},
                }
            ]
        },
    }


def copied(secret: str, *keys: str) -> list[dict[str, Any]]:
    """Return what an ExternalSecret copies of a secret."""
    return [{"secretKey": key, "remoteRef": {"key": secret, "property": key}} for key in keys]


def wherever_they_stand(graph: Assembly) -> Iterator[tuple[str, str, Any]]:
    """Yield what holds for every resource of a type: resource, property, expected value."""
    for found in graph.resources.values():
        if found.type.startswith(("AWS::EKS::Addon", "AWS::EKS::AccessEntry", "AWS::EKS::Nodegroup")):
            yield found.name, "ClusterName", CLUSTER
        elif found.type.startswith("Custom::AWSCDK-EKS-"):
            yield found.name, "ClusterName", CLUSTER
            yield found.name, "ServiceToken", KUBECTL
        elif found.type in {
            "Custom::ReleasePreparation",
            "Custom::ReleaseReadiness",
            "Custom::NonDefaultStorageClass",
        }:
            yield found.name, "ClusterName", CLUSTER
            yield found.name, "ServiceToken", TASKS
        elif found.type == "Custom::AWSCDKCfnJson":
            part = found.name.partition("/")[0]
            handler = f"${{{part}/AWSCDKCfnUtilsProviderCustomResourceProvider/Handler.Arn}}"
            yield found.name, "ServiceToken", handler
        elif found.type == "AWS::IAM::Policy":
            yield found.name, "Roles", [f"${{{found.name.rpartition('/')[0]}}}"]
        elif found.type == "AWS::Lambda::Function" and f"{found.name}/LogGroup" in graph.resources:
            yield found.name, "LoggingConfig.LogGroup", f"${{{found.name}/LogGroup}}"


OUTPUTS_WITH_KAFKA = {
    "MskClusterArn": "${streaming/Kafka.Arn}",
    "KafkaSecretArn": "${streaming/User}",
    "BootstrapBrokersSaslScram": "${streaming/Brokers/List.BootstrapBrokerStringSaslScram}",
}


def outputs(env: Environment) -> dict[str, dict[str, str]]:
    tls = env.milvus.service.certificate_arn
    found = {
        "network": {"VpcId": vpc(env)},
        "storage": {"DataBucketName": "${storage/Storage/Data}", "BackupBucketName": "${storage/Storage/Backup}"},
        "eks": {
            "ClusterName": CLUSTER,
            "KubeconfigCommand": f"aws eks update-kubeconfig --name {CLUSTER} --region {env.region}",
            "OidcIssuer": "${eks/Cluster/OidcIssuer.Value}",
        },
        "milvus": {
            "Namespace": env.milvus.namespace,
            "ReleaseName": env.milvus.release_name,
            "MilvusEndpoint": f"{ADDRESS}:19530",
            # A certificate is for a name of one's own, and never for the load balancer's.
            "MilvusUri": "https://milvus.example.com:19530" if tls else f"http://{ADDRESS}:19530",
            "RootSecretArn": "${milvus/RootPassword/Secret}",
        },
    }
    if isinstance(env.queue, Msk):
        found["streaming"] = OUTPUTS_WITH_KAFKA
    if env.milvus.attu.exposure != "off":
        scheme = "https" if env.milvus.attu.certificate_arn else "http"
        found["milvus"]["AttuEndpoint"] = f"{scheme}://${{milvus/AttuAddress/Value.Value}}"
    return found


def guards(env: Environment) -> Relations:
    """Return the guard of each stack, which CloudFormation calls itself."""
    found: Relations = {}
    for part in parts(env):
        guard = f"{part}/Guard"
        found[guard] = {"ServiceToken": f"${{{guard}/Function.Arn}}"}
        found[f"{guard}/Function"] = {
            "Role": f"${{{guard}/FunctionRole.Arn}}",
            "LoggingConfig.LogGroup": f"${{{guard}/FunctionLogs}}",
        }
    return found


def relations(env: Environment) -> Iterator[tuple[str, str, Any]]:
    """Yield resource, property and expected value of every row."""
    for table in (network, storage, streaming, eks, milvus, guards):
        for resource, row in table(env).items():
            yield from ((resource, path, value) for path, value in row.items())


def wrong(graph: Assembly, rows: Iterable[tuple[str, str, Any]]) -> list[str]:
    """Return a line for each row that the stacks do not keep."""
    found = [
        (place, path, value, graph[place].at(path) if place in graph.resources else "?") for place, path, value in rows
    ]
    return [f"{place} {path}: {is_now}, not {value}" for place, path, value, is_now in found if is_now != value]


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_every_relation_leads_where_it_should(name: str) -> None:
    # GIVEN the stacks of an environment
    graph = assembly_of(assembly(name))
    # THEN each property of the table points at what it says
    assert wrong(graph, relations(load_environment(name))) == []


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_everything_in_the_cluster_is_sent_to_this_cluster_by_its_own_functions(name: str) -> None:
    graph = assembly_of(assembly(name))
    rows = list(wherever_they_stand(graph))
    assert len(rows) > 50
    assert wrong(graph, rows) == []


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_outputs_show_what_their_names_say(name: str) -> None:
    graph = assembly_of(assembly(name))
    assert {part: graph.outputs(part) for part in graph.stacks} == outputs(load_environment(name))


def test_secret_of_the_sign_in_is_read_by_the_account_of_the_controller_in_this_cluster() -> None:
    # GIVEN the objects of both stacks: the controller's account is CDK's, the permission is ours
    objects = kubernetes_objects("exposed")
    release = {"milvus-s3-access-sa", "milvus-secrets-sa"}
    accounts = [each["metadata"] for each in objects if each["kind"] == "ServiceAccount"]
    controllers = [(each["namespace"], each["name"]) for each in accounts if each["name"] not in release]
    # THEN they are of the same one
    [binding] = [
        each
        for each in objects
        if each["kind"] == "RoleBinding" and each["metadata"]["name"] == "milvus-attu-oidc-reader"
    ]
    assert [(each["namespace"], each["name"]) for each in binding["subjects"]] == controllers
    assert len(controllers) == 1


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_no_relation_is_missing_in_the_table(name: str) -> None:
    # GIVEN the references of all resources but those inside of CDK's own functions
    env, graph = load_environment(name), assembly_of(assembly(name))
    known = {(resource, path) for resource, path, _ in [*relations(env), *wherever_they_stand(graph)]}
    # THEN each is in the table, or in test_rights.py, which has every statement of every policy
    missing = [
        f"{found.name} {path}: {value}"
        for found in graph.resources.values()
        if not CDK_MAKES_IT.search("/" + found.name)
        for path, value in found.references()
        if not path.startswith(("PolicyDocument.", "Policies."))
        if not any(found.name == key and _covers(known_path, path) for key, known_path in known)
    ]
    assert missing == []


def _covers(known: str, path: str) -> bool:
    """Return whether a row is about a property, or about what stands around it or inside of its text."""
    return f"{path}.".startswith(f"{known}.") or f"{known}.".startswith(f"{path}.")
