"""Tags, descriptions and protection of the stacks: they stand in the assembly's manifest, and in no template."""

from __future__ import annotations

import json

import pytest

from settings import load_environment
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.pipelines import pipeline_assembly, pipeline_file
from tests.references import assembly_of

LAYERS = ("network", "storage", "streaming", "eks")


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_every_stack_carries_the_tags_and_the_protection_of_the_settings(name: str) -> None:
    # GIVEN an environment with tags
    env, graph = load_environment(name), assembly_of(assembly(name))
    assert env.tags
    # THEN each stack has them for the bill, and is protected where its data or the cluster would be lost
    found = {
        part: (stack["properties"]["tags"], stack["properties"]["terminationProtection"])
        for part, stack in graph.stacks.items()
    }
    layers = [part for part in LAYERS if part != "streaming" or env.queue.kind == "msk"]
    assert found == {**dict.fromkeys(layers, (env.tags, env.termination_protection)), "milvus": (env.tags, False)}


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_stacks_are_deployed_to_the_account_and_region_of_the_settings(name: str) -> None:
    env, graph = load_environment(name), assembly_of(assembly(name))
    place = f"aws://{env.account or 'unknown-account'}/{env.region}"
    assert {stack["environment"] for stack in graph.stacks.values()} == {place}
    assert {stack["displayName"] for stack in graph.stacks.values()} == {f"{env.name}-{part}" for part in graph.stacks}


def test_stacks_of_a_pipeline_carry_the_tags_of_their_environment() -> None:
    # GIVEN a pipeline that deploys two environments
    stages = sorted(pipeline_assembly("shipped").glob("assembly-*"))
    assert len(stages) == 2
    for stage in stages:
        env = load_environment(stage.name.rpartition("-")[2])
        graph = assembly_of(stage)
        assert {part: stack["properties"]["tags"] for part, stack in graph.stacks.items()} == dict.fromkeys(
            [*LAYERS, "milvus", "verification"], env.tags
        )
        # AND the file that CloudFormation gets them from in a pipeline says the same
        for stack in graph.stacks.values():
            configuration = json.loads(
                (stage / f"{stack['properties']['templateFile']}.config.json").read_text(encoding="utf-8")
            )
            assert configuration == {"Tags": env.tags}


def test_the_pipeline_itself_carries_its_own_tags() -> None:
    graph = assembly_of(pipeline_assembly("shipped"))
    assert graph.stacks["delivery"]["properties"].get("tags", {}) == pipeline_file("shipped").get("tags", {})
