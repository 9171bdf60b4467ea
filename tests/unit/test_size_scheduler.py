"""Where a pod may go is what Kubernetes says: its own group, or any node without a taint, where there is room."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ops.size.scheduler import Node, Pod, pending

NODE = Node(group="general", zone=0, cpu=4.0, memory=16.0)
POD = Pod("proxy", cpu=4.0, memory=16.0, group=None)


@pytest.mark.parametrize(
    ("pod", "node", "takes"),
    [
        (POD, NODE, True),
        (POD, replace(NODE, tainted=True), False),
        (replace(POD, group="general"), NODE, True),
        (replace(POD, group="general"), replace(NODE, tainted=True), True),
        (replace(POD, group="query"), NODE, False),
        (replace(POD, cpu=4.01), NODE, False),
        (replace(POD, memory=16.01), NODE, False),
    ],
)
def test_node_takes_what_is_bound_to_it_or_to_none_and_fits(pod: Pod, node: Node, takes: bool) -> None:
    assert node.takes(pod) is takes


def test_pods_spread_over_zones_and_what_finds_no_room_is_pending() -> None:
    # GIVEN a full node in the first zone, and an empty one in the second
    pods = [replace(POD, component=name) for name in ("proxy", "proxy", "etcd")]
    nodes = [replace(NODE, held=Counter()), replace(NODE, zone=1, held=Counter())]
    # WHEN placed THEN each zone has one of the first, and the last waits
    assert pending(pods, nodes) == [pods[2]]
    assert [dict(node.held) for node in nodes] == [{"proxy": 1}, {"proxy": 1}]


def test_member_of_etcd_waits_rather_than_make_zones_differ_by_two() -> None:
    member = Pod("etcd", cpu=1.0, memory=1.0, group=None, one_zone_more_at_most=True)
    nodes = [replace(NODE, held=Counter()), replace(NODE, zone=1, cpu=0.0, held=Counter())]
    # GIVEN no room in the second zone WHEN two come THEN one is placed in the first
    assert pending([member, member], nodes) == [member]
