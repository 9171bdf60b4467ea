from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import cdk8s
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk.assertions import Match, Template
from constructs import Construct

from milvus_constructs.cluster.attached_chart import AttachedChart, values_of
from milvus_constructs.cluster.control_plane import EksCluster
from settings.cluster import Cluster
from settings.contract import HELM_CHART_API, HELM_CHART_KIND
from tools.context import CONTEXT

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
RELEASE = "Custom::AWSCDK-EKS-HelmChart"


def cluster(app: cdk.App) -> eks.ICluster:
    stack = cdk.Stack(app, "cluster")
    vpc = ec2.Vpc(stack, "Vpc")
    settings = Cluster.model_validate(
        {"node_groups": {"milvus": {"instance_types": ["m7g.large"], "desired_size": 1, "max_size": 1}}}
    )
    subnets = ec2.SubnetSelection(subnets=vpc.private_subnets)
    return EksCluster(
        stack,
        "Cluster",
        name="test",
        settings=settings,
        vpc=vpc,
        subnets=subnets,
        client_cidrs=["10.0.0.0/16"],
        removal="destroy",
    ).cluster


def an_object(
    scope: Construct, name: str, *, kind: str = "ConfigMap", api: str = "v1", **fields: Any
) -> cdk8s.ApiObject:
    metadata = cdk8s.ApiObjectMetadata(name=name, namespace="milvus")
    found = cdk8s.ApiObject(scope, name, api_version=api, kind=kind, metadata=metadata)
    found.add_json_patch(*(cdk8s.JsonPatch.add(f"/{field}", value) for field, value in fields.items()))
    return found


def a_release(chart: cdk8s.Chart, values: dict[str, Any], *, repo: str = "https://charts.test/") -> cdk8s.ApiObject:
    spec = {"repo": repo, "chart": "milvus", "version": "5.0.19", "targetNamespace": "milvus"}
    return an_object(chart, "milvus", kind=HELM_CHART_KIND, api=HELM_CHART_API, spec={**spec, "values": values})


def attach(chart: cdk8s.Chart, *, retain: bool = False) -> tuple[AttachedChart, Template]:
    app = cdk.App(context=CONTEXT)
    stack = cdk.Stack(app, "consumer")
    attached = AttachedChart(stack, "Chart", chart=chart, cluster=cluster(app), retain_data=retain)
    return attached, Template.from_stack(stack)


def only(template: Template, kind: str, text: str = "") -> dict[str, Any]:
    [found] = [r for r in template.find_resources(kind).values() if text in str(r["Properties"].get("Manifest", ""))]
    return dict(found)


def test_helm_chart_object_becomes_a_release_that_nobody_waits_for() -> None:
    # GIVEN a chart with a release
    chart = cdk8s.Chart(cdk8s.App(), "milvus")
    a_release(chart, {"image": {"tag": "v2.6.22"}})
    # WHEN attached
    _, template = attach(chart)
    # THEN it is a release of that name in its target namespace, without --wait
    template.has_resource_properties(
        RELEASE,
        {
            "Release": "milvus",
            "Chart": "milvus",
            "Version": "5.0.19",
            "Repository": "https://charts.test/",
            "Namespace": "milvus",
            "Values": '{"image":{"tag":"v2.6.22"}}',
            "Wait": Match.absent(),
            "CreateNamespace": Match.absent(),
        },
    )


def test_release_from_an_oci_registry_names_the_chart_in_its_address() -> None:
    chart = cdk8s.Chart(cdk8s.App(), "milvus")
    a_release(chart, {}, repo="oci://registry.test/charts/")
    _, template = attach(chart)
    # THEN it is what CDK's handler pulls as it stands
    template.has_resource_properties(RELEASE, {"Chart": "milvus", "Repository": "oci://registry.test/charts/milvus"})


def test_object_of_another_api_is_no_release() -> None:
    # GIVEN Flux's object of the same kind's name
    chart = cdk8s.Chart(cdk8s.App(), "flux")
    an_object(chart, "other", kind=HELM_CHART_KIND, api="source.toolkit.fluxcd.io/v1", spec={"chart": "milvus"})
    _, template = attach(chart)
    template.resource_count_is(RELEASE, 0)
    template.resource_count_is(MANIFEST, 1)


def test_manifest_stays_as_the_chart_wrote_it() -> None:
    chart = cdk8s.Chart(cdk8s.App(), "plain")
    an_object(chart, "settings", data={"key": "value"})
    _, template = attach(chart)
    template.has_resource_properties(
        MANIFEST,
        {
            "Manifest": '[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"milvus"},'
            '"data":{"key":"value"}}]',
            "Overwrite": True,
            "PruneLabel": Match.absent(),
        },
    )


def test_tokens_inside_strings_reach_the_template() -> None:
    # GIVEN an object with a value that CloudFormation knows
    chart = cdk8s.Chart(cdk8s.App(), "tokens")
    an_object(chart, "settings", data={"host": f"s3.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"})
    a_release(chart, {"host": f"s3.{cdk.Aws.REGION}"})
    _, template = attach(chart)
    manifest = template.find_resources(MANIFEST)
    assert {"Ref": "AWS::Region"} in next(iter(manifest.values()))["Properties"]["Manifest"]["Fn::Join"][1]
    assert {"Ref": "AWS::Region"} in only(template, RELEASE)["Properties"]["Values"]["Fn::Join"][1]


def test_dependencies_of_the_chart_become_dependencies_of_resources() -> None:
    # GIVEN a Service after a release after a namespace, written the other way round
    chart = cdk8s.Chart(cdk8s.App(), "ordered")
    service = an_object(chart, "service", kind="Service")
    release = a_release(chart, {})
    namespace = an_object(chart, "namespace", kind="Namespace")
    service.add_dependency(release)
    release.add_dependency(namespace)
    # WHEN attached
    _, template = attach(chart)
    # THEN the Service is created last, and so deleted first
    names = {
        kind: next(key for key, r in template.to_json()["Resources"].items() if kind in str(r["Properties"]))
        for kind in ('"kind":"Service"', '"kind":"Namespace"', "5.0.19")
    }
    assert template.to_json()["Resources"][names['"kind":"Service"']]["DependsOn"] == [names["5.0.19"]]
    assert template.to_json()["Resources"][names["5.0.19"]]["DependsOn"] == [names['"kind":"Namespace"']]


def test_dependency_of_a_construct_holds_for_what_is_in_it() -> None:
    # GIVEN a chart whose part depends on another part
    chart = cdk8s.Chart(cdk8s.App(), "parts")
    first, second = Construct(chart, "first"), Construct(chart, "second")
    an_object(first, "first-object")
    an_object(second, "second-object")
    second.node.add_dependency(first)
    _, template = attach(chart)
    [name] = template.find_resources(MANIFEST, {"Properties": {"Manifest": Match.string_like_regexp("first-object")}})
    assert only(template, MANIFEST, "second-object")["DependsOn"] == [name]


def test_circle_is_refused_with_its_members() -> None:
    chart = cdk8s.Chart(cdk8s.App(), "circle")
    first, second = an_object(chart, "first"), an_object(chart, "second")
    first.node.add_dependency(second)
    second.node.add_dependency(first)
    with pytest.raises(
        ValueError, match=r"chart circle: objects depend on one another in a circle: circle/\w+ -> .*; remove"
    ):
        AttachedChart(cdk.Stack(), "Chart", chart=chart, cluster=None, retain_data=False)  # type: ignore[arg-type]  # not reached


@pytest.mark.parametrize(("retain", "policy"), [(True, "RetainExceptOnCreate"), (False, "Delete")])
def test_namespace_with_its_volumes_is_retained_where_data_is(retain: bool, policy: str) -> None:
    chart = cdk8s.Chart(cdk8s.App(), "namespace")
    an_object(chart, "milvus", kind="Namespace")
    an_object(chart, "settings")
    _, template = attach(chart, retain=retain)
    assert only(template, MANIFEST, "Namespace")["DeletionPolicy"] == policy
    assert only(template, MANIFEST, "ConfigMap")["DeletionPolicy"] == "Delete"


def test_object_is_found_by_kind_and_name() -> None:
    chart = cdk8s.Chart(cdk8s.App(), "found")
    an_object(chart, "settings", data={"key": "value"})
    attached, _ = attach(chart)
    assert attached.find("ConfigMap", "settings").manifest["data"] == {"key": "value"}
    with pytest.raises(KeyError, match="has no Service settings"):
        attached.find("Service", "settings")


def test_values_win_over_values_content() -> None:
    spec = {"valuesContent": "replicas: 1\nimage: old\n", "values": {"image": "new"}}
    assert values_of(spec) == {"replicas": 1, "image": "new"}
    assert values_of({}) == {}
