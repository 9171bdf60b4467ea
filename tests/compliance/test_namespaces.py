"""The release has a namespace of its own: it closes it to all traffic, and deletes it when it goes."""

from __future__ import annotations

import json

import pytest

from ops.gate import judge, parse_change_sets
from settings import SettingsError, parse_environment
from settings.contract import OPERATOR_NAMESPACE
from tests.assemblies import ENVIRONMENTS, templates
from tests.unit.settings_files import file_with


def test_release_cannot_take_a_namespace_of_another_part() -> None:
    # GIVEN the namespaces of every Helm release beside Milvus
    releases = [
        resource["Properties"]
        for template in templates("dev").values()
        for resource in template["Resources"].values()
        if resource["Type"] == "Custom::AWSCDK-EKS-HelmChart"
    ]
    taken = {release["Namespace"] for release in releases if release["Release"] != "milvus"}
    assert taken == {"kube-system", OPERATOR_NAMESPACE}
    # THEN the settings refuse each of them
    for namespace in taken:
        with pytest.raises(SettingsError, match=f"milvus.namespace: {namespace} belongs to others"):
            parse_environment(file_with(("milvus.namespace", namespace)), source="test.yaml")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_gate_refuses_to_remove_the_namespace_and_the_releases_and_no_other_object(environment: str) -> None:
    # GIVEN a change set that removes everything, without property values: it tells an object by its logical id only
    resources = {
        logical_id: resource
        for template in templates(environment).values()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in {"Custom::AWSCDK-EKS-KubernetesResource", "Custom::AWSCDK-EKS-HelmChart"}
    }
    changes = [
        {"ResourceChange": {"Action": "Remove", "LogicalResourceId": logical_id, "ResourceType": resource["Type"]}}
        for logical_id, resource in resources.items()
    ]
    # WHEN the gate judges it
    losses = judge(parse_change_sets(json.dumps({"Changes": changes}), source="test"))
    # THEN what goes with etcd is refused
    holding = {
        logical_id
        for logical_id, resource in resources.items()
        if "Release" in resource["Properties"]
        or '"kind":"Namespace"' in json.dumps(resource["Properties"]["Manifest"]).replace("\\", "")
    }
    assert {loss.logical_id for loss in losses} == holding
    assert len(holding) == 4
