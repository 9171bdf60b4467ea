"""What the settings count for a pod is what the release requests for it."""

from __future__ import annotations

from settings.contract import ATTU_CPU, ATTU_MEMORY_GIB
from tests.unit.chart_objects import environment, values_of


def test_attu_is_counted_with_what_its_pod_requests() -> None:
    requests = values_of(environment(("milvus.attu.exposure", "internal")))["attu"]["resources"]["requests"]
    assert requests == {"cpu": f"{ATTU_CPU * 1000:.0f}m", "memory": f"{ATTU_MEMORY_GIB * 1024:.0f}Mi"}
