"""What the settings count for a pod is what the release requests for it, and a node has what a running one has."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from _paths import ROOT
from settings import SettingsError, parse_environment
from settings.contract import ATTU_CPU, ATTU_MEMORY_GIB
from settings.room import ADDONS, DAEMONS, Pod, Room
from tests.unit.chart_objects import environment, values_of


def test_attu_is_counted_with_what_its_pod_requests() -> None:
    requests = values_of(environment(("milvus.attu.exposure", "internal")))["attu"]["resources"]["requests"]
    assert requests == {"cpu": f"{ATTU_CPU * 1000:.0f}m", "memory": f"{ATTU_MEMORY_GIB * 1024:.0f}Mi"}


def test_pod_fits_a_node_to_the_last_tenth_and_not_beyond() -> None:
    # GIVEN what two tenths leave of three, which is a little less than one in binary numbers
    room = Room(0.3, 0.3, 0.3)
    room.take(Pod(0.2, 0.2, 0.2))
    assert room.cpu < 0.1
    # THEN the last tenth fits, and a hundredth more of any of the three does not
    assert room.fits(Pod(0.1, 0.1, 0.1))
    assert not room.fits(Pod(0.11, 0.1, 0.1))
    assert not room.fits(Pod(0.1, 0.11, 0.1))
    assert not room.fits(Pod(0.1, 0.1, 0.11))


def test_add_ons_take_their_requests_from_every_node_and_from_one() -> None:
    # Requests of the add-ons of EKS, rounded up; the pods' local disk is not counted.
    assert Pod(cpu=0.2, memory_gib=0.25, disk_gib=0, group=None) == DAEMONS
    coredns, metrics, volumes = Pod(0.1, 0.1), Pod(0.1, 0.2), Pod(0.1, 0.25)
    assert (coredns, metrics, volumes) * 2 == ADDONS


def _prod(query_memory_gib: float) -> dict[str, Any]:
    data = yaml.safe_load((ROOT / "tests/fixtures/environments/prod.yaml").read_text(encoding="utf-8"))
    assert data["cluster"]["node_groups"]["query"]["instance_types"] == ["r7g.2xlarge"]
    data["milvus"]["components"]["query_node"]["memory_gib"] = query_memory_gib
    return dict(data)


def test_query_node_that_a_running_instance_has_no_room_for_is_refused() -> None:
    # GIVEN 61.5 GiB, on an instance that is sold with 64 and leaves 60.69 for pods, 0.25 of them for daemons
    # WHEN
    with pytest.raises(SettingsError) as raised:
        parse_environment(_prod(61.5), source="prod.yaml")

    # THEN
    assert [str(problem) for problem in raised.value.problems] == [
        "milvus.components.query_node: requests 6 CPU and 61.5 GiB, which fit on no node of query; the largest that is "
        "certain is r7g.2xlarge, whose 8 vCPU and 64 GiB leave 7.71 and 60.4 for pods; use larger instances or smaller "
        "pods"
    ]


@pytest.mark.parametrize("memory_gib", [48, 60.4])
def test_query_node_that_fits_a_running_instance_passes(memory_gib: float) -> None:
    found = parse_environment(_prod(memory_gib), source="prod.yaml")
    assert found.components["query_node"].memory_gib == memory_gib
