"""What stays when a stack goes, or when a deployment replaces it: exactly what holds data, and what opens that data."""

from __future__ import annotations

import pytest

from settings import load_environment
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import assembly_of

HOLD_DATA = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"}
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
GOES = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_what_holds_data_follows_the_removal_policy_and_nothing_else_stays(name: str) -> None:
    # GIVEN an environment, and all that holds data in it: etcd's volumes go with their namespace
    env, graph = load_environment(name), assembly_of(assembly(name))
    namespace = f"milvus/Chart-milvus/Namespace-{env.milvus.namespace}"
    data = {found.name for found in graph.resources.values() if found.type in HOLD_DATA} | {namespace}
    assert data >= {"storage/Storage/Data", "storage/Storage/DataKey", "milvus/RootPassword/Secret", namespace}
    # THEN it stays where the settings say so; a failed first deployment leaves nothing of it
    kept = KEPT if env.removal_policy == "retain" else GOES
    assert {each: graph[each].policies for each in data} == dict.fromkeys(data, kept)
    # AND everything else goes: what was left behind would cost money, or stand in the way of the next deployment
    others = {found.name: found.policies for found in graph.resources.values() if found.name not in data}
    assert {each: policies for each, policies in others.items() if policies not in ({}, GOES)} == {}
    # AND buckets are emptied first where they go
    emptied = {found.name for found in graph.resources.values() if found.type == "Custom::S3AutoDeleteObjects"}
    assert len(emptied) == (2 if env.removal_policy == "destroy" else 0)
