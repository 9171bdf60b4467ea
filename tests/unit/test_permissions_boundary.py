"""Every role of the stacks carries the boundary that the settings name, and none where they name none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.settings_files import file_with


def _roles(boundary: str | None) -> list[Mapping[str, Any]]:
    import aws_cdk as cdk
    from aws_cdk.assertions import Template

    from settings import parse_environment
    from stacks.build import build_environment
    from tools.context import CONTEXT

    changes = (("permissions_boundary", boundary),) if boundary else ()
    app = cdk.App(context=CONTEXT)
    build_environment(app, parse_environment(file_with(*changes), source="test"))
    return [
        role
        for stack in app.node.children
        if isinstance(stack, cdk.Stack)
        for role in Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    ]


@pytest.mark.parametrize("boundary", ["milvus-boundary", None])
def test_every_role_has_the_boundary_of_the_settings(boundary: str | None) -> None:
    # GIVEN the roles of a whole environment, those of CDK's own functions included
    roles = _roles(boundary)
    assert len(roles) > 15

    # THEN each has it, by its name in whatever account it is deployed into
    arn = {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, f":policy/{boundary}"]]}
    wanted = arn if boundary else None
    assert [role["Properties"].get("PermissionsBoundary") for role in roles] == [wanted] * len(roles)
