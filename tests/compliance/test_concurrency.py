"""How much runs at the same time: a new AWS account may run ten functions at once, and no more."""

from __future__ import annotations

import pytest

from tests.assemblies import EVERY_FIXTURE, assembly
from tests.references import Assembly, assembly_of

# CDK's framework waits for the function that runs kubectl, so each of these resources holds two executions: three of
# them, a task in the cluster and the one function of the Streaming stack together stay within ten. A function that is
# refused is tried again for about two seconds, while one that runs kubectl takes five to fifteen.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
AT_ONCE = 3


def sent_to_the_cluster(graph: Assembly, part: str) -> list[str]:
    return sorted(
        found.name
        for found in graph.resources.values()
        if found.name.startswith(f"{part}/") and found.type.startswith("Custom::AWSCDK-EKS-")
    )


def most_at_once(graph: Assembly, names: list[str]) -> int:
    """Return how many of the resources can run at the same time: as many as chains are needed to hold them all.

    By Dilworth's theorem that is the size of the largest set in which none waits for another; the fewest chains are all
    resources less the most that can follow another one.
    """
    later = {name: [each for each in names if name in graph.before(each)] for name in names}
    follows: dict[str, str] = {}

    def has_follower(name: str, tried: set[str]) -> bool:
        for each in later[name]:
            if each not in tried:
                tried.add(each)
                if each not in follows or has_follower(follows[each], tried):
                    follows[each] = name
                    return True
        return False

    return len(names) - sum(has_follower(name, set()) for name in names)


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_no_stack_sends_more_to_the_cluster_at_once_than_a_new_account_can_run(name: str) -> None:
    graph = assembly_of(assembly(name))
    found = {part: most_at_once(graph, sent_to_the_cluster(graph, part)) for part in ("eks", "milvus")}
    assert {part: width for part, width in found.items() if not 1 <= width <= AT_ONCE} == {}
