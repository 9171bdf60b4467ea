from __future__ import annotations

import email
import functools
import json
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from settings import parse_environment
from settings.eks_versions import ADDONS, EKS_VERSIONS
from stacks.eks_stack import EksStack
from tests.unit.settings_files import file_with
from tools.context import CONTEXT

ADMIN = "arn:aws:iam::111122223333:role/platform/admin"
RELEASE = "Custom::AWSCDK-EKS-HelmChart"
NODE_GROUPS = {
    "general": {"instance_types": ["m7g.2xlarge"], "desired_size": 2, "max_size": 2, "labels": {"role": "milvus"}},
    "query": {
        "instance_types": ["r6i.2xlarge", "r7i.2xlarge"],
        "desired_size": 2,
        "max_size": 4,
        "disk_gib": 120,
        "spot": True,
        "taints": [{"key": "role", "value": "query"}],
    },
}


def stack(*changes: tuple[str, Any]) -> EksStack:
    app = cdk.App(context=CONTEXT)
    env = parse_environment(file_with(*changes), source="test")
    at = cdk.Environment(region=env.region)
    vpc = ec2.Vpc(cdk.Stack(app, "net", env=at), "Vpc")
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    eks = EksStack(app, env=env, vpc=vpc, subnets=subnets)
    eks.finish()
    return eks


@functools.cache
def private() -> Template:
    # GIVEN a private cluster with two node groups, one of them Graviton, and one administrator
    return Template.from_stack(
        stack(
            ("cluster.node_groups", NODE_GROUPS),
            ("cluster.admin_role_arns", [ADMIN]),
            ("tags", {"team": "search"}),
            ("termination_protection", True),
            ("removal_policy", "retain"),
        )
    )


@functools.cache
def public() -> Template:
    # GIVEN a cluster with a public endpoint for one address range, and everything destroyable
    return Template.from_stack(
        stack(
            ("cluster.endpoint", "public-and-private"),
            ("cluster.public_cidrs", ["203.0.113.0/24"]),
            ("removal_policy", "destroy"),
            ("cluster.version", "1.35"),
        )
    )


def resources(template: Template, kind: str, **properties: Any) -> dict[str, Any]:
    found = dict(template.find_resources(kind, {"Properties": properties} if properties else {}))
    assert found, f"no {kind} to look at"
    return found


def only(template: Template, kind: str, **properties: Any) -> tuple[str, dict[str, Any]]:
    [(name, found)] = resources(template, kind, **properties).items()
    return name, found


def manifest(kind: str) -> tuple[str, dict[str, Any]]:
    """Return the id of the resource that applies the cluster's only object of a kind, and the object."""
    name, found = only(
        private(),
        "Custom::AWSCDK-EKS-KubernetesResource",
        Manifest=Match.string_like_regexp(f'"kind":"{kind}","metadata"'),
    )
    [only_object] = json.loads(found["Properties"]["Manifest"])
    return name, only_object


def before(template: Template, name: str) -> set[str]:
    """Return everything that is created before a resource: by DependsOn, Ref and GetAtt, all the way."""
    all_resources = template.to_json()["Resources"]
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        resource = all_resources[waiting.pop()]
        direct = set(resource.get("DependsOn", [])) | _references(resource)
        waiting += [each for each in direct & all_resources.keys() if each not in seen]
        seen |= direct & all_resources.keys()
    return seen


def _references(value: Any) -> set[str]:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case dict():
            return set().union(*map(_references, value.values()))
        case list():
            return set().union(*map(_references, value))
        case _:
            return set()


def test_cluster_is_private_encrypted_logged_and_admits_by_access_entries_only() -> None:
    private().has_resource_properties(
        "AWS::EKS::Cluster",
        {
            "Name": "milvus-test",
            "Version": "1.36",
            "AccessConfig": {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False},
            "BootstrapSelfManagedAddons": False,
            "ComputeConfig": {"Enabled": False},
            "EncryptionConfig": [Match.object_like({"Resources": ["secrets"]})],
            "Logging": {"ClusterLogging": {"EnabledTypes": Match.array_with([{"Type": "audit"}])}},
            "ResourcesVpcConfig": Match.object_like({"EndpointPrivateAccess": True, "EndpointPublicAccess": False}),
        },
    )


@pytest.mark.parametrize("template", [private, public])
def test_a_first_deployment_that_fails_can_take_its_cluster_back(template: Any) -> None:
    # GIVEN an environment with termination protection, and one without THEN EKS would not refuse to delete the cluster
    template().has_resource_properties("AWS::EKS::Cluster", {"DeletionProtection": False})


def test_protection_is_looked_at_again_when_the_cluster_changes() -> None:
    # GIVEN that CloudFormation calls the cluster unprotected whenever it changes it
    def trigger(*changes: tuple[str, Any]) -> str:
        template = Template.from_stack(stack(("termination_protection", True), *changes))
        return str(only(template, "Custom::EksDeletionProtection")[1]["Properties"]["Trigger"])

    # THEN a change of the cluster calls the function again, and one of its nodes does not
    assert trigger(("cluster.logging", ["api"])) != trigger()
    assert trigger(("cluster.node_groups", NODE_GROUPS)) == trigger()


def test_public_endpoint_admits_the_ranges_of_the_settings() -> None:
    public().has_resource_properties(
        "AWS::EKS::Cluster",
        {
            "ResourcesVpcConfig": Match.object_like(
                {"EndpointPrivateAccess": True, "EndpointPublicAccess": True, "PublicAccessCidrs": ["203.0.113.0/24"]}
            ),
        },
    )


def admitted(template: Template) -> set[tuple[str, str, int, int]]:
    """Return who reaches the private endpoint: range, protocol, first and last port of each rule."""
    _, cluster = only(template, "AWS::EKS::Cluster")
    [reference] = cluster["Properties"]["ResourcesVpcConfig"]["SecurityGroupIds"]
    group = template.to_json()["Resources"][reference["Fn::GetAtt"][0]]["Properties"]
    rules = group["SecurityGroupIngress"]
    return {(rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules}


def test_the_private_endpoint_admits_https_from_the_vpc() -> None:
    assert admitted(private()) == admitted(public()) == {("10.0.0.0/16", "tcp", 443, 443)}


def test_the_private_endpoint_admits_every_range_of_an_existing_vpc_and_those_of_the_settings() -> None:
    # GIVEN a VPC with a second range, and a VPN
    existing = {
        "vpc_id": "vpc-0123456789abcdef0",
        "private_subnet_ids": [f"subnet-0aaaaaaaaaaaaaaa{zone}" for zone in (1, 2, 3)],
        "secondary_cidrs": ["100.64.0.0/16"],
    }
    template = Template.from_stack(
        stack(("network.existing", existing), ("cluster.private_cidrs", ["192.168.4.0/22", "172.20.0.5/32"]))
    )
    # THEN each may ask the Kubernetes API, and nobody else
    assert {cidr for cidr, *_ in admitted(template)} == {
        *("10.0.0.0/16", "100.64.0.0/16"),
        *("192.168.4.0/22", "172.20.0.5/32"),
    }


def test_the_nodes_are_opened_to_nobody() -> None:
    # The cluster's own security group is on every node: a rule of it would open them too.
    private().resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_log_group_of_the_control_plane_ends_and_is_there_before_eks_makes_its_own() -> None:
    name, group = only(private(), "Custom::ControlPlaneLogs", LogGroup="/aws/eks/milvus-test/cluster")
    assert group["Properties"]["RetentionInDays"] == "90"
    cluster, _ = only(private(), "AWS::EKS::Cluster")
    assert name in before(private(), cluster)


@pytest.mark.parametrize(("template", "removal"), [(private, "retain"), (public, "destroy")])
def test_log_group_of_the_control_plane_follows_the_removal_policy(template: Any, removal: str) -> None:
    _, group = only(template(), "Custom::ControlPlaneLogs")
    assert group["Properties"]["Removal"] == removal


@pytest.mark.parametrize(("template", "policy"), [(private, "RetainExceptOnCreate"), (public, "Delete")])
def test_key_and_logs_follow_the_removal_policy(template: Any, policy: str) -> None:
    kept = [*resources(template(), "AWS::KMS::Key").values(), *resources(template(), "AWS::Logs::LogGroup").values()]
    assert {resource["DeletionPolicy"] for resource in kept} == {policy}


def test_every_log_group_has_an_end() -> None:
    ends = {
        group["Properties"].get("RetentionInDays", 0) for group in resources(private(), "AWS::Logs::LogGroup").values()
    }
    # THEN those of the settings, and the guard's own
    assert ends == {30, 90}


def test_administrators_are_cluster_admins() -> None:
    policy = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"],
        ]
    }
    private().has_resource_properties(
        "AWS::EKS::AccessEntry",
        {"PrincipalArn": ADMIN, "AccessPolicies": [{"AccessScope": {"Type": "cluster"}, "PolicyArn": policy}]},
    )


def test_nodes_demand_imdsv2_and_keep_their_role_from_pods() -> None:
    for template in resources(private(), "AWS::EC2::LaunchTemplate").values():
        options = template["Properties"]["LaunchTemplateData"]["MetadataOptions"]
        assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_root_volumes_are_encrypted_gp3_of_the_size_of_the_settings() -> None:
    sizes = []
    for template in resources(private(), "AWS::EC2::LaunchTemplate").values():
        [mapping] = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
        volume = mapping["Ebs"]
        assert (volume["VolumeType"], volume["Encrypted"]) == ("gp3", True)
        sizes.append(volume["VolumeSize"])
    assert sorted(sizes) == [80, 120]


@functools.cache
def fast() -> Template:
    # GIVEN instances with disks of their own, and a root volume that does more than gp3 does for nothing
    group = {"instance_types": ["r7gd.2xlarge"], "desired_size": 3, "max_size": 3, "local_storage": "raid0"}
    return Template.from_stack(
        stack(("cluster.node_groups", {"milvus": {**group, "disk_iops": 6000, "disk_throughput": 500}}))
    )


def test_disks_of_the_instances_become_one_for_the_pods() -> None:
    [template] = resources(fast(), "AWS::EC2::LaunchTemplate").values()
    user_data = template["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    # THEN it is a part of several, which EKS merges with its own
    whole, part = email.message_from_string(user_data).walk()
    assert (whole.get_content_type(), part.get_content_type()) == ("multipart/mixed", "application/node.eks.aws")
    assert yaml.safe_load(str(part.get_payload())) == {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"instance": {"localStorage": {"strategy": "RAID0"}}},
    }
    # AND without the setting there is none
    for each in resources(private(), "AWS::EC2::LaunchTemplate").values():
        assert "UserData" not in each["Properties"]["LaunchTemplateData"]


def test_root_volume_does_as_much_as_the_settings_say() -> None:
    [template] = resources(fast(), "AWS::EC2::LaunchTemplate").values()
    [mapping] = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
    assert (mapping["Ebs"]["Iops"], mapping["Ebs"]["Throughput"]) == (6000, 500)


def test_instances_and_volumes_carry_the_name_of_their_group() -> None:
    for name in ("general", "query"):
        [template] = [
            each
            for each in resources(private(), "AWS::EC2::LaunchTemplate").values()
            if f"-{name}" in json.dumps(each["Properties"]["LaunchTemplateData"]["TagSpecifications"])
        ]
        found = {
            spec["ResourceType"]: [tag["Key"] for tag in spec["Tags"]]
            for spec in template["Properties"]["LaunchTemplateData"]["TagSpecifications"]
        }
        assert found == {"instance": ["Name"], "volume": ["Name"]}


def test_another_tag_changes_no_version_of_a_node_group() -> None:
    # GIVEN an environment whose tags change, which the stack hands on to every node group
    def nodes(tags: dict[str, str]) -> dict[str, Any]:
        template = Template.from_stack(stack(("cluster.node_groups", NODE_GROUPS), ("tags", tags)))
        return {**resources(template, "AWS::EC2::LaunchTemplate"), **resources(template, "AWS::EKS::Nodegroup")}

    # THEN nothing else of the group changes: EKS refuses tags together with another version of the launch template
    assert nodes({"team": "search"}) == nodes({"team": "search", "cost": "4711"})


def test_node_group_is_al2023_of_the_architecture_of_its_instances() -> None:
    private().has_resource_properties(
        "AWS::EKS::Nodegroup",
        {"AmiType": "AL2023_ARM_64_STANDARD", "InstanceTypes": ["m7g.2xlarge"], "CapacityType": "ON_DEMAND"},
    )
    private().has_resource_properties(
        "AWS::EKS::Nodegroup",
        {
            "AmiType": "AL2023_x86_64_STANDARD",
            "InstanceTypes": ["r6i.2xlarge", "r7i.2xlarge"],
            "CapacityType": "SPOT",
            "ScalingConfig": {"DesiredSize": 2, "MaxSize": 4, "MinSize": 1},
            "Taints": [{"Effect": "NO_SCHEDULE", "Key": "role", "Value": "query"}],
        },
    )


def test_nodes_are_labelled_with_their_group_and_follow_the_version_of_the_cluster() -> None:
    private().has_resource_properties(
        "AWS::EKS::Nodegroup",
        {"Labels": {"role": "milvus", "node-group": "general"}, "Version": "1.36", "ForceUpdateEnabled": False},
    )


def test_nodes_may_join_and_pull_and_nothing_else() -> None:
    for group in resources(private(), "AWS::EKS::Nodegroup").values():
        role = private().to_json()["Resources"][group["Properties"]["NodeRole"]["Fn::GetAtt"][0]]["Properties"]
        policies = sorted(json.dumps(arn).rpartition("policy/")[2].split('"')[0] for arn in role["ManagedPolicyArns"])
        assert policies == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
        assert "Policies" not in role


def test_volumes_have_the_key_of_the_settings_and_the_driver_may_use_it() -> None:
    # GIVEN an account whose default for EBS does not admit the nodes
    key = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000000"
    template = Template.from_stack(stack(("cluster.volume_key_arn", key)))
    # THEN the root volumes and the StorageClass name it
    template.has_resource_properties(
        "AWS::EC2::LaunchTemplate",
        {"LaunchTemplateData": {"BlockDeviceMappings": [{"Ebs": Match.object_like({"KmsKeyId": key})}]}},
    )
    only(
        template,
        "Custom::AWSCDK-EKS-KubernetesResource",
        Manifest=Match.string_like_regexp(f'"kind":"StorageClass".*"kmsKeyId":"{key}"'),
    )
    # AND the driver may use it, by EC2 and for volumes alone
    by_ec2 = {"StringEquals": {"kms:ViaService": {"Fn::Join": ["", ["ec2.us-east-2.", {"Ref": "AWS::URLSuffix"}]]}}}
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": [
                            "kms:Decrypt",
                            "kms:DescribeKey",
                            "kms:GenerateDataKeyWithoutPlaintext",
                            "kms:ReEncryptFrom",
                            "kms:ReEncryptTo",
                        ],
                        "Condition": by_ec2,
                        "Effect": "Allow",
                        "Resource": key,
                    },
                    {
                        "Action": "kms:CreateGrant",
                        "Condition": {**by_ec2, "Bool": {"kms:GrantIsForAWSResource": "true"}},
                        "Effect": "Allow",
                        "Resource": key,
                    },
                ]
            }
        },
    )


def test_volumes_name_no_key_by_default() -> None:
    for template in resources(private(), "AWS::EC2::LaunchTemplate").values():
        [volume] = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
        assert "KmsKeyId" not in volume["Ebs"]
    assert "kmsKeyId" not in manifest("StorageClass")[1]["parameters"]


@pytest.mark.parametrize(("template", "version"), [(private, "1.36"), (public, "1.35")])
def test_add_ons_have_the_versions_that_belong_to_the_cluster(template: Any, version: str) -> None:
    installed = {
        addon["Properties"]["AddonName"]: addon["Properties"]["AddonVersion"]
        for addon in resources(template(), "AWS::EKS::Addon").values()
    }
    assert installed == EKS_VERSIONS[version].addons


def test_vpc_cni_enforces_network_policies() -> None:
    private().has_resource_properties(
        "AWS::EKS::Addon",
        {"AddonName": "vpc-cni", "ConfigurationValues": '{"enableNetworkPolicy":"true"}'},
    )


@pytest.mark.parametrize(
    ("addon", "account", "policy"),
    [
        ("vpc-cni", "aws-node", "AmazonEKS_CNI_Policy"),
        ("aws-ebs-csi-driver", "ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicyV2"),
    ],
)
def test_add_on_has_a_role_that_only_its_service_account_assumes(addon: str, account: str, policy: str) -> None:
    # GIVEN an add-on that calls AWS
    _, found = only(private(), "AWS::EKS::Addon", AddonName=addon)
    all_resources = private().to_json()["Resources"]
    role = all_resources[found["Properties"]["ServiceAccountRoleArn"]["Fn::GetAtt"][0]]["Properties"]
    # THEN its role has its policy, and the trust names audience and subject exactly
    assert policy in json.dumps(role["ManagedPolicyArns"])
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    conditions = all_resources[statement["Condition"]["StringEquals"]["Fn::GetAtt"][0]]
    text = json.dumps(conditions["Properties"]["Value"])
    assert f"system:serviceaccount:kube-system:{account}" in text
    assert "sts.amazonaws.com" in text
    assert "*" not in text


def test_network_add_ons_come_before_nodes_and_the_others_after() -> None:
    addons = {r["Properties"]["AddonName"]: name for name, r in resources(private(), "AWS::EKS::Addon").items()}
    assert set(addons) == set(ADDONS)
    groups = set(resources(private(), "AWS::EKS::Nodegroup"))
    for group in groups:
        assert {addons["vpc-cni"], addons["kube-proxy"]} <= before(private(), group)
    for name in ("coredns", "aws-ebs-csi-driver", "metrics-server"):
        assert groups <= before(private(), addons[name])


@pytest.mark.parametrize("release", ["aws-load-balancer-controller", "external-secrets"])
def test_controllers_wait_for_dns_and_stay_below_the_limit_of_their_function(release: str) -> None:
    name, found = only(private(), RELEASE, Release=release)
    coredns, _ = only(private(), "AWS::EKS::Addon", AddonName="coredns")
    assert coredns in before(private(), name)
    # helm's own time-out ends before Lambda's 15 minutes, so that the failure is reported and not cut off
    assert (found["Properties"]["Wait"], found["Properties"]["Timeout"]) == (True, "600s")


def test_load_balancer_controller_is_told_its_vpc_and_leaves_other_services_alone() -> None:
    _, found = only(private(), RELEASE, Release="aws-load-balancer-controller")
    values = json.dumps(found["Properties"]["Values"])
    for expected in (
        '\\"region\\":\\"us-east-2\\"',
        '\\"vpcId\\":',
        '\\"keepTLSSecret\\":true',
        '\\"enableServiceMutatorWebhook\\":false',
        '\\"defaultTags\\":{\\"team\\":\\"search\\"}',
    ):
        assert expected.replace("\\", "") in values.replace("\\", "")


def test_external_secrets_is_the_release_that_its_makers_support_and_brings_its_crds() -> None:
    _, found = only(private(), RELEASE, Release="external-secrets")
    # https://external-secrets.io/latest/introduction/stability-support/: the newest minor version only
    assert found["Properties"]["Version"] == "2.14.0"
    assert json.loads(found["Properties"]["Values"]) == {
        "installCRDs": True,
        "processClusterStore": False,
        "processClusterExternalSecret": False,
        "processClusterPushSecret": False,
        "processClusterGenerator": False,
        "processPushSecret": False,
    }


def test_storage_class_is_there_before_gp2_loses_its_mark() -> None:
    storage_class, _ = manifest("StorageClass")
    gp2, found = only(private(), "Custom::NonDefaultStorageClass")
    assert found["Properties"]["StorageClass"] == "gp2"
    assert storage_class in before(private(), gp2)


def test_tasks_read_one_namespace_and_may_mark_one_storage_class() -> None:
    # GIVEN the access entry of the functions behind the readiness gate
    entry_id, entry = only(private(), "AWS::EKS::AccessEntry", KubernetesGroups=["milvus-on-eks:tasks"])
    [policy] = entry["Properties"]["AccessPolicies"]
    assert policy["AccessScope"] == {"Type": "namespace", "Namespaces": ["milvus"]}
    assert policy["PolicyArn"].endswith(":cluster-access-policy/AmazonEKSViewPolicy")
    # THEN what the group may do beyond that is one class
    role_id, role = manifest("ClusterRole")
    assert role["rules"] == [
        {
            "apiGroups": ["storage.k8s.io"],
            "resources": ["storageclasses"],
            "resourceNames": ["gp2"],
            "verbs": ["get", "patch"],
        }
    ]
    binding_id, binding = manifest("ClusterRoleBinding")
    rbac = "rbac.authorization.k8s.io"
    assert binding["roleRef"] == {"apiGroup": rbac, "kind": "ClusterRole", "name": role["metadata"]["name"]}
    assert binding["subjects"] == [{"apiGroup": rbac, "kind": "Group", "name": "milvus-on-eks:tasks"}]
    # AND no task starts before it is admitted and may do it
    task, _ = only(private(), "Custom::NonDefaultStorageClass")
    assert {entry_id, role_id, binding_id} <= before(private(), task)


def test_outputs_are_those_that_operators_look_up() -> None:
    template = private().to_json()["Outputs"]
    assert {"ClusterName", "KubeconfigCommand", "OidcIssuer"} <= template.keys()
    command = json.dumps(template["KubeconfigCommand"]["Value"])
    assert "aws eks update-kubeconfig --name " in command
    assert "--region us-east-2" in command
