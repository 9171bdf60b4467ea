"""What is billed of a deployment with one of everything: each line, at prices and assumptions that are made up."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from ops.cost.assembly import Deployment, Resource
from ops.cost.assumptions import Assumptions
from ops.cost.bill import Bill, make_bill
from ops.cost.kinds import BY_USE, FREE, FREE_KINDS, PRICED
from ops.cost.prices import UNITS, Prices
from ops.cost.release import Release, text_of

DAY = date(2026, 11, 23)
# Each item has a price of its own, so that a line at another one's price is seen.
ITEMS: dict[tuple[str, str], float] = {
    item: round(1 + number / 100, 2) for number, item in enumerate(sorted(UNITS), start=1)
}
MANIFEST, RELEASE = "Custom::AWSCDK-EKS-KubernetesResource", "Custom::AWSCDK-EKS-HelmChart"

ASSUMED = Assumptions(
    between_zones_gb=1,
    nat_gb=2,
    endpoint_gb=3,
    load_balancer_units=4,
    control_plane_log_gb={"api": 5, "audit": 6, "scheduler": 7},
    flow_log_gb={"ALL": 8, "REJECT": 9},
    broker_log_gb=10,
    function_log_gb=11,
    build_log_gb=12,
    s3_gb=13,
    s3_puts=14,
    s3_gets=15,
    woodpecker_flush_ms=500,
    woodpecker_channels=16,
    msk_metrics={"broker": 17, "topic": 18, "partition": 19},
    kms_requests=20,
    secret_requests=21,
    key_rotations=22,
    pipeline_runs=23,
    build_minutes=24,
    action_minutes=25,
    artifact_gb=26,
)


def prices() -> Prices:
    table: dict[str, Any] = {}
    for (service, item), price in ITEMS.items():
        table.setdefault(service, {})[item] = [str(price), "A", "here", "2026-11-01"]
    by_type = {
        "ec2": {"m7g": ["32", "A", "here", "2026-11-01"]},
        "ec2-1-year": {"m7g": ["16", "A", "here", "2026-11-01"]},
        "msk-broker": {"kafka.m7g": ["64", "A", "here", "2026-11-01"]},
    }
    data = {
        "schema": 1,
        "currency": "USD",
        "sources": {"here": "made up"},
        "prices": {"us-east-2": {**table, **by_type}},
    }
    return Prices.parse(data, source="the test")


def bill(*resources: tuple[str, dict[str, Any]], day: date = DAY, term: Any = "on-demand") -> Bill:
    found = tuple(Resource("mine", f"R{number}", kind, each) for number, (kind, each) in enumerate(resources))
    return make_bill(Deployment("mine", "us-east-2", found), prices(), ASSUMED, day=day, term=term)


def rows(found: Bill, *, by_use: bool) -> list[tuple[Any, ...]]:
    """Service, component, what, how much, and at which price."""
    return [
        (line.service, line.component, line.what, line.quantity, line.price.amount)
        for line in found.lines
        if line.by_use is by_use
    ]


def at(service: str, item: str) -> float:
    return ITEMS[service, item]


def manifest(*objects: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    # As a template has it: what only AWS knows stands between the texts.
    text = json.dumps([*objects, {"kind": "ConfigMap", "of": "CLUSTER"}])
    before, after = text.split("CLUSTER")
    return MANIFEST, {"Manifest": {"Fn::Join": ["", [before, {"Ref": "Cluster"}, after]]}}


def nodes(name: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return (
        "AWS::EKS::Nodegroup",
        {
            "Labels": {"node-group": name},
            "InstanceTypes": ["m7g.xlarge", "m7g.2xlarge"],
            "ScalingConfig": {"DesiredSize": "2"},
            **more,
        },
    )


def brokers(level: str | None, *, logs: bool = False, number: int = 3) -> tuple[str, dict[str, Any]]:
    return (
        "AWS::MSK::Cluster",
        {
            "NumberOfBrokerNodes": number,
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.m7g.large",
                "StorageInfo": {"EBSStorageInfo": {"VolumeSize": 100}},
            },
            **({"EnhancedMonitoring": level} if level else {}),
            "LoggingInfo": {"BrokerLogs": {"CloudWatchLogs": {"Enabled": logs}}},
        },
    )


def release(values: dict[str, Any], chart: str = "milvus") -> tuple[str, dict[str, Any]]:
    return RELEASE, {"Chart": chart, "Values": json.dumps(values)}


def balancer(kind: str, **annotations: str) -> dict[str, Any]:
    spec = {} if kind == "Ingress" else {"spec": {"type": "LoadBalancer"}}
    return {"kind": kind, "metadata": {"annotations": annotations}, **spec}


NETWORK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AWS::EC2::EIP", {}),
    ("AWS::EC2::NatGateway", {}),
    ("AWS::EC2::NatGateway", {}),
    ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
    ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface"}),
    ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway", "SubnetIds": ["a"]}),
    ("AWS::EC2::FlowLog", {"TrafficType": "REJECT"}),
    ("AWS::EC2::FlowLog", {}),
)


def test_network_is_billed_by_gateway_address_and_endpoint_in_each_zone() -> None:
    found = bill(*NETWORK)

    assert rows(found, by_use=False) == [
        ("VPC", "network", "public IPv4 addresses", 1, at("vpc", "public-ipv4")),
        ("NAT", "network", "NAT gateways", 2, at("nat", "hour")),
        # AND an endpoint that names no subnet is in each of three
        ("VPC", "network", "interface endpoints x zones", 5, at("vpc", "interface-endpoint")),
    ]
    assert rows(found, by_use=True) == [
        ("NAT", "network", "traffic through NAT gateways", 2, at("nat", "processed")),
        ("VPC", "network", "traffic through interface endpoints", 3, at("vpc", "interface-endpoint-processed")),
        ("CloudWatch", "logs and metrics", "flow logs, taken in", 17, at("cloudwatch", "logs-ingest")),
        ("CloudWatch", "logs and metrics", "flow logs, kept", 17, at("cloudwatch", "logs-storage")),
    ]
    assert found.classes == {"priced": 5, "free": 1, "by use": 2}


def test_cluster_is_billed_by_its_support_and_what_it_logs() -> None:
    logged = {"ClusterLogging": {"EnabledTypes": [{"Type": "api"}, {"Type": "audit"}, {"Type": "authenticator"}]}}
    cluster = "AWS::EKS::Cluster", {"Version": "1.36", "Logging": logged}

    found, last = bill(cluster), bill(cluster, day=date(2027, 8, 2))

    assert (
        rows(found, by_use=False)
        == rows(last, by_use=False)
        == [
            ("EKS", "control plane", "control plane", 1, at("eks", "cluster-standard-support")),
        ]
    )
    assert rows(found, by_use=True) == [
        # 5 of the API, 6 of the audit; nothing is assumed of the third
        ("CloudWatch", "logs and metrics", "logs of the control plane, taken in", 11, at("cloudwatch", "logs-ingest")),
        ("CloudWatch", "logs and metrics", "logs of the control plane, kept", 11, at("cloudwatch", "logs-storage")),
    ]
    # AND it is extended support from the day after the last of the standard one; of an unknown version nobody knows
    extended = bill(cluster, day=date(2027, 8, 3))
    assert rows(extended, by_use=False) == [
        ("EKS", "control plane", "control plane, in extended support", 1, at("eks", "cluster-extended-support")),
    ]
    unknown = bill(("AWS::EKS::Cluster", {"Version": "1.1"}), day=date(2027, 8, 3))
    assert [line.what for line in unknown.lines] == ["control plane"]


def test_nodes_are_billed_by_their_first_type_and_what_their_disks_have_beyond_the_free() -> None:
    disk = {"Ebs": {"VolumeSize": 80, "Iops": 3001, "Throughput": 126}}
    launch = "AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"BlockDeviceMappings": [disk, {"Ebs": {}}]}}
    plain = {"Ebs": {"VolumeSize": 10, "Iops": 3000, "Throughput": 125}}
    other = "AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"BlockDeviceMappings": [plain]}}

    found = bill(
        launch,
        other,
        nodes("a", LaunchTemplate={"Id": {"Ref": "R0"}}),
        nodes("b", LaunchTemplate={"Id": {"Ref": "R1"}}, CapacityType="SPOT"),
        nodes("c"),
        term="1-year",
    )

    assert rows(found, by_use=False) == [
        # reserved: half of the 2 USD on demand, but not on spot
        ("EC2", "nodes of a", "m7g.xlarge, node group a", 2, 1.0),
        ("EBS", "nodes of a", "disks of nodes a", 160, at("ebs", "gp3-storage")),
        ("EBS", "nodes of a", "IOPS of nodes a", 2, at("ebs", "gp3-iops-over-3000")),
        ("EBS", "nodes of a", "MiB/s of nodes a", 2, at("ebs", "gp3-throughput-over-125")),
        ("EC2", "nodes of b", "m7g.xlarge, node group b", 2, 2.0),
        ("EBS", "nodes of b", "disks of nodes b", 20, at("ebs", "gp3-storage")),
        ("EC2", "nodes of c", "m7g.xlarge, node group c", 2, 1.0),
    ]
    assert [line.note for line in found.lines if line.service == "EC2" and not line.by_use] == [
        "",
        "spot: at most this, the price on demand",
        "",
    ]
    assert rows(found, by_use=True) == [
        ("EC2", "network", "traffic between zones, out and in", 2, at("transfer", "between-zones-each-direction")),
    ]
    assert (found.vcpu, found.requested, found.term) == (24, 0, "1-year")
    assert found.classes == {"free": 2, "priced": 3}


def test_group_that_repels_pods_is_no_place_for_those_that_name_none() -> None:
    values = {"proxy": {"resources": {"requests": {"cpu": 2, "memory": "8Gi"}}}}

    def taken(*effects: str) -> list[str]:
        found = bill(nodes("a", Taints=[{"Effect": each} for each in effects]), nodes("b"), release(values))
        return [share.group for share in found.shares if share.component == "proxy"]

    assert taken() == taken("PREFER_NO_SCHEDULE") == ["a", "b"]
    assert taken("NO_SCHEDULE") == taken("PREFER_NO_SCHEDULE", "NO_EXECUTE") == ["b"]


def test_brokers_are_billed_with_their_storage_logs_and_metrics() -> None:
    found = bill(brokers("PER_BROKER", logs=True), release({}))

    assert rows(found, by_use=False) == [
        ("MSK", "log: MSK", "kafka.m7g.large brokers", 3, 2.0),
        ("MSK", "log: MSK", "storage of brokers", 300, at("msk-storage", "gp2")),
    ]
    metric = at("cloudwatch", "metric-first-10000")
    assert rows(found, by_use=True) == [
        ("CloudWatch", "logs and metrics", "logs of brokers, taken in", 10, at("cloudwatch", "logs-ingest")),
        ("CloudWatch", "logs and metrics", "logs of brokers, kept", 10, at("cloudwatch", "logs-storage")),
        ("CloudWatch", "logs and metrics", "MSK metrics, PER_BROKER of 3 brokers and 18 topics", 51, metric),
    ]
    # AND without a release there is no topic, without a level the free one, and without logs none
    alone = bill(brokers("PER_TOPIC_PER_PARTITION", number=2))
    assert rows(alone, by_use=True) == [
        ("CloudWatch", "logs and metrics", "MSK metrics, PER_TOPIC_PER_PARTITION of 2 brokers and 0 topics", 34, metric)
    ]
    assert rows(bill(brokers(None)), by_use=True) == []


def test_metrics_by_topic_and_by_partition_come_on_top() -> None:
    # 16 channels and 2 topics more; brokers x 17, topics x brokers x 18, a partition of each topic x 19
    for level, number in (("PER_TOPIC_PER_BROKER", 3 * 17 + 18 * 3 * 18), ("PER_TOPIC_PER_PARTITION", 51 + 972 + 342)):
        (line,) = rows(bill(brokers(level), release({})), by_use=True)
        assert line[3] == number


def test_keys_and_secrets_are_billed_with_what_is_asked_of_them() -> None:
    found = bill(
        ("AWS::KMS::Key", {"EnableKeyRotation": True}),
        ("AWS::KMS::Key", {"EnableKeyRotation": True}),
        ("AWS::KMS::Key", {}),
        ("AWS::SecretsManager::Secret", {}),
        ("AWS::SecretsManager::Secret", {}),
    )

    assert rows(found, by_use=False) == [
        ("KMS", "keys and secrets", "keys", 3, at("kms", "key")),
        ("Secrets Manager", "keys and secrets", "secrets", 2, at("secretsmanager", "secret")),
    ]
    assert rows(found, by_use=True) == [
        ("KMS", "keys and secrets", "rotations of keys", 44, at("kms", "key")),
        ("KMS", "keys and secrets", "requests to keys", 20, at("kms", "requests")),
        ("Secrets Manager", "keys and secrets", "requests for secrets", 21, at("secretsmanager", "requests")),
    ]
    assert rows(bill(("AWS::KMS::Key", {})), by_use=True) == []


def test_load_balancers_are_billed_with_their_units_and_public_addresses() -> None:
    public, internal = {"a/scheme": "internet-facing"}, {"a/scheme": "internal", "b/other": "internet-facing"}

    found = bill(
        manifest(
            {"kind": "Service", "metadata": {}},
            {"kind": "Service", "metadata": {}, "spec": {"type": "ClusterIP"}},
            balancer("Service", **public),
            balancer("Service", **internal),
        ),
        manifest(balancer("Ingress", **public), {"kind": "Ingress", "metadata": {}}),
    )

    addresses = "public IPv4 addresses of load balancers"
    assert rows(found, by_use=False) == [
        ("ELB", "load balancers", "NLBs", 2, at("elb", "nlb-hour")),
        ("VPC", "load balancers", addresses, 6, at("vpc", "public-ipv4")),
        ("ELB", "load balancers", "ALBs", 2, at("elb", "alb-hour")),
    ]
    assert rows(found, by_use=True) == [
        ("ELB", "load balancers", "capacity units of NLBs", 8, at("elb", "nlb-nlcu")),
        ("ELB", "load balancers", "capacity units of ALBs", 8, at("elb", "alb-lcu")),
    ]
    # AND a service without a load balancer is free, and so are other objects and the calls that send them
    assert found.classes == {"free": 6, "priced": 4}


def test_buckets_are_billed_by_what_milvus_stores_and_asks() -> None:
    found = bill(("AWS::S3::Bucket", {}), ("AWS::S3::Bucket", {}), release({}))

    stored = [
        ("S3", "object storage", "storage", 13, at("s3", "standard-first-50TB")),
        ("S3", "object storage", "writes (PUT, LIST)", 14, at("s3", "put")),
        ("S3", "object storage", "reads (GET)", 15, at("s3", "get")),
    ]
    assert rows(found, by_use=True) == stored
    assert found.classes == {"by use": 2, "free": 2}
    # AND there is no use of either without the other
    assert bill(("AWS::S3::Bucket", {})).lines == bill(release({})).lines == ()


@pytest.mark.parametrize("values", [{"woodpecker": {"enabled": True}}, {"standalone": {"messageQueue": "woodpecker"}}])
@pytest.mark.parametrize(("channels", "most"), [(20, 20), (4, 16)])
def test_woodpecker_writes_an_object_every_time_it_flushes(values: dict[str, Any], channels: int, most: int) -> None:
    config = {"extraConfigFiles": {"user.yaml": f"rootCoord:\n  dmlChannelNum: {channels}\n"}}

    (*_, log) = bill(("AWS::S3::Bucket", {}), release({**values, **config})).lines

    # Every half second, all of a month of 730 hours
    each = 730 * 3600 * 2
    assert (log.service, log.component, log.price.amount) == ("S3", "log: Woodpecker", at("s3", "put"))
    assert log.what == f"writes of Woodpecker, 16 to {channels} channels always written to"
    assert (log.quantity, log.most, log.note, log.by_use) == (16 * each, most * each, "not measured", True)


def test_pipeline_is_billed_by_builds_actions_and_artifacts() -> None:
    def action(category: str) -> dict[str, Any]:
        return {"ActionTypeId": {"Category": category}}

    stages = [{"Actions": [action("Source"), action("Approval")]}, {"Actions": [action("Build"), action("Deploy")]}]

    def build(size: str, kind: str = "LINUX_CONTAINER") -> tuple[str, dict[str, Any]]:
        return "AWS::CodeBuild::Project", {"Environment": {"Type": kind, "ComputeType": f"BUILD_GENERAL1_{size}"}}

    found = bill(("AWS::CodePipeline::Pipeline", {"Stages": stages}), build("SMALL"), build("MEDIUM"), build("MEDIUM"))

    assert rows(found, by_use=False) == []
    assert rows(found, by_use=True) == [
        ("CloudWatch", "logs and metrics", "logs of builds, taken in", 12, at("cloudwatch", "logs-ingest")),
        ("CloudWatch", "logs and metrics", "logs of builds, kept", 12, at("cloudwatch", "logs-storage")),
        ("CodeBuild", "pipeline", "builds on small Linux", 1 * 23 * 24, at("codebuild", "small-minute")),
        ("CodeBuild", "pipeline", "builds on medium Linux", 2 * 23 * 24, at("codebuild", "medium-minute")),
        ("CodePipeline", "pipeline", "actions", 3 * 23 * 25, at("codepipeline", "action-minute")),
        ("S3", "pipeline", "artifacts", 26, at("s3", "standard-first-50TB")),
    ]
    assert found.classes == {"by use": 4}


def test_functions_are_free_but_for_what_they_log() -> None:
    found = bill(("AWS::Lambda::Function", {}), ("AWS::Lambda::Function", {}), ("AWS::Logs::LogGroup", {}))

    assert rows(found, by_use=True) == [
        ("CloudWatch", "logs and metrics", "logs of functions, taken in", 11, at("cloudwatch", "logs-ingest")),
        ("CloudWatch", "logs and metrics", "logs of functions, kept", 11, at("cloudwatch", "logs-storage")),
    ]
    assert found.classes == {"free": 2, "by use": 1}


def test_volumes_of_a_release_are_billed_and_each_is_counted() -> None:
    values = {
        "etcd": {"replicaCount": 3, "resources": {}, "persistence": {"size": "10Gi"}},
        "queryNode": {"replicas": 2, "resources": {}, "persistence": {"size": "512Mi", "enabled": True}},
        "proxy": {"replicas": 2, "resources": {}, "persistence": {"size": "1Gi", "enabled": False}},
    }

    found = bill(release(values))

    assert rows(found, by_use=False) == [
        ("EBS", "etcd", "volumes of etcd", 30, at("ebs", "gp3-storage")),
        ("EBS", "query_node", "volumes of query_node", 1, at("ebs", "gp3-storage")),
    ]
    assert found.classes == {"free": 2, "priced": 5}


@pytest.mark.parametrize("chart", ["aws-load-balancer-controller", "external-secrets"])
def test_release_of_a_controller_is_free(chart: str) -> None:
    found = bill(release({"etcd": {"resources": {}, "persistence": {"size": "10Gi"}}}, chart))

    assert (found.lines, found.classes) == ((), {"free": 2})


def test_what_is_in_no_list_is_a_line_without_a_price_each_time_and_named_once() -> None:
    found = bill(("AWS::X::Y", {}), ("AWS::X::Y", {}), manifest({"kind": "Gateway"}), release({}, "minio"))

    assert rows(found, by_use=False) == [
        ("other", "other", "AWS::X::Y", 2, None),
        ("other", "other", "object Gateway", 1, None),
        ("other", "other", "release of chart minio", 1, None),
    ]
    assert {line.mark for line in found.lines} == {"no price; not classified"}
    assert {(line.price.unit, line.price.grade, line.price.source) for line in found.lines} == {("month", "none", "")}
    assert found.unclassified == ("AWS::X::Y", "object Gateway", "release of chart minio")
    assert found.classes == {"without a price": 4, "free": 3}


def test_chart_or_text_that_only_aws_knows_is_a_question_mark() -> None:
    assert text_of("a") == "a"
    assert text_of({"Fn::Join": ["-", ["a", {"Ref": "B"}, "c"]]}) == "a-?-c"
    assert [text_of(each) for each in ({"Ref": "A"}, 1, None)] == ["?", "?", "?"]
    assert bill((RELEASE, {"Chart": {"Ref": "A"}})).unclassified == ("release of chart ?",)


def test_release_without_values_has_neither_pods_nor_volumes() -> None:
    found = bill((RELEASE, {"Chart": "milvus"}))

    assert (found.lines, found.shares, found.requested) == ((), (), 0)
    assert Release((), (), woodpecker=False, channels=5).topics == 7


def test_pods_are_read_by_what_they_request_else_by_what_they_may_take() -> None:
    values = {
        "mixCoordinator": {"resources": {"requests": {"cpu": "250m"}}, "replicas": 3, "replicaCount": 9},
        "off": {"enabled": False, "resources": {"requests": {"cpu": 9}}},
        "word": "resources",
        "proxy": {"enabled": True, "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}, "nodeSelector": {"x": "y"}},
    }

    found = bill(nodes("a"), release(values))

    assert found.requested == 1.75
    # 2 nodes of 4 cores and 16 GiB at 1460 USD each: the larger part counts
    assert [(share.component, share.monthly) for share in found.shares] == [
        ("mix_coordinator", round(2920 * 0.75 / 8, 2)),
        ("proxy", round(2920 * 1 / 8, 2)),
        ("idle", round(2920 * 6.25 / 8, 2)),
    ]


FREE_TYPES = """
AWS::ApplicationAutoScaling::ScalableTarget AWS::ApplicationAutoScaling::ScalingPolicy
AWS::CloudFormation::WaitConditionHandle AWS::EC2::InternetGateway AWS::EC2::LaunchTemplate AWS::EC2::Route
AWS::EC2::RouteTable AWS::EC2::SecurityGroup AWS::EC2::SecurityGroupEgress AWS::EC2::SecurityGroupIngress
AWS::EC2::Subnet AWS::EC2::SubnetRouteTableAssociation AWS::EC2::VPC AWS::EC2::VPCGatewayAttachment
AWS::EKS::AccessEntry AWS::EKS::Addon AWS::Events::Rule AWS::IAM::ManagedPolicy AWS::IAM::OIDCProvider
AWS::IAM::Policy AWS::IAM::Role AWS::KMS::Alias AWS::Lambda::Function AWS::Lambda::LayerVersion
AWS::Lambda::Permission AWS::MSK::Configuration AWS::S3::BucketPolicy AWS::SSM::Parameter
AWS::StepFunctions::StateMachine
"""
FREE_OBJECTS = """
ClusterRole ClusterRoleBinding ConfigMap CronJob ExternalSecret HorizontalPodAutoscaler Namespace NetworkPolicy
PodDisruptionBudget Role RoleBinding SecretStore ServiceAccount StorageClass
"""


def test_lists_of_what_is_free_priced_and_by_use_are_what_they_are() -> None:
    assert sorted(FREE) == FREE_TYPES.split()
    assert sorted(FREE_KINDS) == FREE_OBJECTS.split()
    assert PRICED == (
        "AWS::EC2::EIP",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCEndpoint",
        "AWS::EKS::Cluster",
        "AWS::EKS::Nodegroup",
        "AWS::KMS::Key",
        "AWS::MSK::Cluster",
        "AWS::SecretsManager::Secret",
    )
    assert BY_USE == (
        "AWS::CodeBuild::Project",
        "AWS::CodePipeline::Pipeline",
        "AWS::EC2::FlowLog",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
    )


def test_what_is_free_has_no_line() -> None:
    types: list[Any] = [
        (kind, {"LaunchTemplateData": {}}) for kind in FREE_TYPES.split() if kind != "AWS::Lambda::Function"
    ]
    found = bill(*types, manifest(*({"kind": kind} for kind in FREE_OBJECTS.split())), ("Custom::Mine", {}))

    assert (found.lines, found.classes) == ((), {"free": 28 + 15 + 2})
