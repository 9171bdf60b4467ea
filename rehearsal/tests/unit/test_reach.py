"""Who reaches what in every environment, and that each judge notices what opens or closes a connection."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rehearsal.failure import RehearsalError
from rehearsal.reach.shown import as_table, show
from rehearsal.reach.table import Connection, Need, Reach
from rehearsal.reach.templates import Templates
from tests.assemblies import EVERY_FIXTURE, assembly, environment, templates
from tests.pipelines import pipeline_assembly

Template = dict[str, Any]
# Reviewed line by line: a line that is new here opens or closes a door.
EXPECTED = {
    "dev": """
10.0.0.0/16 -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 10.0.0.0/16
0.0.0.0/0 -> Kubernetes API:443 closed
nodes of milvus -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
nodes of milvus -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderHandler -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderHandler -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function TasksIsComplete -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function TasksIsComplete -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
VPC -> brokers:9096 closed
pods of mix_coordinator -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of proxy -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of query_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of streaming_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of data_node -> brokers:9096 by policy milvus for 10.0.0.0/16
10.0.0.0/16 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
load balancer milvus-service -> pods of proxy, health:19530 by policy milvus-clients for 10.0.0.0/16
VPC -> pods of proxy:9091 closed
VPC -> pods of etcd:2379 closed
""",
    "prod": """
10.0.0.0/16 -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 10.0.0.0/16
0.0.0.0/0 -> Kubernetes API:443 closed
nodes of general -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
nodes of general -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
nodes of query -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
nodes of query -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderHandler -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderHandler -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function TasksIsComplete -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function TasksIsComplete -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
VPC -> brokers:9096 closed
pods of mix_coordinator -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of proxy -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of query_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of streaming_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of data_node -> brokers:9096 by policy milvus for 10.0.0.0/16
VPC -> endpoint NetworkEndpointsecrapi:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
VPC -> endpoint NetworkEndpointsecrdkr:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
VPC -> endpoint NetworkEndpointssts:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
VPC -> endpoint NetworkEndpointslogs:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
VPC -> endpoint NetworkEndpointssecretsmanager:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
VPC -> endpoint NetworkEndpointskms:443 by NetworkEndpointsSecurityGroup for 10.0.0.0/16
10.0.0.0/16 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
load balancer milvus-service -> pods of proxy, health:19530 by policy milvus-clients for 10.0.0.0/16
VPC -> pods of proxy:9091 closed
VPC -> pods of etcd:2379 closed
""",
    "guide": """
192.168.0.0/16 -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 192.168.0.0/16
203.0.113.0/24 -> Kubernetes API:443 by public endpoint
0.0.0.0/0 -> Kubernetes API:443 closed
nodes of milvus -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
nodes of milvus -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderHandler -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderHandler -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function TasksIsComplete -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function TasksIsComplete -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
VPC -> brokers:9096 closed
pods of root_coordinator -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of query_coordinator -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of data_coordinator -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of index_coordinator -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of proxy -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of query_node -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of data_node -> brokers:9096 by policy milvus for 192.168.0.0/16
pods of index_node -> brokers:9096 by policy milvus for 192.168.0.0/16
192.168.0.0/16 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
load balancer milvus-service -> pods of proxy, health:19530 by policy milvus-clients for 192.168.0.0/16
VPC -> pods of proxy:9091 closed
VPC -> pods of etcd:2379 closed
203.0.113.0/24 -> load balancer milvus-attu:80 by inbound-cidrs
load balancer milvus-attu -> pods of attu:3000 by policy attu for 192.168.0.0/16
""",
    "existing-vpc": """
10.40.0.0/16 -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 10.40.0.0/16
0.0.0.0/0 -> Kubernetes API:443 closed
nodes of milvus -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderHandler -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function TasksIsComplete -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
10.40.0.0/16 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
load balancer milvus-service -> pods of proxy, health:19530 by policy milvus-clients for 10.40.0.0/16
VPC -> pods of proxy:9091 closed
VPC -> pods of etcd:2379 closed
""",
    "exposed": """
10.0.0.0/16 -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 10.0.0.0/16
203.0.113.0/24 -> Kubernetes API:443 by public endpoint
0.0.0.0/0 -> Kubernetes API:443 closed
nodes of milvus -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
nodes of milvus -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderHandler -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderHandler -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function ClusterKubectlProviderframeworkonEvent -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
function TasksIsComplete -> Kubernetes API:443 by Cluster of EKS for Cluster of EKS
function TasksIsComplete -> brokers:9096 by KafkaSecurityGroup for Cluster of EKS
VPC -> brokers:9096 closed
pods of mix_coordinator -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of proxy -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of query_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of streaming_node -> brokers:9096 by policy milvus for 10.0.0.0/16
pods of data_node -> brokers:9096 by policy milvus for 10.0.0.0/16
203.0.113.0/24 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
198.51.100.0/24 -> load balancer milvus-service:19530 by loadBalancerSourceRanges
load balancer milvus-service -> pods of proxy, health:19530 by policy milvus-clients for 10.0.0.0/16
VPC -> pods of proxy:9091 closed
VPC -> pods of etcd:2379 closed
203.0.113.0/24 -> load balancer blue-milvus-attu:80 by inbound-cidrs
203.0.113.0/24 -> load balancer blue-milvus-attu:443 by inbound-cidrs
load balancer blue-milvus-attu -> pods of attu:3000 by policy attu for 10.0.0.0/16
""",
}


@functools.cache
def table(name: str) -> tuple[Connection, ...]:
    return tuple(Reach(environment(name), Templates.of(assembly(name))).table())


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_who_reaches_what_is_as_reviewed(name: str) -> None:
    assert [str(each) for each in table(name)] == EXPECTED[name].split("\n")[1:-1]


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_what_is_needed_is_open_and_what_must_not_be_is_closed(name: str) -> None:
    assert [str(each) for each in table(name) if each.wrong] == []


@functools.cache
def stage() -> dict[str, Template]:
    """Return the stacks of the pipeline's first environment, with the project that proves it from inside its VPC."""
    folder = pipeline_assembly("shipped") / "assembly-milvus-delivery-milvus-dev"
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.template.json")}


def builds(found: dict[str, Template]) -> list[str]:
    rows = Reach(environment("dev"), Templates(found)).table()
    return [str(each) for each in rows if each.source.startswith("build")]


def test_builds_of_a_pipeline_reach_the_api_and_milvus() -> None:
    assert builds(stage()) == [
        "build VerificationProject -> Kubernetes API:443 by ClusterControlPlaneSecurityGroup for 10.0.0.0/16",
        "build VerificationProject -> load balancer:19530 by VerificationSecurityGroup for 10.0.0.0/16",
    ]


def test_builds_whose_group_lets_nothing_out_reach_nothing() -> None:
    # GIVEN a group of the builds that admits what cannot be, as the CDK writes "nothing"
    found = copy.deepcopy(stage())
    (verification,) = [template for name, template in found.items() if "verification" in name]
    for resource in verification["Resources"].values():
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            nothing = {"CidrIp": "255.255.255.255/32", "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86}
            resource["Properties"]["SecurityGroupEgress"] = [nothing]
    assert builds(found) == [
        "build VerificationProject -> Kubernetes API:443 closed",
        "build VerificationProject -> load balancer:19530 closed",
    ]


def changed(name: str, kind: str, change: Callable[[Template], None], *, of: str = "") -> list[str]:
    """Return the rows that are wrong when every resource of a type, or the one whose id begins so, is changed."""
    found = copy.deepcopy(templates(name))
    hit = [
        resource
        for template in found.values()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind and logical_id.startswith(of)
    ]
    assert hit
    for resource in hit:
        change(resource["Properties"])
    return [str(each) for each in Reach(environment(name), Templates(found)).table() if each.wrong]


def in_manifest(old: str, new: str) -> Callable[[Template], None]:
    def change(properties: Template) -> None:
        text = json.dumps(properties["Manifest"])
        assert json.dumps(old)[1:-1] in text
        properties["Manifest"] = json.loads(text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]))

    return change


def group_of_brokers() -> dict[str, Any]:
    """Return the reference to a group that lets nothing out."""
    outputs = templates("dev")["milvus-dev-streaming"]["Outputs"].values()
    (name,) = [each["Export"]["Name"] for each in outputs if "KafkaSecurityGroup" in str(each.get("Export"))]
    return {"Fn::ImportValue": name}


OBJECT = "Custom::AWSCDK-EKS-KubernetesResource"


@pytest.mark.parametrize(
    ("name", "kind", "of", "change", "wrong"),
    [
        pytest.param(
            "dev",
            "AWS::EC2::SecurityGroup",
            "ClusterControlPlane",
            lambda found: found.pop("SecurityGroupIngress"),
            ["10.0.0.0/16 -> Kubernetes API:443 closed"],
            id="a bastion in the VPC does not reach the API",
        ),
        pytest.param(
            "dev",
            "AWS::EKS::Cluster",
            "",
            lambda found: found["ResourcesVpcConfig"].update(EndpointPublicAccess=True),
            ["0.0.0.0/0 -> Kubernetes API:443 by public endpoint"],
            id="anybody reaches the API",
        ),
        pytest.param(
            "dev",
            "AWS::EC2::LaunchTemplate",
            "",
            lambda found: found["LaunchTemplateData"].update(SecurityGroupIds=[group_of_brokers()]),
            ["nodes of milvus -> Kubernetes API:443 closed", "nodes of milvus -> brokers:9096 closed"],
            id="nodes with another group in the place of the cluster's",
        ),
        pytest.param(
            "dev",
            "AWS::Lambda::Function",
            "ClusterKubectlProviderHandler",
            lambda found: found["VpcConfig"].update(SecurityGroupIds=[group_of_brokers()]),
            ["function ClusterKubectlProviderHandler -> Kubernetes API:443 closed"],
            id="a function with a group that lets nothing out",
        ),
        pytest.param(
            "dev",
            "AWS::EC2::SecurityGroupIngress",
            "KafkaIngress",
            lambda found: found.update(FromPort=9094, ToPort=9094),
            ["nodes of milvus -> brokers:9096 closed"],
            id="brokers open to nodes on another port",
        ),
        pytest.param(
            "dev",
            "AWS::EC2::SecurityGroup",
            "KafkaSecurityGroup",
            lambda found: found.update(
                SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 9092, "ToPort": 9098, "CidrIp": "10.0.0.0/8"}]
            ),
            ["VPC -> brokers:9096 by KafkaSecurityGroup for 10.0.0.0/8"],
            id="brokers open to the VPC",
        ),
        pytest.param(
            "dev",
            OBJECT,
            "ChartmilvusNetworkPolicymilvusEAE0E98E",
            in_manifest('"port":9096', '"port":9094'),
            [f"pods of {name} -> brokers:9096 closed" for name in environment("dev").component_names],
            id="pods may not leave for the brokers",
        ),
        pytest.param(
            "prod",
            "AWS::EC2::SecurityGroup",
            "NetworkEndpoints",
            lambda found: found["SecurityGroupIngress"][0].update(CidrIp="10.0.0.0/17"),
            [
                f"VPC -> endpoint NetworkEndpoints{service}:443 closed"
                for service in ("ecrapi", "ecrdkr", "sts", "logs", "secretsmanager", "kms")
            ],
            id="endpoints open to half of the VPC",
        ),
        pytest.param(
            "dev",
            OBJECT,
            "ChartmilvusServicemilvusservice",
            in_manifest('healthcheck-port":"traffic-port"', 'healthcheck-port":"9091"'),
            ["load balancer milvus-service -> pods of proxy, health:9091 closed"],
            id="health is asked for on a port that is closed",
        ),
        pytest.param(
            "dev",
            OBJECT,
            "ChartmilvusServicemilvusservice",
            in_manifest('"port":19530', '"port":9091'),
            ["10.0.0.0/16 -> load balancer milvus-service:9091 by loadBalancerSourceRanges"],
            id="another port on the load balancer",
        ),
        pytest.param(
            "dev",
            OBJECT,
            "ChartmilvusNetworkPolicymilvusclients",
            in_manifest('"port":19530', '"port":9091'),
            [
                "load balancer milvus-service -> pods of proxy, health:19530 closed",
                "VPC -> pods of proxy:9091 by policy milvus-clients for 10.0.0.0/16",
            ],
            id="the port without a login in place of the clients'",
        ),
        pytest.param(
            "dev",
            OBJECT,
            "ChartmilvusNetworkPolicyetcd",
            in_manifest('"ingress":[', '"ingress":[{},'),
            ["VPC -> pods of etcd:2379 by policy etcd for 0.0.0.0/0"],
            id="etcd open to everybody",
        ),
        pytest.param(
            "guide",
            OBJECT,
            "ChartmilvusNetworkPolicyattu",
            in_manifest('"port":3000', '"port":80'),
            ["load balancer milvus-attu -> pods of attu:3000 closed"],
            id="Attu on another port",
        ),
    ],
)
def test_each_judge_notices(
    name: str, kind: str, of: str, change: Callable[[Template], None], wrong: list[str]
) -> None:
    assert changed(name, kind, change, of=of) == wrong


def test_networks_beside_the_vpc_reach_the_api_by_a_rule_of_their_own() -> None:
    # GIVEN an environment that names the network of its administrators
    env = environment("dev")
    cluster = env.cluster.model_copy(update={"private_cidrs": ("172.16.0.0/16",)})
    named = env.model_copy(update={"cluster": cluster})
    found = copy.deepcopy(templates("dev"))
    # WHEN no rule admits it, THEN that is noticed
    assert [str(each) for each in Reach(named, Templates(found)).table() if each.wrong] == [
        "172.16.0.0/16 -> Kubernetes API:443 closed"
    ]
    # AND with one there is nothing to notice
    (group,) = [
        each for each in found["milvus-dev-eks"]["Resources"].values() if each["Type"] == "AWS::EC2::SecurityGroup"
    ]
    rules = group["Properties"]["SecurityGroupIngress"]
    rules.append({**rules[0], "CidrIp": "172.16.0.0/12"})
    assert [str(each) for each in Reach(named, Templates(found)).table() if each.wrong] == []


def test_the_table_is_printed_with_what_is_wrong_in_red() -> None:
    # GIVEN one connection that is as it has to be, and one that is open and must not be
    good = Connection("VPC", "brokers", 9096, "", Need.CLOSED)
    bad = Connection("VPC", "pods of etcd", 2379, "policy etcd for 0.0.0.0/0", Need.CLOSED)
    shown = as_table([good, bad])
    assert [row.style for row in shown.rows] == [None, "red"]
    assert [list(column.cells) for column in shown.columns] == [
        ["VPC", "VPC"],
        ["brokers", "pods of etcd"],
        ["9096", "2379"],
        ["closed", "policy etcd for 0.0.0.0/0"],
        ["must be closed", "must be closed"],
    ]


def test_a_rehearsal_ends_where_a_connection_is_wrong(tmp_path: Path) -> None:
    # GIVEN an assembly in which a bastion does not reach the API
    found = copy.deepcopy(templates("dev"))
    for resource in found["milvus-dev-eks"]["Resources"].values():
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            del resource["Properties"]["SecurityGroupIngress"]
    for name, template in found.items():
        (tmp_path / f"{name}.template.json").write_text(json.dumps(template), encoding="utf-8")

    # WHEN the rehearsal looks at it
    def look(folder: Path) -> None:
        show(environment("dev"), folder, Console(quiet=True))

    # THEN it says which connection, before anything is deployed
    message = "connections are not as they have to be:\n10.0.0.0/16 -> Kubernetes API:443 closed (needed)"
    with pytest.raises(RehearsalError, match=f"^{re.escape(message)}$"):
        look(tmp_path)
    # AND a sound one passes
    look(assembly("dev"))
