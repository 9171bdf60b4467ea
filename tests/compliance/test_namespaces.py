"""The release has a namespace of its own: it closes it to all traffic, and deletes it when it goes."""

from __future__ import annotations

import pytest

from settings import SettingsError, naming, parse_environment
from tests.assemblies import templates
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
    assert taken == {"kube-system", naming.OPERATOR_NAMESPACE}
    # THEN the settings refuse each of them
    for namespace in taken:
        with pytest.raises(SettingsError, match=f"milvus.namespace: {namespace} belongs to others"):
            parse_environment(file_with(("milvus.namespace", namespace)), source="test.yaml")
