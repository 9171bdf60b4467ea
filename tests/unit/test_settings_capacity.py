"""What the settings count for a pod is what the release requests for it."""

from __future__ import annotations

from settings import capacity
from tests.unit.chart_objects import environment, values_of


def test_attu_is_counted_with_what_its_pod_requests() -> None:
    cpu, memory_gib = capacity._ATTU
    requests = values_of(environment(("milvus.attu.exposure", "internal")))["attu"]["resources"]["requests"]
    assert requests == {"cpu": f"{cpu * 1000:.0f}m", "memory": f"{memory_gib * 1024:.0f}Mi"}
