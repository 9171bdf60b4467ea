"""Every Lambda function of every stack writes to a log group that ends, whoever added it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.assemblies import ENVIRONMENTS, EVERY_FIXTURE, assembly, templates
from tests.pipelines import pipeline_template, stage_template
from tests.references import assembly_of

LONGEST_DAYS = 90


def functions(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield each function with the log group that it names; None where it leaves that to Lambda."""
    resources = template["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            given = resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
            yield name, resources[given] if given else None


def without_an_end(template: dict[str, Any]) -> list[str]:
    return [
        name
        for name, group in functions(template)
        if group is None or not 0 < group["Properties"].get("RetentionInDays", 0) <= LONGEST_DAYS
    ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_function_of_an_environment_has_a_log_group_that_ends(name: str) -> None:
    found = templates(name)
    assert sum(len(list(functions(template))) for template in found.values()) > 1
    assert {stack: without_an_end(template) for stack, template in found.items()} == {stack: [] for stack in found}


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_log_group_of_a_function_is_there_before_whoever_calls_it_and_goes_after(name: str) -> None:
    # GIVEN every custom resource, by the function that CloudFormation calls for it
    graph = assembly_of(assembly(name))
    called = [found for found in graph.resources.values() if "ServiceToken" in found.properties]
    assert len(called) > 20
    for found in called:
        function = graph[str(found.at("ServiceToken")).strip("${}").removesuffix(".Arn")]
        # THEN the function's group is made before, whose name says nothing of a function that would be made before it
        group = graph[str(function.at("LoggingConfig.LogGroup")).strip("${}")]
        assert group.name in graph.before(found.name)
        assert group.at("LogGroupName") is None


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_no_log_group_is_named_as_a_service_would_name_it(name: str) -> None:
    # GIVEN groups that Lambda and EKS make by themselves when they have something to write
    graph = assembly_of(assembly(name))
    names = {str(found.at("LogGroupName")) for found in graph.of_type("AWS::Logs::LogGroup")}
    # THEN CloudFormation creates none of them: it would refuse what exists, and delete what is made again
    assert [each for each in names if each.startswith(("/aws/lambda/", "/aws/eks/"))] == []


def test_no_log_group_of_the_pipeline_is_named_after_a_function() -> None:
    assert "/aws/lambda/" not in json.dumps(pipeline_template("shipped"))


def test_every_function_of_the_pipeline_has_a_log_group_that_ends() -> None:
    assert list(functions(pipeline_template("shipped")))
    assert without_an_end(pipeline_template("shipped")) == []


def test_logs_go_with_the_pipeline_and_stay_with_the_data_of_its_environments() -> None:
    # GIVEN a pipeline, whose own logs go with it, and prod, which retains
    own = {group["DeletionPolicy"] for _, group in functions(pipeline_template("three")) if group}
    prod = stage_template("three", "milvus-prod-eu-west-1", "network")
    # THEN each stack decides about its own functions
    assert own == {"Delete"}
    assert {group["DeletionPolicy"] for _, group in functions(prod) if group} == {"RetainExceptOnCreate"}
