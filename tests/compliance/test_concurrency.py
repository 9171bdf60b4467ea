"""How much runs at the same time: a new AWS account may run ten functions at once, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set

import pytest

from settings.needs import LAMBDA_EXECUTIONS, PIPELINE_BUILDS
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.pipelines import pipeline_template, stages
from tests.references import Assembly, assembly_of

# A function that is refused is tried again for about two seconds, while one that runs kubectl takes five to fifteen:
# nothing may be left to how long each takes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
AT_ONCE = 3


def handlers(graph: Assembly) -> dict[str, int]:
    """Return what calls a function when it is created, changed or deleted, and how many executions it holds then.

    CDK's provider framework is a function that waits for the one behind it, and so is the one that asks whether it is
    done: two in both phases. Everything else is called by CloudFormation itself.
    """
    found = {}
    for resource in graph.resources.values():
        if token := resource.at("ServiceToken"):
            function = graph[token.removeprefix("${").removesuffix(".Arn}")]
            found[resource.name] = 2 if function.at("Environment.Variables.USER_ON_EVENT_FUNCTION_ARN") else 1
    return found


def most_at_once(before: Mapping[str, Set[str]], executions: Mapping[str, int]) -> int:
    """Return the executions that can be held at the same time.

    By Dilworth's theorem: the largest set of which no member waits for another is as large as the fewest chains that
    hold all, which are all less the most that can follow another one. What holds two executions counts as two, neither
    of which waits for the other.
    """
    every = [(name, number) for name, count in executions.items() for number in range(count)]
    later = {one: [other for other in every if one[0] in before[other[0]]] for one in every}
    follows: dict[tuple[str, int], tuple[str, int]] = {}

    def has_follower(one: tuple[str, int], tried: set[tuple[str, int]]) -> bool:
        for other in later[one]:
            if other not in tried:
                tried.add(other)
                if other not in follows or has_follower(follows[other], tried):
                    follows[other] = one
                    return True
        return False

    return len(every) - sum(has_follower(one, set()) for one in every)


@pytest.mark.parametrize(
    ("before", "executions", "expected"),
    [
        ({"a": set(), "b": {"a"}, "c": {"a", "b"}}, {"a": 2, "b": 2, "c": 1}, 2),
        ({"a": set(), "b": set(), "c": {"a", "b"}}, {"a": 2, "b": 2, "c": 1}, 4),
        ({"a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}, {"a": 2, "b": 2, "c": 1, "d": 2}, 3),
        ({"a": set(), "b": set(), "c": set()}, {"a": 2, "b": 2, "c": 1}, 5),
    ],
)
def test_what_does_not_wait_is_counted_together(
    before: dict[str, set[str]], executions: dict[str, int], expected: int
) -> None:
    assert most_at_once(before, executions) == expected


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_no_stack_sends_more_to_the_cluster_at_once_than_a_new_account_can_run(name: str) -> None:
    graph = assembly_of(assembly(name))
    found = {}
    for part in ("eks", "milvus"):
        sent = [each for each in graph.resources.values() if each.type.startswith("Custom::AWSCDK-EKS-")]
        names = {each.name: 1 for each in sent if each.name.startswith(f"{part}/")}
        found[part] = most_at_once({each: graph.before(each) for each in names}, names)
    assert {part: width for part, width in found.items() if not 1 <= width <= AT_ONCE} == {}


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_no_deployment_runs_more_functions_at_once_than_a_new_account_may(name: str) -> None:
    # GIVEN all stacks together, since those that do not wait for one another are deployed at the same time
    graph = assembly_of(assembly(name))
    executions = handlers(graph)
    assert {1, 2} == set(executions.values())
    # THEN what can run at once is within the quota, however long each takes
    assert most_at_once({each: graph.before(each) for each in executions}, executions) <= LAMBDA_EXECUTIONS


def test_the_doctor_asks_for_as_many_functions_as_run_at_once() -> None:
    most = 0
    for name in EVERY_FIXTURE:
        graph = assembly_of(assembly(name))
        executions = handlers(graph)
        most = max(most, most_at_once({each: graph.before(each) for each in executions}, executions))
    assert most == LAMBDA_EXECUTIONS


@pytest.mark.parametrize(("kind", "expected"), [("shipped", 2), ("three", 4)])
def test_an_execution_of_a_pipeline_runs_no_more_builds_at_once_than_the_doctor_asks_for(
    kind: str, expected: int
) -> None:
    # GIVEN actions of a stage that have the same order, which run side by side
    running: Counter[tuple[str, int]] = Counter()
    for stage, actions in stages(pipeline_template(kind)).items():
        for action in actions:
            if action["ActionTypeId"]["Provider"] == "CodeBuild":
                # The proof is a build too, for which this one waits: in the environment's account, perhaps the same.
                running[stage, action["RunOrder"]] += 2 if action["Name"].endswith("Verify") else 1
    # THEN a new account, which runs one build at a time, is too small, and what is asked for is enough
    assert max(running.values()) == expected
    assert 1 < expected <= PIPELINE_BUILDS
