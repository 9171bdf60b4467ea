"""Time-outs in relation to each other: whoever waits outside must not give up before whoever waits inside."""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest

from milvus_constructs import patience
from settings.milvus import Milvus
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import Assembly, assembly_of

LAMBDA_SECONDS = 900
"""No function of Lambda lives longer. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def code(graph: Assembly, function: str, file: str) -> ModuleType:
    """Return a module of a function's code as it is uploaded."""
    path = graph.code(function) / file
    spec = importlib.util.spec_from_file_location(f"uploaded_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def retries(graph: Assembly) -> dict[str, Any]:
    """Return how the state machine behind the tasks looks again."""
    definition = json.loads(graph["eks/Tasks/Provider/waiter-state-machine"].properties["DefinitionString"])
    [found] = definition["States"]["framework-isComplete-task"]["Retry"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_a_handler_that_asks_again_lives_longer_than_all_its_attempts(name: str) -> None:
    # GIVEN functions that try with a pause between, each attempt of up to four calls of a second, and what invokes them
    graph = assembly_of(assembly(name))
    patient = [
        part for part in graph.of_type("AWS::Lambda::Function") if part.at(f"Environment.Variables.{patience.PAUSE}")
    ]
    assert patient
    for part in patient:
        handler = code(graph, part.name, "handler.py")
        pause = float(part.at(f"Environment.Variables.{patience.PAUSE}"))
        times = max(getattr(handler, "ATTEMPTS", patience.ATTEMPTS), getattr(handler, "LOOKS", 0))
        # THEN the reason of the last attempt is reported, and not cut off
        seconds = part.at("Timeout")
        assert seconds >= times * (pause + 4), part.name
        framework = f"{part.name.removesuffix('/Function')}/Provider/framework-onEvent"
        assert seconds < graph[framework].at("Timeout") <= LAMBDA_SECONDS, part.name


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_a_look_at_the_cluster_lives_longer_than_all_its_commands(name: str) -> None:
    # GIVEN the longest look, which prepares a release: login, records, StatefulSet, claims, a patch for each of five
    # members, and in the end the state of the stack, each cut off after a minute
    graph = assembly_of(assembly(name))
    commands = 10
    seconds = code(graph, "eks/Tasks/IsComplete", "tasks/kubectl.py")._SECONDS
    assert graph["eks/Tasks/IsComplete"].at("Timeout") > commands * seconds
    assert graph["eks/Tasks/IsComplete"].at("Timeout") < graph["eks/Tasks/Provider/framework-isComplete"].at("Timeout")


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_the_state_machine_looks_for_longer_than_any_task_waits(name: str) -> None:
    # GIVEN the state machine, which gives up without a reason, and the tasks, which give one
    graph = assembly_of(assembly(name))
    patience = retries(graph)["IntervalSeconds"] * retries(graph)["MaxAttempts"]
    tasks = [
        *graph.of_type("Custom::ReleasePreparation"),
        *graph.of_type("Custom::ReleaseReadiness"),
        *graph.of_type("Custom::NonDefaultStorageClass"),
    ]
    for task in tasks:
        assert int(task.at("TimeoutSeconds")) < patience, task.name
    # AND the longest wait that the settings allow
    [longest] = [bound.le for bound in Milvus.model_fields["ready_minutes"].metadata if hasattr(bound, "le")]
    assert longest * 60 < patience
    # AND a look comes often enough that no release waits long for being seen
    assert retries(graph)["IntervalSeconds"] <= 60
    assert retries(graph)["BackoffRate"] == 1


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_what_is_waited_for_in_a_function_ends_before_the_function(name: str) -> None:
    # GIVEN helm, and the address of a load balancer, which wait inside CDK's kubectl function
    graph = assembly_of(assembly(name))
    life = graph["eks/Cluster/Resource/KubectlProvider/Handler"].at("Timeout")
    for release in graph.of_type("Custom::AWSCDK-EKS-HelmChart"):
        if release.at("Wait"):
            assert int(release.at("Timeout").removesuffix("s")) < life, release.name
    for value in graph.of_type("Custom::AWSCDK-EKS-KubernetesObjectValue"):
        assert value.at("TimeoutSeconds") < life
    # AND Milvus itself, which takes longer, is not waited for there
    [milvus] = [each for each in graph.of_type("Custom::AWSCDK-EKS-HelmChart") if each.name.startswith("milvus/")]
    assert milvus.at("Wait") is None


def test_controllers_that_others_ask_at_once_are_waited_for() -> None:
    graph = assembly_of(assembly("prod"))
    for controller in ("LoadBalancers/Resource", "ExternalSecrets"):
        assert graph[f"eks/{controller}/Resource"].at("Wait") is True
