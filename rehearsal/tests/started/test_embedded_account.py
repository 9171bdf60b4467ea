"""A really started account: templates that CloudFormation would refuse fail, and what is created can be described."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.account.options import ExistingNetwork, ExistingSubnet
from rehearsal.cdk import Cdk, CdkError
from rehearsal.driver import Rehearsal
from rehearsal.failure import failures
from rehearsal.leftovers import leftovers, strays
from rehearsal.run import PROJECT

_ACCOUNT, _REGION = "111122223333", "eu-central-1"
_NETWORK = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    cidr="10.0.0.0/16",
    subnets=tuple(
        ExistingSubnet(subnet_id=f"subnet-0{number}", zone=f"{_REGION}{zone}", cidr=f"10.0.{number}.0/24")
        for number, zone in enumerate("abc")
    ),
)
_SUBNETS = [subnet.subnet_id for subnet in _NETWORK.subnets]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    options = AccountOptions(
        run_dir=tmp_path_factory.mktemp("account"), account_id=_ACCOUNT, region=_REGION, network=_NETWORK
    )
    with EmbeddedAccount(options) as started:
        yield started


def _deploy(account: EmbeddedAccount, name: str, resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Creates a stack and waits for its end; the stack's description."""
    cloudformation = account.client("cloudformation")
    template = {"Resources": resources, **more}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    return _settled(account, name)


def _settled(account: EmbeddedAccount, name: str) -> dict[str, Any]:
    cloudformation = account.client("cloudformation")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.05)
    raise TimeoutError(name)


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _cluster(**change: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::MSK::Cluster",
        "Properties": {
            "ClusterName": "milvus",
            "KafkaVersion": "3.9.x.kraft",
            "NumberOfBrokerNodes": 3,
            "BrokerNodeGroupInfo": {"ClientSubnets": _SUBNETS, "InstanceType": "kafka.m7g.large"},
            "ClientAuthentication": {"Sasl": {"Scram": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}},
            **change,
        },
    }


def test_the_account_answers_with_its_id_and_region(account: EmbeddedAccount) -> None:
    assert account.client("sts").get_caller_identity()["Account"] == _ACCOUNT
    assert {
        subnet["SubnetId"] for subnet in account.client("ec2").describe_subnets(SubnetIds=_SUBNETS)["Subnets"]
    } == set(_SUBNETS)


@pytest.mark.printed
def test_the_bootstrap_passes_as_the_pages_print_it(account: EmbeddedAccount, tmp_path: Path) -> None:
    # GIVEN the policies of docs/delivery.md
    iam = account.client("iam")
    for name in ("network", "data", "cluster"):
        document = (PROJECT / "policies" / f"execution-{name}.json").read_text(encoding="utf-8")
        iam.create_policy(PolicyName=f"milvus-execution-{name}", PolicyDocument=document)
    arns = [f"arn:aws:iam::{_ACCOUNT}:policy/milvus-execution-{name}" for name in ("cluster", "data", "network")]
    cdk = Cdk(
        env="dev",
        environment=account.environment(),
        log=tmp_path / "cdk.log",
        on_event=lambda _event: None,
        assembly=tmp_path / "cdk.out",
    )

    def attached() -> list[str]:
        role = f"cdk-hnb659fds-cfn-exec-role-{_ACCOUNT}-{_REGION}"
        return sorted(each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"])

    # WHEN the account is bootstrapped as README prints it, THEN CloudFormation may do everything, as in AWS
    cdk.bootstrap(_ACCOUNT, _REGION)
    assert attached() == ["arn:aws:iam::aws:policy/AdministratorAccess"]
    # WHEN it is bootstrapped as docs/delivery.md prints it, THEN it may do what the policies say
    options = ["--cloudformation-execution-policies", ",".join(arns)]
    cdk.run(["cdk", "bootstrap", f"aws://{_ACCOUNT}/{_REGION}", *options])
    assert attached() == arns


def test_an_unknown_type_never_passes(account: EmbeddedAccount) -> None:
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::MSK::Clutser\]"):
        _deploy(account, "unknown", {"Kafka": {"Type": "AWS::MSK::Clutser"}})


def test_a_reference_to_nothing_never_passes(account: EmbeddedAccount) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Gone"}}}
    with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[Gone\] in the Resources block"):
        _deploy(account, "nowhere", {"Topic": topic})


def test_ranges_and_ports_that_ec2_does_not_have_fail_the_stack(account: EmbeddedAccount) -> None:
    # GIVEN a subnet outside its VPC, one upon another subnet, and a port beyond the last
    rule = {"IpProtocol": "tcp", "FromPort": 70000, "ToPort": 70000, "CidrIp": "10.0.0.0/16"}
    group = {"GroupDescription": "made-up", "VpcId": _NETWORK.vpc_id, "SecurityGroupIngress": [rule]}
    subnet = {"VpcId": _NETWORK.vpc_id, "AvailabilityZone": f"{_REGION}a"}
    refused: dict[str, tuple[str, dict[str, Any], str]] = {
        "outside": ("Subnet", {**subnet, "CidrBlock": "192.168.0.0/24"}, "The CIDR '192.168.0.0/24' is invalid."),
        "upon": ("Subnet", {**subnet, "CidrBlock": "10.0.1.0/25"}, "The CIDR '10.0.1.0/25' conflicts with another"),
        "beyond": ("SecurityGroup", group, "TCP/UDP port (70000) out of range"),
    }
    for name, (kind, properties, message) in refused.items():
        # WHEN each is deployed, THEN it is refused with EC2's words
        stack = _deploy(account, name, {"Resource": {"Type": f"AWS::EC2::{kind}", "Properties": properties}})
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        assert message in failures(account.client("cloudformation"), [name])[0].reason


def test_a_broken_property_fails_the_stack_and_is_named(account: EmbeddedAccount) -> None:
    # GIVEN a type that the emulator itself provides, with a property that AWS does not know
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {}, "Rotate": True},
        "Metadata": {"aws:cdk:path": "app/Key"},
    }
    # WHEN it is deployed
    stack = _deploy(account, "broken", {"Key": key})
    # THEN the stack is rolled back, and the failure names stack, resource and reason
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    (failure,) = failures(account.client("cloudformation"), ["broken"])
    assert (failure.stack, failure.resource) == ("broken", "app/Key")
    assert "extraneous key [Rotate] is not permitted" in failure.reason


def test_a_cluster_with_its_user_can_be_described(account: EmbeddedAccount) -> None:
    # GIVEN a cluster, a secret with MSK's prefix and an own key, and their association
    stack = _deploy(
        account,
        "streaming",
        {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}},
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "Name": "AmazonMSK_milvus",
                    "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                    "GenerateSecretString": {
                        "SecretStringTemplate": '{"username": "milvus"}',
                        "GenerateStringKey": "password",
                        "ExcludePunctuation": True,
                    },
                },
            },
            "Configuration": {
                "Type": "AWS::MSK::Configuration",
                "Properties": {"Name": "milvus", "ServerProperties": "message.max.bytes=10485880"},
            },
            "Kafka": _cluster(
                ConfigurationInfo={
                    "Arn": {"Ref": "Configuration"},
                    "Revision": {"Fn::GetAtt": ["Configuration", "LatestRevision.Revision"]},
                }
            ),
            "Users": {
                "Type": "AWS::MSK::BatchScramSecret",
                "Properties": {"ClusterArn": {"Ref": "Kafka"}, "SecretArnList": [{"Ref": "Secret"}]},
            },
        },
        Outputs={"Secret": {"Value": {"Ref": "Secret"}}, "Kafka": {"Value": {"Ref": "Kafka"}}},
    )
    outputs = _outputs(stack)
    # THEN Ref of the secret is its ARN, and the real API finds everything
    kafka = account.client("kafka")
    assert outputs["Secret"].startswith(f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:AmazonMSK_milvus-")
    described = kafka.describe_cluster_v2(ClusterArn=outputs["Kafka"])["ClusterInfo"]
    assert (described["ClusterType"], described["State"]) == ("PROVISIONED", "ACTIVE")
    assert described["Provisioned"]["CurrentBrokerSoftwareInfo"]["KafkaVersion"] == "3.9.x.kraft"
    assert kafka.list_scram_secrets(ClusterArn=outputs["Kafka"])["SecretArnList"] == [outputs["Secret"]]
    brokers = kafka.get_bootstrap_brokers(ClusterArn=outputs["Kafka"])
    assert brokers["BootstrapBrokerStringSaslScram"].count(":9096") == 3
    assert "BootstrapBrokerStringTls" not in brokers
    # AND it goes without a trace
    _delete(account, "streaming")
    cloudformation = account.client("cloudformation")
    assert leftovers(cloudformation, [stack["StackId"]]) == []
    assert strays(account.client, [], existing={_NETWORK.vpc_id}) == []


def _delete(account: EmbeddedAccount, name: str) -> None:
    account.client("cloudformation").delete_stack(StackName=name)
    _gone(account, name)


def _gone(account: EmbeddedAccount, name: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stacks = account.client("cloudformation").describe_stacks()["Stacks"]
        if name not in {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}:
            return
        time.sleep(0.05)
    raise TimeoutError(name)


_TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]},
    "Action": "sts:AssumeRole",
}


def _kubernetes(version: str, *, nodes: str, name: str = "upgraded") -> dict[str, Any]:
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [_TRUST]}},
        },
        "Kubernetes": {
            "Type": "AWS::EKS::Cluster",
            "Properties": {
                "Name": name,
                "Version": version,
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "ResourcesVpcConfig": {"SubnetIds": _SUBNETS},
            },
        },
        "Nodes": {
            "Type": "AWS::EKS::Nodegroup",
            "Properties": {
                "ClusterName": {"Ref": "Kubernetes"},
                "Version": nodes,
                "NodeRole": {"Fn::GetAtt": ["Role", "Arn"]},
                "Subnets": _SUBNETS,
                "AmiType": "AL2023_ARM_64_STANDARD",
                "InstanceTypes": ["m7g.large"],
            },
        },
    }


def _update(account: EmbeddedAccount, name: str, resources: dict[str, Any]) -> dict[str, Any]:
    """Updates a stack and waits for its end; the stack's description."""
    template = json.dumps({"Resources": resources})
    account.client("cloudformation").update_stack(
        StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"]
    )
    return _settled(account, name)


def test_a_kubernetes_upgrade_goes_one_minor_version_at_a_time(account: EmbeddedAccount) -> None:
    # GIVEN a cluster and its nodes
    assert _deploy(account, "upgrade", _kubernetes("1.33", nodes="1.33"))["StackStatus"] == "CREATE_COMPLETE"
    refused = {
        "1.35": r"Unsupported Kubernetes minor version update from 1\.33 to 1\.35",
        "1.32": r"Unsupported Kubernetes minor version update from 1\.33 to 1\.32",
        "1.12": r"unsupported Kubernetes version 1\.12",
    }
    # WHEN its version changes, THEN only the next one is accepted, and EKS's reason is given for the others
    for version in refused:
        stack = _update(account, "upgrade", _kubernetes(version, nodes="1.33"))
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [failure.reason for failure in failures(account.client("cloudformation"), ["upgrade"])]
    for reason, message in zip(reasons, refused.values(), strict=True):
        assert re.search(message, reason)
    assert _update(account, "upgrade", _kubernetes("1.34", nodes="1.33"))["StackStatus"] == "UPDATE_COMPLETE"
    _delete(account, "upgrade")


def test_nodes_are_never_newer_than_their_cluster_and_a_failed_upgrade_goes_back(account: EmbeddedAccount) -> None:
    # GIVEN a cluster and its nodes
    _deploy(account, "nodes", _kubernetes("1.33", nodes="1.33", name="back"))
    # WHEN the nodes are upgraded too far, behind an upgrade of the cluster
    stack = _update(account, "nodes", _kubernetes("1.34", nodes="1.35", name="back"))
    # THEN the nodes are refused, and the cluster is back at the version that it came from
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (failure,) = failures(account.client("cloudformation"), ["nodes"])
    assert "Requested Nodegroup version 1.35 is newer than the cluster's" in failure.reason
    assert account.client("eks").describe_cluster(name="back")["cluster"]["version"] == "1.33"
    _delete(account, "nodes")


def test_a_changed_secret_meets_the_rules_of_a_new_one(account: EmbeddedAccount) -> None:
    # GIVEN a secret
    properties: dict[str, Any] = {"Name": "changed", "SecretString": "{}"}
    secret = {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}}
    _deploy(account, "secret", secret)
    # WHEN an update gives it a second value, THEN it is refused
    properties["GenerateSecretString"] = {}
    assert _update(account, "secret", secret)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (failure,) = failures(account.client("cloudformation"), ["secret"])
    assert "can't specify both a secret value and GenerateSecretString" in failure.reason
    _delete(account, "secret")


def test_a_secret_without_the_prefix_fails_its_association(account: EmbeddedAccount) -> None:
    resources = {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "{}"}},
        "Kafka": _cluster(ClusterName="refusing"),
        "Users": {
            "Type": "AWS::MSK::BatchScramSecret",
            "Properties": {"ClusterArn": {"Ref": "Kafka"}, "SecretArnList": [{"Ref": "Secret"}]},
        },
    }
    _deploy(account, "prefix", resources)
    (failure,) = failures(account.client("cloudformation"), ["prefix"])
    assert failure.resource == "Users"
    assert "prefix AmazonMSK_" in failure.reason


def test_what_is_retained_is_listed_and_nothing_else_stays(account: EmbeddedAccount) -> None:
    # GIVEN a retained and a normal bucket
    buckets = {
        "Kept": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "kept-bucket"}},
        "Gone": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "gone-bucket"}},
    }
    stack = _deploy(account, "storage", buckets)
    # WHEN the stack goes
    _delete(account, "storage")
    cloudformation = account.client("cloudformation")
    # THEN
    retained = leftovers(cloudformation, [stack["StackId"]])
    assert [entry.physical_id for entry in retained] == ["kept-bucket"]
    assert strays(account.client, retained, existing={_NETWORK.vpc_id}) == []
    assert strays(account.client, [], existing={_NETWORK.vpc_id}) == ["bucket kept-bucket"]


def test_a_function_that_crashes_fails_its_resource_at_once(account: EmbeddedAccount) -> None:
    # GIVEN a custom resource whose function never answers CloudFormation
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context):\n    raise ValueError('made-up crash')\n"},
            },
        },
        "Task": {"Type": "Custom::Task", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }
    # WHEN it is deployed, THEN it fails within seconds instead of after an hour
    assert _deploy(account, "crash", resources)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "made-up crash" in failures(account.client("cloudformation"), ["crash"])[0].reason


def test_a_nat_gateway_keeps_its_subnet(account: EmbeddedAccount) -> None:
    # GIVEN a gateway in a subnet of another stack
    _deploy(
        account,
        "subnet",
        {
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": _NETWORK.vpc_id, "CidrBlock": "10.0.9.0/24", "AvailabilityZone": f"{_REGION}a"},
            }
        },
        Outputs={"Subnet": {"Value": {"Ref": "Subnet"}, "Export": {"Name": "subnet"}}},
    )
    subnet = _outputs(_settled(account, "subnet"))["Subnet"]
    gateway = {
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Gateway": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {"SubnetId": subnet, "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        },
    }
    assert _deploy(account, "gateway", gateway)["StackStatus"] == "CREATE_COMPLETE"
    # WHEN the subnet's stack is deleted, THEN EC2 refuses
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName="subnet")
    assert _settled(account, "subnet")["StackStatus"] == "DELETE_FAILED"
    assert "has dependencies and cannot be deleted" in failures(cloudformation, ["subnet"])[0].reason
    # AND in the right order both go
    for name in ("gateway", "subnet"):
        cloudformation.delete_stack(StackName=name)
        _gone(account, name)


def test_an_account_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rehearsal.account import server

    monkeypatch.setattr(server.EmbeddedAccount, "_command", lambda _self: ["sh", "-c", "echo no emulator here; exit 1"])
    with (
        pytest.raises(server.AccountError, match=r"(?s)did not start.*no emulator here"),
        EmbeddedAccount(AccountOptions(run_dir=tmp_path, region=_REGION)),
    ):
        pass


def test_an_account_that_dies_under_a_deployment_is_named_as_the_cause(tmp_path: Path) -> None:
    from rehearsal.account import server

    # GIVEN a rehearsal whose account dies, so that the command in progress fails
    rehearsal = Rehearsal(env="dev", console=Console(quiet=True))
    with EmbeddedAccount(AccountOptions(run_dir=tmp_path, region=_REGION)) as account:
        assert account._process is not None
        account._process.terminate()
        account._process.wait()
        # WHEN the failure is explained, THEN the account is the cause, with the end of its log
        with (
            pytest.raises(server.AccountError, match=r"(?s)account ended with exit code \d+.*account\.log:\n.*\w"),
            rehearsal._explained(account),
        ):
            raise CdkError("deploy", 1, ["connect ECONNREFUSED"])
