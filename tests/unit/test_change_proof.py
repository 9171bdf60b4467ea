"""The proof of changes follows references, schemas and the rules of the cluster to what a change does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from settings.changes import Effect, settings_of
from settings.environment import Environment
from tools.change_proof import pipelines
from tools.change_proof.cases import NO_OTHER_VALUE, case_of, cases
from tools.change_proof.derive import derive, worst
from tools.change_proof.kubernetes import values_effects
from tools.change_proof.rendered import rendered_effects
from tools.change_proof.stacks import Stacks
from tools.chart_proof.render import Rendered

Resources = dict[str, Any]


def stacks(resources: Resources, outputs: Resources | None = None, **other: Resources) -> Stacks:
    templates = {"one": {"Resources": resources, "Outputs": outputs or {}}}
    templates |= {name: {"Resources": each, "Outputs": {}} for name, each in other.items()}
    about = {name: {"environment": "aws://1/r", "protected": False, "tags": {}} for name in templates}
    return Stacks(templates, about)


def resource(kind: str, **properties: Any) -> Resources:
    return {"Type": kind, "Properties": properties}


def manifest(**given: Any) -> Resources:
    return resource(
        "Custom::AWSCDK-EKS-KubernetesResource", Manifest=json.dumps([{"metadata": {"name": "x"}, **given}])
    )


GROUP = resource(
    "AWS::EKS::Nodegroup",
    NodeRole="role",
    ScalingConfig={"DesiredSize": 3},
    LaunchTemplate={"Id": {"Ref": "T"}, "Version": {"Fn::GetAtt": ["T", "LatestVersionNumber"]}},
)


def template(size: int) -> Resources:
    return resource(
        "AWS::EC2::LaunchTemplate", LaunchTemplateData={"BlockDeviceMappings": [{"Ebs": {"VolumeSize": size}}]}
    )


@pytest.mark.parametrize(
    ("before", "after", "effect", "what"),
    [
        ({}, {}, Effect.NONE, ""),
        (
            {"T": template(80), "G": GROUP},
            {"T": template(90), "G": GROUP},
            Effect.ROLLS_NODES,
            "one: G rolls its nodes",
        ),
        (
            {"G": resource("AWS::EKS::Nodegroup", InstanceTypes=["a"])},
            {"G": resource("AWS::EKS::Nodegroup", InstanceTypes=["b"])},
            Effect.REPLACES_NODE_GROUP,
            "one: G is replaced",
        ),
        (
            {"S": resource("Custom::ChangeGuard", Settings="1")},
            {"S": resource("Custom::ChangeGuard", Settings="2")},
            Effect.NONE,
            "one: S keeps what is deployed",
        ),
        ({"G": GROUP}, {}, Effect.REPLACES_NODE_GROUP, "one: G goes"),
        (
            {"B": resource("AWS::S3::Bucket", BucketName="a")},
            {"B": resource("AWS::S3::Bucket", BucketName="b")},
            Effect.NEVER,
            "one: B (AWS::S3::Bucket) is replaced",
        ),
        ({"B": resource("AWS::S3::Bucket")}, {}, Effect.NEVER, "one: B (AWS::S3::Bucket) goes"),
        (
            {"B": {**resource("AWS::S3::Bucket"), "DeletionPolicy": "Retain"}},
            {"B": resource("AWS::S3::Bucket")},
            Effect.IN_PLACE,
            "one: B: what becomes of it later",
        ),
        (
            {"S": resource("AWS::EC2::Subnet", CidrBlock="10.0.0.0/24")},
            {"S": resource("AWS::EC2::Subnet", CidrBlock="10.0.0.0/26")},
            Effect.NEVER,
            "one: S (AWS::EC2::Subnet) is replaced",
        ),
        (
            {"C": resource("AWS::MSK::Configuration", ServerProperties="a"), "K": None},
            {"C": resource("AWS::MSK::Configuration", ServerProperties="b"), "K": None},
            Effect.BROKER_BY_BROKER,
            "one: K restarts its brokers",
        ),
        (
            {"L": resource("AWS::Logs::LogGroup", RetentionInDays=7)},
            {"L": resource("AWS::Logs::LogGroup", RetentionInDays=9)},
            Effect.IN_PLACE,
            "one: L: RetentionInDays",
        ),
        (
            {"F": resource("AWS::EC2::FlowLog", TrafficType="ALL")},
            {"F": resource("AWS::EC2::FlowLog", TrafficType="ACCEPT")},
            Effect.IN_PLACE,
            "one: F (AWS::EC2::FlowLog), which holds nothing, is made again",
        ),
        ({"N": manifest(kind="Namespace")}, {}, Effect.NEVER, "one: Namespace/x goes, with everything in it"),
        (
            {"S": manifest(kind="StorageClass", parameters={"a": "1"})},
            {"S": manifest(kind="StorageClass", parameters={"a": "2"})},
            Effect.NEVER,
            "one: StorageClass/x: parameters.a: Kubernetes forbids updates to parameters",
        ),
        (
            {"S": manifest(kind="Service", spec={"type": "LoadBalancer"})},
            {},
            Effect.REPLACES,
            "one: Service/x goes, with its load balancer",
        ),
        (
            {"I": manifest(kind="Ingress", annotations={"alb.ingress.kubernetes.io/scheme": "internal"})},
            {"I": manifest(kind="Ingress", annotations={"alb.ingress.kubernetes.io/scheme": "internet-facing"})},
            Effect.REPLACES,
            "one: Ingress/x: annotations.alb.ingress.kubernetes.io/scheme: another load balancer",
        ),
        (
            {"D": manifest(kind="Deployment", spec={"template": {"a": 1}})},
            {"D": manifest(kind="Deployment", spec={"template": {"a": 2}})},
            Effect.RESTARTS_PODS,
            "one: Deployment/x: spec.template.a",
        ),
        (
            {"D": manifest(kind="Deployment", spec={"selector": {"a": 1}})},
            {"D": manifest(kind="Deployment", spec={"selector": {"a": 2}})},
            Effect.NEVER,
            "one: Deployment/x: spec.selector.a: Kubernetes forbids another selector",
        ),
        (
            {"R": resource("Custom::AWSCDK-EKS-HelmChart", Chart="milvus", Release="a", Namespace="a", Values="{}")},
            {"R": resource("Custom::AWSCDK-EKS-HelmChart", Chart="milvus", Release="a", Namespace="b", Values="{}")},
            Effect.NEVER,
            "one: Helm installs another release beside the old one (aws-cdk#24063)",
        ),
        (
            {"R": resource("Custom::AWSCDK-EKS-HelmChart", Chart="milvus", Version="1", Values="{}")},
            {"R": resource("Custom::AWSCDK-EKS-HelmChart", Chart="milvus", Version="2", Values="{}")},
            Effect.RESTARTS_PODS,
            "one: another version of the chart",
        ),
    ],
)
def test_change_is_what_the_resource_makes_of_it(
    before: Resources, after: Resources, effect: Effect, what: str
) -> None:
    brokers = resource(
        "AWS::MSK::Cluster", ConfigurationInfo={"Revision": {"Fn::GetAtt": ["C", "LatestRevision.Revision"]}}
    )
    old, new = ({key: each or brokers for key, each in given.items()} for given in (before, after))
    found = derive(stacks(old), stacks(new))
    assert worst(found) is effect
    assert not what or found[what] is effect


def test_exports_that_are_in_use_cannot_change() -> None:
    # GIVEN an id that another stack imports
    user = {"U": resource("AWS::S3::BucketPolicy", Bucket={"Fn::ImportValue": "the-id"})}

    def exporting(cidr: str) -> Stacks:
        network = {"S": resource("AWS::EC2::VPCEndpoint", VpcId=cidr)}
        return stacks(network, {"Id": {"Value": {"Ref": "S"}, "Export": {"Name": "the-id"}}}, other=user)

    # WHEN what it stands for is replaced
    found = derive(exporting("a"), exporting("b"))
    # THEN CloudFormation refuses the change
    assert found["one: the export the-id is in use"] is Effect.NEVER


def test_stack_that_goes_takes_its_data_along() -> None:
    found = derive(stacks({}, None, kafka={"K": resource("AWS::MSK::Cluster")}), stacks({}))
    assert found == {"kafka goes, with AWS::MSK::Cluster": Effect.NEVER}


def test_resources_in_another_place_are_others() -> None:
    one = stacks({})
    other = Stacks(one.templates, {"one": {"environment": "aws://2/r", "protected": False, "tags": {}}})
    assert derive(one, other)["one: another account or region"] is Effect.NEVER


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ({"etcd": {"persistence": {"size": "10Gi"}}}, {"etcd": {"persistence": {"size": "20Gi"}}}, Effect.IN_PLACE),
        (
            {"etcd": {"persistence": {"storageClass": "a"}}},
            {"etcd": {"persistence": {"storageClass": "b"}}},
            Effect.NEVER,
        ),
        ({"externalS3": {"rootPath": "a"}}, {"externalS3": {"rootPath": "b"}}, Effect.NEVER),
        ({"externalKafka": {"enabled": True}}, {"externalKafka": {"enabled": False}}, Effect.NEVER),
        ({"proxy": {"replicas": 1}}, {"proxy": {"replicas": 2}}, Effect.IN_PLACE),
        ({"etcd": {"replicaCount": 1}}, {"etcd": {"replicaCount": 3}}, Effect.RESTARTS_PODS),
        (
            {"extraConfigFiles": {"user.yaml": "msgChannel: {chanNamePrefix: {cluster: a}}"}},
            {"extraConfigFiles": {"user.yaml": "msgChannel: {chanNamePrefix: {cluster: b}}"}},
            Effect.NEVER,
        ),
        (
            {"extraConfigFiles": {"user.yaml": "log: {level: warn}"}},
            {"extraConfigFiles": {"user.yaml": "log: {level: info}"}},
            Effect.RESTARTS_PODS,
        ),
    ],
)
def test_values_of_the_chart_are_judged_by_what_they_are_for(before: Any, after: Any, effect: Effect) -> None:
    assert [found for found, _ in values_effects(before, after)] == [effect]


def rendered(kind: str, **spec: Any) -> Rendered:
    env = case_of(next(iter(settings_of(Environment)))).environments()[0]
    return Rendered(env, json.dumps({"kind": kind, "metadata": {"name": "x"}, "spec": spec}))


@pytest.mark.parametrize(
    ("kind", "field", "effect"),
    [
        ("StatefulSet", "volumeClaimTemplates", Effect.NEVER),
        ("StatefulSet", "template", Effect.RESTARTS_PODS),
        ("StatefulSet", "replicas", Effect.IN_PLACE),
        ("Deployment", "selector", Effect.NEVER),
        ("Deployment", "strategy", Effect.IN_PLACE),
    ],
)
def test_fields_of_a_rendered_workload_are_judged_as_kubernetes_does(kind: str, field: str, effect: Effect) -> None:
    found = {what: each for each, what in rendered_effects(rendered(kind, **{field: 1}), rendered(kind, **{field: 2}))}
    assert worst(found) is effect


def test_every_setting_has_a_second_valid_value() -> None:
    # WHEN a change of each is made, THEN both files keep every rule and differ
    same = [path for path, each in cases().items() if len({env.model_dump_json() for env in each.environments()}) == 1]
    assert same == []
    assert NO_OTHER_VALUE.keys() <= {each.path for each in settings_of(Environment)}


@pytest.mark.parametrize("path", pipelines.settings())
def test_every_setting_of_a_pipeline_has_a_second_valid_value(path: str) -> None:
    before, after = pipelines.pipelines(path)
    assert before != after


def delivered(*names: str, place: str = "aws://1/r", size: int = 80) -> pipelines.Delivered:
    own = stacks({"P": resource("AWS::CodePipeline::Pipeline")})
    about = {"environment": place, "protected": False, "tags": {}}
    deployed = {name: {"Resources": {"T": template(size)}, "Outputs": {}} for name in names}
    return pipelines.Delivered(own, Stacks(deployed, dict.fromkeys(names, about)))


@pytest.mark.parametrize(
    ("after", "effect", "what"),
    [
        (delivered("dev", "prod"), Effect.IN_PLACE, "prod is deployed"),
        (delivered(), Effect.IN_PLACE, "dev is no longer deployed, and stays"),
        (delivered("dev", place="aws://2/r"), Effect.NEVER, "dev is deployed to another account or region"),
        (delivered("dev", size=90), Effect.IN_PLACE, "dev: T: LaunchTemplateData.BlockDeviceMappings.*.Ebs.VolumeSize"),
    ],
)
def test_pipeline_deletes_nothing_of_what_it_deploys(after: pipelines.Delivered, effect: Effect, what: str) -> None:
    assert pipelines.delivery_effects(delivered("dev"), after) == {what: effect}
