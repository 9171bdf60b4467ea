"""The plans of a pipeline's environments, as the preview of a pull request writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops import aws
from ops.errors import OpsError
from settings.waves import Placed
from tests.unit.test_ops_plan import CloudFormation, changed, deployed
from tools.preview import plans
from tools.preview.plans import write_plans


def test_each_environment_has_its_plan_and_what_is_refused_fails_the_preview(tmp_path: Path) -> None:
    # GIVEN dev with more members of etcd than its file wants, and prod not deployed
    old = changed("milvus.etcd.replicas", 5)

    def reads(placed: Placed) -> CloudFormation:
        return deployed(old) if placed.env.name == "milvus-dev" else CloudFormation()

    # WHEN the plans are written
    wrong = write_plans("pipeline", tmp_path, reads=reads)
    # THEN each has its own, and the refusal is named
    assert wrong == ["milvus-dev: milvus.etcd.replicas is refused: it only grows"]
    assert "**milvus-dev**: 1 of 1 changes refused" in (tmp_path / "milvus-dev.md").read_text(encoding="utf-8")
    assert "**milvus-prod**: 5 stacks are created" in (tmp_path / "milvus-prod.md").read_text(encoding="utf-8")


def test_environment_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a role that is refused for prod
    asked: list[Any] = []

    def session(**place: Any) -> Any:
        asked.append(place)
        if place["region"] != "us-east-2" or len(asked) > 1:
            raise OpsError("cannot read AWS: AccessDenied", remedy="Bootstrap the account")

    monkeypatch.setattr(aws, "session", session)
    monkeypatch.setattr(aws, "client", lambda *_, **__: CloudFormation())
    assert plans.main(["--out", str(tmp_path)]) == 1
    # THEN it is asked by the role that may only read, and the other one's plan is there
    assert asked[0]["role"] == "cdk-hnb659fds-lookup-role-ACCOUNT-us-east-2"
    assert "5 stacks are created" in (tmp_path / "milvus-dev.md").read_text(encoding="utf-8")
    prod = (tmp_path / "milvus-prod.md").read_text(encoding="utf-8")
    assert prod == "**milvus-prod**: not known: cannot read AWS: AccessDenied. Bootstrap the account\n"
    assert capsys.readouterr().err == "plan: milvus-prod: cannot read AWS: AccessDenied\n"
