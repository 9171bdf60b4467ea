"""Every Lambda function of every stack writes to a log group that ends, whoever added it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.assemblies import ENVIRONMENTS, templates
from tests.pipelines import pipeline_template, stage_template

LONGEST_DAYS = 90


def functions(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield each function with its log group; None where it leaves that to Lambda."""
    resources = template["Resources"]
    groups = {name: each for name, each in resources.items() if each["Type"] == "AWS::Logs::LogGroup"}
    own = {str(each["Properties"].get("LogGroupName")): each for each in groups.values()}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            given = resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
            by_name = own.get(str({"Fn::Join": ["", ["/aws/lambda/", {"Ref": name}]]}))
            yield name, groups[given] if given else by_name


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
