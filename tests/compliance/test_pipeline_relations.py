"""What points at what in a pipeline, and in the stack that proves an environment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines import pipeline_assembly
from tests.references import Assembly, Found, assembly_of

KEY = "${delivery/Artifacts/Key.Arn}"
PIPELINE_ROLE = "${delivery/Pipeline/Pipeline/Role.Arn}"
BUCKET_KEY = "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.KMSMasterKeyID"
every_kind = pytest.mark.parametrize("kind", ["shipped", "three"])


def graph(kind: str) -> Assembly:
    return assembly_of(pipeline_assembly(kind))


def pipeline(kind: str) -> Found:
    [found] = graph(kind).of_type("AWS::CodePipeline::Pipeline")
    return found


def actions(kind: str) -> list[dict[str, Any]]:
    return [action for stage in pipeline(kind).properties["Stages"] for action in stage["Actions"]]


@every_kind
def test_every_project_has_its_own_role_the_key_of_the_artifacts_and_the_cache(kind: str) -> None:
    projects = graph(kind).of_type("AWS::CodeBuild::Project")
    assert len(projects) > 10
    for project in projects:
        # CDK Pipelines lends all asset projects one role, and makes the check of permissions without a cache.
        role = project.name.replace("FileAsset", "FileRole") if "/Assets/" in project.name else f"{project.name}/Role"
        assert project.at("ServiceRole") == f"${{{role}.Arn}}"
        assert project.at("EncryptionKey") == KEY
        cached = None if project.name.endswith("CDKSecurityCheck") else "${delivery/Artifacts/Caches}/packages"
        assert project.at("Cache.Location") == cached


@every_kind
def test_every_action_runs_the_project_of_its_name_with_the_role_for_projects(kind: str) -> None:
    builds = [action for action in actions(kind) if "ProjectName" in action.get("Configuration", {})]
    assert len(builds) > 10
    for action in builds:
        project, name = action["Configuration"]["ProjectName"].strip("${}"), action["Name"]
        if name.endswith("Permissions.Check"):
            assert project == "delivery/Pipeline/PipelinesSecurityCheck/CDKSecurityCheck"
            continue
        # Such as .../milvus-prod-eu-west-1.milvus-prod-eks.Gate/Gate, or .../UpdatePipeline/SelfMutation
        own = {"Synth": "CdkBuildProject", "SelfMutate": "SelfMutation", "FileAssets": "FileAsset"}.get(
            name, name.rpartition(".")[2]
        )
        assert name in project or own in project, (name, project)
        assert action["RoleArn"] == "${delivery/Pipeline/CodeBuildActionRole.Arn}"


@every_kind
def test_gates_stand_between_the_preparation_and_the_execution_of_their_own_stack(kind: str) -> None:
    # GIVEN the actions of each stage in the order in which they run
    for stage in pipeline(kind).properties["Stages"]:
        order = {action["Name"]: action["RunOrder"] for action in stage["Actions"]}
        gates = [name for name in order if name.endswith(".Gate")]
        prepared = [name for name in order if name.endswith(".Prepare")]
        assert len(gates) == len(prepared)
        for gate in gates:
            stack = gate.removesuffix(".Gate")
            assert order[f"{stack}.Prepare"] < order[gate] < order[f"{stack}.Deploy"]


@every_kind
def test_artifacts_lie_in_the_bucket_of_the_pipeline_under_its_key(kind: str) -> None:
    found = pipeline(kind)
    stores = [each["ArtifactStore"] for each in found.properties.get("ArtifactStores", [])]
    stores = stores or [found.properties["ArtifactStore"]]
    own = [store for store in stores if store["EncryptionKey"]["Id"] == KEY]
    assert [store["Location"] for store in own] == ["${delivery/Artifacts/Bucket}"]
    assert found.at("RoleArn") == PIPELINE_ROLE
    for bucket in ("Bucket", "Caches"):
        assert graph(kind)[f"delivery/Artifacts/{bucket}"].at(BUCKET_KEY) == KEY
        assert graph(kind)[f"delivery/Artifacts/{bucket}/Policy"].at("Bucket") == f"${{delivery/Artifacts/{bucket}}}"


@every_kind
def test_roles_of_actions_are_assumed_by_the_pipeline_alone(kind: str) -> None:
    roles = [role for role in graph(kind).of_type("AWS::IAM::Role") if role.name.endswith("ActionRole")]
    assert len(roles) > 3
    for role in roles:
        [statement] = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Principal"]) == ("sts:AssumeRole", {"AWS": PIPELINE_ROLE}), role.name


@every_kind
def test_every_policy_of_the_pipeline_is_its_own_roles(kind: str) -> None:
    for policy in graph(kind).of_type("AWS::IAM::Policy"):
        assert policy.at("Roles") == [f"${{{policy.name.rpartition('/')[0]}}}"], policy.name


@pytest.mark.parametrize("stage", ["milvus-dev", "milvus-prod-us-east-2", "milvus-prod-eu-west-1"])
def test_proof_stands_in_the_private_subnets_and_is_admitted_to_the_cluster(stage: str) -> None:
    found = assembly_of(pipeline_assembly("three") / f"assembly-milvus-delivery-{stage}")
    prefix = "verification/Verification"
    subnets = [f"${{network/Network/Vpc/privateSubnet{number}/Subnet}}" for number in (1, 2, 3)]
    project = found[f"{prefix}/Project"]
    assert project.at("VpcConfig") == {
        "VpcId": "${network/Network/Vpc}",
        "Subnets": subnets,
        "SecurityGroupIds": [f"${{{prefix}/SecurityGroup.GroupId}}"],
    }
    assert found[f"{prefix}/SecurityGroup"].at("VpcId") == "${network/Network/Vpc}"
    assert project.at("ServiceRole") == f"${{{prefix}/Project/Role.Arn}}"
    assert project.at("LogsConfig.CloudWatchLogs.GroupName") == f"${{{prefix}/Logs}}"
    entry = found[f"{prefix}/Deployments"]
    assert entry.at("ClusterName") == "${eks/Cluster/Resource}"
    assert entry.at("PrincipalArn") == f"${{{prefix}/Project/Role.Arn}}"
    # AND it comes after everything that it proves
    assert found.stacks_before("verification") == {"network", "storage", "streaming", "eks", "milvus"}
