"""A real Milvus with the permissions of its role: the policy of the synthesized template, before S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.full.milvus_role import milvus_judge, milvus_policies, without_start_check
from rehearsal.run import Run
from rehearsal.servers import data_path_faults as faults
from rehearsal.servers.smoke import smoke
from rehearsal.servers.stand import BUCKET, Stand
from rehearsal.tests.real.test_milvus import PROPERTIES, _layers
from tests.assemblies import assembly

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-milvus"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
_REGION = "us-east-2"
_CHECK = "justforconnectioncheck"


@pytest.fixture(scope="module")
def policies() -> list[dict[str, Any]]:
    template: Path = assembly("guide") / "milvus-guide-milvus.template.json"
    return milvus_policies(template, bucket=BUCKET, region=_REGION)


@pytest.fixture(scope="module")
def stand(policies: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    judge = milvus_judge(policies, region=_REGION)
    with (
        Run(root=tmp_path_factory.mktemp("rehearsal")) as run,
        Stand(
            run=run, properties=faults.with_property(PROPERTIES), layers=_layers(), brokers=1, judge=judge
        ) as started,
    ):
        yield started


def test_hello_milvus_passes_with_the_permissions_of_its_role(stand: Stand) -> None:
    with stand.milvus() as milvus:
        seen = smoke(milvus.uri, token=stand.token)

    assert seen.ok, f"{seen}; refused: {stand.gate and stand.gate.refused}"
    assert stand.gate is not None
    assert stand.gate.refused == []
    # THEN it did list what lies outside its root path
    assert any(_CHECK in request for request in stand.gate.seen), sorted(stand.gate.seen)


def test_milvus_ends_at_its_start_where_its_start_check_may_not_be_listed(
    stand: Stand, policies: list[dict[str, Any]]
) -> None:
    # GIVEN the policy of its role as it was once: the root path only
    before = without_start_check(policies)

    # WHEN THEN a FaultError says what differs
    result = faults.start_check_denied(stand, milvus_judge(before, region=_REGION))
    print(result)  # noqa: T201 - shown by pytest -rP
    assert result.outcome.startswith("querynode ended: ")
    role = "arn:aws:sts::111111111111:assumed-role/milvus/milvus"
    assert f"{role} is not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::{BUCKET}" in result.outcome
