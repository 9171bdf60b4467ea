"""`ops doctor` says before a deployment why the account would not take it; what it could not read is never ok."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from _paths import ROOT
from ops import aws
from ops.cli import app
from ops.doctor.findings import Finding, Report, Verdict
from ops.doctor.permissions import PERMISSIONS
from ops.doctor.run import examine
from settings import Environment, parse_environment
from settings.eks_versions import EKS_VERSIONS
from tests.unit.settings_files import file_with

ACCOUNT = "111122223333"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/operator"
REGION = "us-east-2"
MADE = datetime(2026, 11, 20, tzinfo=UTC)
ADDONS = EKS_VERSIONS["1.36"].addons
STACKS = ("network", "storage", "streaming", "eks", "milvus")
VPC, OTHER_VPC = "vpc-0123456789abcdef0", "vpc-0fedcba9876543210"
SUBNETS = ("subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2", "subnet-0aaaaaaaaaaaaaaa3")
EXISTING = (
    ("network.existing", {"vpc_id": VPC, "private_subnet_ids": list(SUBNETS)}),
    ("network.private_subnet_prefix", 22),
)
PERMISSION = "The call needs {}; policies/doctor.json allows all that doctor reads"
INCREASE = (
    "Ask AWS for {2}, which may take days: `aws service-quotas request-service-quota-increase --service-code {0} "
    "--quota-code {1} --desired-value {2} --region us-east-2`"
)

NO_WAY_OUT = (
    "Functions, nodes and pods fetch from the internet: without a way out each custom resource waits for up to an hour",
    "Route 0.0.0.0/0 to a NAT gateway, or to what leads out by itself; endpoints, a proxy or mirrors alone are not "
    "enough (docs/adr/0011-way-out.md)",
)

KEPT_KEY = "11111111-1111-1111-1111-111111111111"
KEPT = ("storage.existing", {"bucket": "kept-vectors", "key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEPT_KEY}"})

Answers = dict[str, tuple[str, str, Any]]


def subnet(number: int, **change: Any) -> dict[str, Any]:
    return {
        "SubnetId": SUBNETS[number],
        "VpcId": VPC,
        "AvailabilityZone": f"{REGION}{'abc'[number]}",
        "AvailableIpAddressCount": 1000,
        **change,
    }


def good(env: Environment) -> Answers:
    """All that AWS is asked, in that order, and what an account answers that takes the environment."""
    answers: Answers = {
        "caller": ("sts", "get_caller_identity", {"Account": ACCOUNT, "Arn": CALLER}),
        "bootstrap": ("ssm", "get_parameter", {"Parameter": {"Value": "30"}}),
        "vcpu quota": ("service-quotas", "get_service_quota", {"Quota": {"Value": 24.0}}),
        "instances": ("ec2", "describe_instances", {"Reservations": []}),
    }
    if env.network.existing is None:
        answers |= {
            "address quota": ("service-quotas", "get_service_quota", {"Quota": {"Value": 5.0}}),
            "addresses": ("ec2", "describe_addresses", {"Addresses": []}),
            "vpc quota": ("service-quotas", "get_service_quota", {"Quota": {"Value": 5.0}}),
            "vpcs": ("ec2", "describe_vpcs", {"Vpcs": [{"VpcId": OTHER_VPC}]}),
        }
    answers |= {
        "nlb quota": ("service-quotas", "get_service_quota", {"Quota": {"Value": 50.0}}),
        "load balancers": ("elbv2", "describe_load_balancers", {"LoadBalancers": [{"Type": "application"}]}),
        "lambda": (
            "lambda",
            "get_account_settings",
            {"AccountLimit": {"ConcurrentExecutions": 20, "UnreservedConcurrentExecutions": 10}},
        ),
        "build quota": ("service-quotas", "get_service_quota", {"Quota": {"Value": 6.0}}),
        "zones": (
            "ec2",
            "describe_availability_zones",
            {"AvailabilityZones": [zone(letter, number) for number, letter in enumerate("abc", start=1)]},
        ),
        "offerings": (
            "ec2",
            "describe_instance_type_offerings",
            offerings(*((kind, letter) for kind in ("m7g.2xlarge", "m7g.large") for letter in "abc")),
        ),
        "kafka versions": ("kafka", "list_kafka_versions", kafka_versions("ACTIVE")),
        "kubernetes": ("eks", "describe_cluster_versions", kubernetes("STANDARD_SUPPORT")),
    }
    answers |= {
        name: ("eks", "describe_addon_versions", builds("v0.0.1-eksbuild.1", pin)) for name, pin in ADDONS.items()
    }
    if env.network.existing:
        attributes = ("EnableDnsSupport", "EnableDnsHostnames")
        answers["vpc"] = ("ec2", "describe_vpcs", {"Vpcs": [{"VpcId": VPC, "CidrBlock": "10.0.0.0/16"}]})
        answers |= {each: ("ec2", "describe_vpc_attribute", {each: {"Value": True}}) for each in attributes}
        answers["subnets"] = ("ec2", "describe_subnets", {"Subnets": [subnet(number) for number in range(3)]})
        answers["routes"] = ("ec2", "describe_route_tables", routes(main="active"))
    if env.storage.existing:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEPT_KEY}}
        blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        answers |= {
            "bucket": ("s3", "get_bucket_location", {"LocationConstraint": REGION}),
            "encryption": ("s3", "get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}),
            "public": (
                "s3",
                "get_public_access_block",
                {"PublicAccessBlockConfiguration": dict.fromkeys(blocked, True)},
            ),
            "owners": (
                "s3",
                "get_bucket_ownership_controls",
                {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            ),
            "key": ("kms", "describe_key", {"KeyMetadata": {"KeyId": KEPT_KEY, "KeyState": "Enabled"}}),
        }
    answers |= {f"stack {part}": ("cloudformation", "describe_stacks", missing(part)) for part in STACKS}
    return answers | {
        "cluster": (
            "eks",
            "describe_cluster",
            ("ResourceNotFoundException", "No cluster found for name: milvus-test."),
        ),
        "msk": ("kafka", "list_clusters_v2", {"ClusterInfoList": []}),
        "secrets": ("secretsmanager", "list_secrets", {"SecretList": []}),
    }


def zone(letter: str, number: int, **change: Any) -> dict[str, Any]:
    return {"ZoneName": f"{REGION}{letter}", "ZoneId": f"use2-az{number}", "State": "available", **change}


def routes(*, main: str, others: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a main table, and one for each of some subnets, whose default route is in a state."""

    def table(state: str, association: dict[str, Any]) -> dict[str, Any]:
        local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
        default = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": state}
        return {"Associations": [association], "Routes": [local, default] if state else [local]}

    return {
        "RouteTables": [
            table(main, {"Main": True}),
            *(table(state, {"Main": False, "SubnetId": name}) for name, state in (others or {}).items()),
        ]
    }


def offerings(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"InstanceTypeOfferings": [{"InstanceType": kind, "Location": f"{REGION}{zone}"} for kind, zone in pairs]}


def kafka_versions(status: str) -> dict[str, Any]:
    older = {"Version": "3.8.x.kraft", "Status": "ACTIVE"}
    return {
        "KafkaVersions": [older, {"Version": "3.6.0", "Status": "ACTIVE"}, {"Version": "3.9.x.kraft", "Status": status}]
    }


def kubernetes(status: str) -> dict[str, Any]:
    return {"clusterVersions": [{"clusterVersion": "1.36", "versionStatus": status}]}


def builds(*versions: str) -> dict[str, Any]:
    return {"addons": [{"addonVersions": [{"addonVersion": version} for version in versions]}]}


def missing(part: str) -> tuple[str, str]:
    return "ValidationError", f"Stack with id milvus-test-{part} does not exist"


def stack(part: str, state: str, *, protected: bool = False) -> dict[str, Any]:
    described = {"StackName": f"milvus-test-{part}", "CreationTime": MADE, "StackStatus": state}
    return {"Stacks": [{**described, "EnableTerminationProtection": protected}]}


def running(kind: str, cores: int, **more: Any) -> dict[str, Any]:
    instance = {"InstanceType": kind, "CpuOptions": {"CoreCount": cores, "ThreadsPerCore": 1}, **more}
    return {"Reservations": [{"Instances": [instance]}]}


def env_with(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="test.yaml", today=date(2026, 11, 23))


def clients_of(answers: Answers) -> Any:
    """Return a maker of boto3 clients that give these answers; nothing leaves the process."""
    stubs: dict[str, Stubber] = {}
    for service, operation, answer in answers.values():
        if service not in stubs:
            made = boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
            stubs[service] = Stubber(made)
            stubs[service].activate()
        if isinstance(answer, tuple):
            stubs[service].add_client_error(operation, *answer)
        else:
            stubs[service].add_response(operation, answer)
    return lambda service: stubs[service].client


def answers_with(env: Environment, instead: dict[str, Any]) -> Answers:
    """Return the answers of a good account, but for those of ``instead``; None where nothing is asked then."""
    answers = good(env)
    for name, answer in instead.items():
        answers[name] = (*answers[name][:2], answer)
    return {name: answer for name, answer in answers.items() if answer[2] is not None}


def examined(*changes: tuple[str, Any], instead: dict[str, Any] | None = None, file: str | None = None) -> Report:
    env = env_with(*changes)
    answers = answers_with(env, instead or {})
    return examine(env, file=file, qualifier="hnb659fds", clients=clients_of(answers))


def wrong(report: Report) -> list[tuple[str, ...]]:
    return [
        (each.check, each.verdict, each.what, each.why, each.remedy)
        for each in report.findings
        if each.verdict is not Verdict.OK
    ]


def test_an_account_that_takes_the_environment_is_ok_in_every_check() -> None:
    report = examined(file=None)

    assert [(each.check, each.what) for each in report.findings] == [
        ("account", f"{ACCOUNT}, as {CALLER}"),
        ("bootstrap", "Version 30"),
        ("quotas", "vCPUs of running On-Demand Standard instances: 24 needed, 24 free (0 of 24 in use)"),
        ("quotas", "Elastic IP addresses: 3 needed, 5 free (0 of 5 in use)"),
        ("quotas", "VPCs: 1 needed, 4 free (1 of 5 in use)"),
        ("quotas", "Network Load Balancers: 1 needed, 50 free (0 of 50 in use)"),
        ("quotas", "concurrent Lambda executions: 10 needed, 10 allowed"),
        ("zones", "us-east-2a (use2-az1), us-east-2b (use2-az2), us-east-2c (use2-az3)"),
        ("instances", "Every zone has m7g.2xlarge of node group milvus"),
        ("MSK", "Kafka 3.9.x.kraft"),
        ("MSK", "EC2 has m7g.large for kafka.m7g.large in every zone; MSK has no list of its own"),
        ("EKS", "Kubernetes 1.36"),
        *(("EKS add-ons", f"{name} {pinned}") for name, pinned in ADDONS.items()),
        ("stacks", "Not deployed yet: " + ", ".join(f"milvus-test-{part}" for part in STACKS)),
        ("names", "There is no EKS cluster milvus-test yet"),
        ("names", "There is no MSK cluster milvus-test yet"),
    ]
    assert {each.verdict for each in report.findings} == {Verdict.OK}
    assert not report.blocks
    assert report.summary == "Nothing blocks a deployment; 0 to know"


LATE = "Nodes that cannot start fail the Eks stack after 15 minutes or more, when MSK is up and billed"
BAD: dict[str, tuple[tuple[tuple[str, Any], ...], dict[str, Any], tuple[str, ...]]] = {
    "another account": (
        (("account", "222222222222"),),
        {},
        (
            "account",
            "blocks",
            f"The credentials are of account {ACCOUNT}, the file says 222222222222",
            f"The CDK deploys into the file's account only; the caller is {CALLER}",
            "Set AWS_PROFILE to one of that account, or correct `account` in the file",
        ),
    ),
    "no bootstrap": (
        (),
        {"bootstrap": ("ParameterNotFound", "")},
        (
            "bootstrap",
            "blocks",
            "There is no bootstrap of the qualifier hnb659fds in us-east-2",
            "The CDK publishes assets to, and deploys with roles of, its bootstrap",
            "Run `cdk bootstrap aws://111122223333/us-east-2`",
        ),
    ),
    "an old bootstrap": (
        (),
        {"bootstrap": {"Parameter": {"Value": "6"}}},
        (
            "bootstrap",
            "blocks",
            "The bootstrap has version 6, 8 or newer is needed",
            "Older ones lack roles and permissions that this CDK uses",
            "Run `cdk bootstrap aws://111122223333/us-east-2` again",
        ),
    ),
    "too few vCPUs": (
        (),
        {"vcpu quota": {"Quota": {"Value": 5.0}}},
        (
            "quotas",
            "blocks",
            "vCPUs of running On-Demand Standard instances: 24 needed, 5 free (0 of 5 in use)",
            LATE,
            INCREASE.format("ec2", "L-1216C47A", 24),
        ),
    ),
    "vCPUs that others use": (
        (),
        {"instances": running("c7i.4xlarge", 16)},
        (
            "quotas",
            "blocks",
            "vCPUs of running On-Demand Standard instances: 24 needed, 8 free (16 of 24 in use)",
            LATE,
            INCREASE.format("ec2", "L-1216C47A", 40),
        ),
    ),
    "vCPUs for the largest size": (
        (("cluster.node_groups.milvus.max_size", 4),),
        {},
        (
            "quotas",
            "advice",
            "vCPUs of running On-Demand Standard instances: 24 needed, 24 free (0 of 24 in use)",
            "With every group at its max_size, 32 are needed; to replace nodes takes more for a while",
            INCREASE.format("ec2", "L-1216C47A", 32),
        ),
    ),
    "too few addresses": (
        (),
        {"addresses": {"Addresses": [{}, {}, {}]}},
        (
            "quotas",
            "blocks",
            "Elastic IP addresses: 3 needed, 2 free (3 of 5 in use)",
            "Each NAT gateway of the Network stack has one",
            INCREASE.format("ec2", "L-0263D0A3", 6),
        ),
    ),
    "too few VPCs": (
        (),
        {"vpc quota": {"Quota": {"Value": 1.0}}},
        (
            "quotas",
            "blocks",
            "VPCs: 1 needed, 0 free (1 of 1 in use)",
            "The Network stack makes a VPC",
            INCREASE.format("vpc", "L-F678F1CE", 2),
        ),
    ),
    "too few network load balancers": (
        (),
        {"nlb quota": {"Quota": {"Value": 1.0}}, "load balancers": {"LoadBalancers": [{"Type": "network"}]}},
        (
            "quotas",
            "blocks",
            "Network Load Balancers: 1 needed, 0 free (1 of 1 in use)",
            "Milvus's load balancer would never get an address, and the Milvus stack would wait for it in vain",
            INCREASE.format("elasticloadbalancing", "L-69A177A2", 2),
        ),
    ),
    "too few functions": (
        (),
        {"lambda": {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 9}}},
        (
            "quotas",
            "blocks",
            "concurrent Lambda executions: 10 needed, 9 allowed",
            "Functions that send objects to the cluster are refused (TooManyRequestsException), and their stack rolls "
            "back",
            f"{INCREASE.format('lambda', 'L-B99A9384', 1000)}, or release reserved concurrency of other functions",
        ),
    ),
    "a zone that is not there": (
        (),
        {"zones": {"AvailabilityZones": [zone("a", 1), zone("c", 3), zone("d", 4)]}},
        (
            "zones",
            "blocks",
            "us-east-2 has no zone us-east-2b in this account",
            "Nothing can be made in it",
            "Choose 3 of these in network.zones: a, c, d",
        ),
    ),
    "a zone that is impaired": (
        (),
        {"zones": {"AvailabilityZones": [zone("a", 1), zone("b", 2, State="impaired"), zone("c", 3)]}},
        (
            "zones",
            "blocks",
            "us-east-2b is impaired",
            "Nothing can be made in it",
            "Choose 3 of these in network.zones: a, c",
        ),
    ),
    "a zone without EKS": (
        (),
        {"zones": {"AvailabilityZones": [zone("a", 1), zone("b", 2, ZoneId="use1-az3"), zone("c", 3)]}},
        (
            "zones",
            "blocks",
            "us-east-2b is use1-az3 in this account",
            "EKS makes no cluster with a subnet there",
            "Choose 3 of these in network.zones: a, c",
        ),
    ),
    "a zone without the instance type": (
        (),
        {"offerings": offerings(("m7g.2xlarge", "a"), ("m7g.2xlarge", "b"), *(("m7g.large", zone) for zone in "abc"))},
        (
            "instances",
            "blocks",
            "us-east-2c has no m7g.2xlarge of node group milvus",
            "Nodes of that zone would never start; etcd and the components want one in each",
            "Choose another instance type or other zones",
        ),
    ),
    "no zone with the instance type": (
        (),
        {"offerings": offerings(*(("m7g.large", zone) for zone in "abc"))},
        (
            "instances",
            "blocks",
            "None of us-east-2a, us-east-2b, us-east-2c has m7g.2xlarge of node group milvus",
            "EKS refuses a node group with a type that its zones do not have",
            "Choose another instance type or other zones",
        ),
    ),
    "no brokers": (
        (),
        {"offerings": offerings(*(("m7g.2xlarge", zone) for zone in "abc"), ("m7g.large", "a"))},
        (
            "MSK",
            "advice",
            "EC2 has no m7g.large in us-east-2b, us-east-2c",
            "MSK lists no broker types by zone, but its kafka.m7g.large runs on that type: it will refuse the cluster",
            "Choose another queue.broker_type or other zones, or look into MSK's console",
        ),
    ),
    "no such Kafka": (
        (("queue.kafka_version", "3.7.x.kraft"),),
        {},
        (
            "MSK",
            "blocks",
            "MSK has no Kafka 3.7.x.kraft here",
            "MSK refuses a cluster of a version that it does not list",
            "Choose one of these in queue.kafka_version: 3.8.x.kraft, 3.9.x.kraft",
        ),
    ),
    "an old Kafka": (
        (),
        {"kafka versions": kafka_versions("DEPRECATED")},
        (
            "MSK",
            "advice",
            "Kafka 3.9.x.kraft is DEPRECATED",
            "MSK upgrades clusters of such a version by itself one day",
            "Choose a newer one in queue.kafka_version before the first deployment",
        ),
    ),
    "no such Kubernetes": (
        (),
        {"kubernetes": {"clusterVersions": []}},
        (
            "EKS",
            "blocks",
            "EKS makes no cluster of Kubernetes 1.36 here",
            "It is not there yet, or its support has ended",
            "Choose another cluster.version",
        ),
    ),
    "Kubernetes out of support": (
        (),
        {"kubernetes": kubernetes("UNSUPPORTED")},
        (
            "EKS",
            "blocks",
            "EKS makes no cluster of Kubernetes 1.36 here",
            "Its support has ended",
            "Choose another cluster.version",
        ),
    ),
    "Kubernetes in extended support": (
        (),
        {"kubernetes": kubernetes("EXTENDED_SUPPORT")},
        (
            "EKS",
            "advice",
            "Kubernetes 1.36 is in extended support",
            "EKS charges more for each hour of such a cluster",
            "Choose a newer cluster.version before the first deployment",
        ),
    ),
    "a withdrawn build": (
        (),
        {"coredns": builds("v9.9.9-eksbuild.2", "v9.9.9-eksbuild.1")},
        (
            "EKS add-ons",
            "blocks",
            f"EKS has no coredns {ADDONS['coredns']} for Kubernetes 1.36",
            'The Eks stack fails with "Addon version specified is not supported"',
            "Pin one of these in settings/eks_versions.py: v9.9.9-eksbuild.2, v9.9.9-eksbuild.1",
        ),
    ),
    "no such VPC": (
        EXISTING,
        {"vpc": {"Vpcs": []}, "EnableDnsSupport": None, "EnableDnsHostnames": None},
        (
            "existing VPC",
            "blocks",
            f"There is no {VPC} in us-east-2 of this account",
            "Every stack lives in it",
            "Correct network.existing.vpc_id, the region or AWS_PROFILE",
        ),
    ),
    "another range": (
        EXISTING,
        {"vpc": {"Vpcs": [{"VpcId": VPC, "CidrBlock": "10.1.0.0/16"}]}},
        (
            "existing VPC",
            "blocks",
            f"{VPC} has 10.1.0.0/16, not 10.0.0.0/16",
            "By these ranges security groups admit clients: nodes could not reach what they need",
            "Correct network.cidr and network.existing.secondary_cidrs",
        ),
    ),
    "no DNS support": (
        EXISTING,
        {"EnableDnsSupport": {"EnableDnsSupport": {"Value": False}}},
        (
            "existing VPC",
            "blocks",
            f"{VPC} has enableDnsSupport switched off",
            "Nothing would find the private endpoint of the Kubernetes API",
            f"`aws ec2 modify-vpc-attribute --vpc-id {VPC} --enable-dns-support --region us-east-2`",
        ),
    ),
    "no DNS host names": (
        EXISTING,
        {"EnableDnsHostnames": {"EnableDnsHostnames": {"Value": False}}},
        (
            "existing VPC",
            "blocks",
            f"{VPC} has enableDnsHostnames switched off",
            "Nothing would find the private endpoint of the Kubernetes API",
            f"`aws ec2 modify-vpc-attribute --vpc-id {VPC} --enable-dns-hostnames --region us-east-2`",
        ),
    ),
    "no such subnet": (
        EXISTING,
        {"subnets": {"Subnets": [subnet(0), subnet(2)]}},
        (
            "existing VPC",
            "blocks",
            f"There is no {SUBNETS[1]} in this account and region",
            "Nodes, brokers and load balancers live in it",
            "Correct network.existing.private_subnet_ids",
        ),
    ),
    "a subnet of another VPC": (
        EXISTING,
        {"subnets": {"Subnets": [subnet(0), subnet(1, VpcId=OTHER_VPC), subnet(2)]}},
        (
            "existing VPC",
            "blocks",
            f"{SUBNETS[1]} is in {OTHER_VPC}, not in {VPC}",
            "All subnets have to be in the environment's VPC",
            "Correct network.existing.private_subnet_ids",
        ),
    ),
    "two subnets in one zone": (
        EXISTING,
        {"subnets": {"Subnets": [subnet(0), subnet(1, AvailabilityZone="us-east-2a"), subnet(2)]}},
        (
            "existing VPC",
            "blocks",
            f"{SUBNETS[1]} is in us-east-2a, the file says us-east-2b",
            "Brokers, nodes and volumes are spread by zone, one subnet in each",
            "Put network.existing.private_subnet_ids into the order of network.zones, or correct network.zones",
        ),
    ),
    "a full subnet": (
        EXISTING,
        {"subnets": {"Subnets": [subnet(0), subnet(1, AvailableIpAddressCount=91), subnet(2)]}},
        (
            "existing VPC",
            "blocks",
            f"{SUBNETS[1]} has 91 free addresses, 92 are needed",
            "Every pod takes an address: pods without one never start",
            "Free some, or choose a larger subnet",
        ),
    ),
    "a subnet without a way out": (
        EXISTING,
        {"routes": routes(main="active", others={SUBNETS[0]: "active", SUBNETS[1]: ""})},
        ("existing VPC", "blocks", f"{SUBNETS[1]}: no default route that leads out", *NO_WAY_OUT),
    ),
    "a way out whose gateway is gone": (
        EXISTING,
        {"routes": routes(main="blackhole", others={SUBNETS[2]: "active"})},
        ("existing VPC", "blocks", f"{SUBNETS[0]}, {SUBNETS[1]}: no default route that leads out", *NO_WAY_OUT),
    ),
    "a stack that is being changed": (
        (),
        {"stack eks": stack("eks", "UPDATE_IN_PROGRESS")},
        (
            "stacks",
            "blocks",
            "milvus-test-eks is UPDATE_IN_PROGRESS",
            "Somebody deploys or destroys it now",
            "Wait until that has ended",
        ),
    ),
    "a failed first deployment": (
        (),
        {"stack eks": stack("eks", "ROLLBACK_COMPLETE")},
        (
            "stacks",
            "advice",
            "milvus-test-eks is ROLLBACK_COMPLETE",
            "Its first deployment failed; the next one deletes the stack and makes it anew",
            "Mend what failed before: its events name it",
        ),
    ),
    "a failed first deployment that is protected": (
        (),
        {"stack eks": stack("eks", "ROLLBACK_COMPLETE", protected=True)},
        (
            "stacks",
            "blocks",
            "milvus-test-eks is ROLLBACK_COMPLETE, with termination protection",
            "Its first deployment failed; the CDK has to delete it first, which the protection refuses",
            "`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name "
            "milvus-test-eks --region us-east-2`",
        ),
    ),
    "a stack that could not be deleted": (
        (),
        {"stack network": stack("network", "DELETE_FAILED")},
        (
            "stacks",
            "blocks",
            "milvus-test-network is DELETE_FAILED",
            "Nothing can be deployed over it",
            "Delete it once more; its events say what held",
        ),
    ),
    "a stack that could not be rolled back": (
        (),
        {"stack network": stack("network", "UPDATE_ROLLBACK_FAILED")},
        (
            "stacks",
            "blocks",
            "milvus-test-network is UPDATE_ROLLBACK_FAILED",
            "Nothing can be deployed over it",
            "`aws cloudformation continue-update-rollback --stack-name milvus-test-network --region us-east-2`",
        ),
    ),
    "a cluster of the same name": (
        (),
        {"cluster": {"cluster": {"name": "milvus-test"}}},
        (
            "names",
            "blocks",
            "There is an EKS cluster milvus-test already, and milvus-test-eks did not make it",
            "A second one of this name cannot be made",
            "Delete it, or choose another `name` in the file",
        ),
    ),
    "brokers of the same name": (
        (),
        {"msk": {"ClusterInfoList": [{"ClusterName": "milvus-test"}]}},
        (
            "names",
            "blocks",
            "There is an MSK cluster milvus-test already, and milvus-test-streaming did not make it",
            "A second one of this name cannot be made",
            "Delete it, or choose another `name` in the file",
        ),
    ),
    "secrets that wait for their deletion": (
        (),
        {"secrets": {"SecretList": [{"Name": "AmazonMSK_milvus-test-milvus-1", "DeletedDate": MADE}]}},
        (
            "names",
            "advice",
            "Waiting for their deletion: AmazonMSK_milvus-test-milvus-1",
            "They are of an earlier deployment, and their names are not needed: each deployment has its own",
            "Nothing; `aws secretsmanager restore-secret` brings one back",
        ),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_reason_and_remedy(case: str) -> None:
    changes, instead, expected = BAD[case]

    report = examined(*changes, instead=instead)

    assert wrong(report) == [expected]
    assert report.blocks is (expected[1] == "blocks")


def test_a_good_vpc_is_ok_with_each_of_its_subnets() -> None:
    report = examined(*EXISTING)

    assert wrong(report) == []
    assert [each.what for each in report.findings if each.check == "existing VPC"] == [
        f"{VPC} with 10.0.0.0/16, and DNS",
        "every private subnet has a default route",
        *(f"{name} in us-east-2{zone}, 1000 addresses free" for name, zone in zip(SUBNETS, "abc", strict=True)),
    ]


def test_what_the_environment_itself_runs_is_not_counted_against_it() -> None:
    # GIVEN an environment that is deployed, and uses the whole quota
    own = {"Key": "aws:cloudformation:stack-name", "Value": "milvus-test-network"}
    node = running("m7g.2xlarge", 24, Tags=[{"Key": "eks:cluster-name", "Value": "milvus-test"}])
    deployed = {f"stack {part}": stack(part, "UPDATE_COMPLETE") for part in STACKS}

    # WHEN it is looked at again
    report = examined(
        instead={
            "instances": node,
            "addresses": {"Addresses": [{"Tags": [own]}] * 3},
            "vpc quota": {"Quota": {"Value": 1.0}},
            "vpcs": {"Vpcs": [{"VpcId": VPC, "Tags": [own]}]},
            "cluster": {"cluster": {"name": "milvus-test"}},
            "msk": {"ClusterInfoList": [{"ClusterName": "milvus-test"}]},
            **deployed,
        }
    )

    # THEN nothing of it is in its own way
    assert wrong(report) == []
    assert [each.what for each in report.findings if each.check in {"stacks", "names"}] == [
        "Deployed already: " + ", ".join(f"milvus-test-{part}" for part in STACKS),
        "The EKS cluster milvus-test is of milvus-test-eks",
        "The MSK cluster milvus-test is of milvus-test-streaming",
    ]


def test_instances_of_other_quotas_are_not_counted() -> None:
    spot = running("m7g.2xlarge", 8, InstanceLifecycle="spot")["Reservations"]
    graphics = running("g5.2xlarge", 8)["Reservations"]
    inferentia = running("inf2.xlarge", 4)["Reservations"]

    assert wrong(examined(instead={"instances": {"Reservations": [*spot, *graphics, *inferentia]}})) == []


def test_a_quota_without_a_value_of_the_account_is_that_of_everybody() -> None:
    env = env_with()
    answers: Answers = {}
    for name, answer in good(env).items():
        answers[name] = answer
        if name == "vpc quota":
            answers[name] = (*answer[:2], ("NoSuchResourceException", "no value"))
            answers["default"] = ("service-quotas", "get_aws_default_service_quota", {"Quota": {"Value": 5.0}})

    assert wrong(examine(env, file=None, qualifier="hnb659fds", clients=clients_of(answers))) == []


DENIED = ("AccessDeniedException", "not for you")
NO_METADATA = (
    "existing bucket",
    "advice",
    "Milvus sees nothing of what is in kept-vectors",
    "Which collections and segments there are stands in etcd: a bucket alone is no backup",
    "Restore etcd's metadata (docs/destroy.md), or leave the old folder alone with another storage.root_path",
)
# Of an answer: what is found then.
BUCKETS: dict[str, tuple[dict[str, Any], list[tuple[str, str, str, str]]]] = {
    "none": (
        {"bucket": ("NoSuchBucket", "none"), "encryption": None, "public": None, "owners": None, "key": None},
        [
            (
                "blocks",
                "There is no bucket kept-vectors",
                "Milvus could not start",
                "Correct storage.existing.bucket or AWS_PROFILE; `python -m ops destroy` lists what was kept",
            )
        ],
    ),
    "in the first region": (
        {"bucket": {}},
        [
            (
                "blocks",
                "kept-vectors is in us-east-1, the environment in us-east-2",
                "Milvus asks S3 of its own region",
                "Deploy there, or copy the bucket",
            ),
            NO_METADATA[1:],
        ],
    ),
    "without a key of KMS": (
        {"encryption": ("ServerSideEncryptionConfigurationNotFoundError", "none")},
        [
            (
                "blocks",
                f"kept-vectors encrypts under no key of KMS, the file says {KEPT[1]['key_arn']}",
                "The role of Milvus may use the key of the file alone",
                "Correct storage.existing.key_arn",
            ),
            NO_METADATA[1:],
        ],
    ),
    "with a key that is gone": (
        {"key": ("NotFoundException", "none")},
        [
            (
                "blocks",
                f"The key {KEPT[1]['key_arn']} is not there",
                "Nothing in the bucket can be read without it",
                "Call it back (`aws kms cancel-key-deletion`, then `aws kms enable-key`) while that is possible",
            ),
            NO_METADATA[1:],
        ],
    ),
    "open to everybody": (
        {
            "public": ("NoSuchPublicAccessBlockConfiguration", "none"),
            "owners": ("OwnershipControlsNotFoundError", "none"),
        },
        [
            (
                "advice",
                "kept-vectors does not block public access",
                "It is used as it is",
                "Switch on all four of its public access blocks",
            ),
            (
                "advice",
                "Objects in kept-vectors may belong to others than its owner",
                "Milvus could not read those, nor can access control lists be ruled out",
                "Set its object ownership to BucketOwnerEnforced",
            ),
            NO_METADATA[1:],
        ],
    ),
}


@pytest.mark.parametrize("case", BUCKETS)
def test_an_existing_bucket_is_looked_at_before_milvus_is_given_it(case: str) -> None:
    instead, expected = BUCKETS[case]
    assert wrong(examined(KEPT, instead=instead)) == [("existing bucket", *each) for each in expected]


def test_a_good_bucket_is_ok_and_no_backup() -> None:
    report = examined(KEPT)
    assert wrong(report) == [NO_METADATA]
    found = [each.what for each in report.findings if each.check == "existing bucket"]
    assert found[0] == "kept-vectors is in us-east-2, under the key that the file names"


def test_garbage_collection_of_an_existing_bucket_is_never_silent() -> None:
    report = examined((KEPT[0], {**KEPT[1], "garbage_collection": True}))
    assert wrong(report) == [
        (
            "existing bucket",
            "advice",
            "storage.existing.garbage_collection is true",
            "Milvus deletes from kept-vectors what etcd does not know: with empty metadata, everything",
            "Be sure that etcd holds the metadata of this very bucket; else set it to false",
        )
    ]


def test_a_bucket_that_aws_does_not_tell_is_not_checked() -> None:
    report = examined(KEPT, instead={"encryption": DENIED, "public": None, "owners": None, "key": None})
    permission = (
        "s3:GetBucketLocation, s3:GetEncryptionConfiguration, s3:GetBucketPublicAccessBlock, "
        "s3:GetBucketOwnershipControls and kms:DescribeKey"
    )
    assert wrong(report) == [
        (
            "existing bucket",
            "not checked",
            "Whether kept-vectors can be used is unknown",
            f"cannot read {permission}: not for you",
            PERMISSION.format(permission),
        )
    ]


# Answer, what is unknown then, and the permission that the call needs.
UNKNOWN = {
    "bootstrap": ("bootstrap", "Whether us-east-2 is bootstrapped is unknown", "ssm:GetParameter"),
    "vcpu quota": (
        "quotas",
        "vCPUs of running On-Demand Standard instances: 24 needed, how many are allowed is unknown",
        "servicequotas:GetServiceQuota",
    ),
    "instances": (
        "quotas",
        "vCPUs of running On-Demand Standard instances: 24 needed, 24 allowed, how many are in use is unknown",
        "ec2:DescribeInstances",
    ),
    "lambda": (
        "quotas",
        "concurrent Lambda executions: 10 needed, how many are allowed is unknown",
        "lambda:GetAccountSettings",
    ),
    "zones": (
        "zones",
        "Whether us-east-2a, us-east-2b, us-east-2c can be used is unknown",
        "ec2:DescribeAvailabilityZones",
    ),
    "kafka versions": ("MSK", "Whether MSK has Kafka 3.9.x.kraft is unknown", "kafka:ListKafkaVersions"),
    "kubernetes": ("EKS", "Whether EKS has Kubernetes 1.36 is unknown", "eks:DescribeClusterVersions"),
    "coredns": (
        "EKS add-ons",
        f"Whether EKS has coredns {ADDONS['coredns']} is unknown",
        "eks:DescribeAddonVersions",
    ),
    "stack network": ("stacks", "The state of milvus-test-network is unknown", "cloudformation:DescribeStacks"),
    "cluster": ("names", "Whether there is an EKS cluster milvus-test already is unknown", "eks:DescribeCluster"),
    "msk": ("names", "Whether there is an MSK cluster milvus-test already is unknown", "kafka:ListClustersV2"),
    "secrets": (
        "names",
        "Whether secrets of an earlier deployment wait for their deletion is unknown",
        "secretsmanager:ListSecrets",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_aws_does_not_tell_is_not_checked_and_never_ok(name: str) -> None:
    check, what, permission = UNKNOWN[name]

    report = examined(instead={name: DENIED})

    reason = f"cannot read {permission}: not for you"
    assert wrong(report) == [(check, "not checked", what, reason, PERMISSION.format(permission))]
    assert not report.blocks
    assert report.summary == "Nothing blocks a deployment; 1 not checked, 0 to know"


def test_instance_types_that_aws_does_not_tell_leave_nodes_and_brokers_unchecked() -> None:
    report = examined(instead={"offerings": DENIED})

    assert [(each.check, each.what) for each in report.findings if each.verdict is Verdict.NOT_CHECKED] == [
        ("instances", "Whether the zones have m7g.2xlarge of node group milvus is unknown"),
        ("MSK", "Whether the zones have m7g.large for kafka.m7g.large is unknown"),
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("vpc", f"Whether {VPC} is as the file says is unknown"),
        ("subnets", "Whether the subnets are as the file says is unknown"),
    ],
)
def test_a_vpc_that_aws_does_not_tell_is_not_checked(name: str, what: str) -> None:
    unasked = {"EnableDnsSupport": None, "EnableDnsHostnames": None} if name == "vpc" else {}

    report = examined(*EXISTING, instead={**unasked, name: DENIED})

    assert [each.what for each in report.findings if each.verdict is Verdict.NOT_CHECKED] == [what]


def test_credentials_that_do_not_work_are_all_there_is_to_say() -> None:
    report = examined(instead={"caller": ("ExpiredToken", "expired")})

    assert wrong(report) == [
        (
            "account",
            "blocks",
            "Cannot read the account of the credentials: the credentials have expired",
            "Nothing else can be looked at",
            "Log in again (`aws sso login`)",
        )
    ]


def test_builds_of_a_pipeline_are_looked_at_where_it_deploys_the_environment() -> None:
    # GIVEN that pipeline.yaml deploys dev, in the region of dev
    few = {"build quota": {"Quota": {"Value": 1.0}}}

    # WHEN the account runs one build at a time, THEN that is said, and a deployment by hand goes on
    assert wrong(examined(file="dev", instead=few)) == [
        (
            "pipeline",
            "advice",
            "concurrently running Linux/Small builds of CodeBuild: 6 needed by pipeline.yaml, 1 allowed",
            "Gates run side by side, and the verification waits for a build of its own: the pipeline would fail or "
            "wait in vain. A deployment by hand needs none",
            INCREASE.format("codebuild", "L-9D07B6EF", 6),
        )
    ]
    # AND enough is ok, and what no pipeline deploys needs none
    assert examined(file="dev").findings[-1] == Finding(
        check="pipeline",
        verdict=Verdict.OK,
        what="concurrently running Linux/Small builds of CodeBuild: 6 needed by pipeline.yaml, 6 allowed",
    )
    assert wrong(examined(file="guide", instead=few)) == []


def _command(monkeypatch: pytest.MonkeyPatch, *options: str, **instead: Any) -> Any:
    env = env_with()
    clients = clients_of(answers_with(env, instead))
    monkeypatch.setattr(aws, "client", lambda service, **_: clients(service))
    monkeypatch.setattr("ops.environments.environment", lambda *_, **__: env)
    return CliRunner().invoke(app, ["doctor", *options], env={"COLUMNS": "300"})


def test_command_prints_a_table_and_ends_with_0_when_nothing_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _command(monkeypatch)

    assert result.exit_code == 0
    assert "milvus-test in us-east-2 of 111122223333" in result.stdout
    assert "Nothing blocks a deployment" in result.stdout


def test_command_ends_with_1_when_something_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _command(monkeypatch, "--json", bootstrap=("ParameterNotFound", ""))

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["blocks"] is True
    assert [each["what"] for each in report["findings"] if each["verdict"] == "blocks"] == [
        "There is no bootstrap of the qualifier hnb659fds in us-east-2"
    ]


def test_command_ends_with_2_for_an_environment_that_is_not_there() -> None:
    assert CliRunner().invoke(app, ["doctor", "--env", "nowhere"]).exit_code == 2


def test_policy_allows_what_is_read_and_nothing_else() -> None:
    statements = json.loads((ROOT / "policies" / "doctor.json").read_text(encoding="utf-8"))["Statement"]

    assert {
        action: resource for each in statements for action in each["Action"] for resource in each["Resource"]
    } == PERMISSIONS
