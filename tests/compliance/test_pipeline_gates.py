"""What is wrong with permissions does not even leave the synthesis: cdk-nag judges the stacks inside the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import file_with, synthesize


def test_wildcard_role_in_an_environment_stops_the_synthesis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # GIVEN a change that gives somebody everything
    from aws_cdk import aws_iam as iam

    from stacks.build import build_environment

    def with_wildcard(scope: Any, env: Any) -> Any:
        built = build_environment(scope, env)
        role = iam.Role(built.storage, "Anything", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
        return built

    monkeypatch.setattr("stacks.pipeline_stack.build_environment", with_wildcard)
    data = file_with(kind="shipped")
    # WHEN the pipeline is synthesized THEN cdk-nag stops it, and names the role of that environment
    with pytest.raises(RuntimeError, match=r"wildcard permissions[\s\S]*milvus-dev-storage/Anything/DefaultPolicy"):
        synthesize({**data, "waves": data["waves"][:1]}, tmp_path)
