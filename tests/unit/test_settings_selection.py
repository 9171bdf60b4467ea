"""What the context of the CDK selects: never another environment than the one that was meant."""

from __future__ import annotations

import re

import pytest

from settings import SettingsError, select
from tools.context import CONTEXT


@pytest.mark.parametrize(
    ("given", "selected"),
    [
        ({}, ("env", "dev")),
        ({"env": "prod"}, ("env", "prod")),
        ({"pipeline": "pipeline-eu"}, ("pipeline", "pipeline-eu")),
    ],
)
def test_context_selects(given: dict[str, object], selected: tuple[str, str]) -> None:
    # GIVEN the feature flags of cdk.json, and what the CDK CLI adds to them
    assert select({**CONTEXT, "aws:cdk:enable-path-metadata": True, "cli-telemetry": False, **given}) == selected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"env": ""}, "-c env: empty; name one of dev, existing-vpc, exposed, guide, prod, small"),
        ({"env": " "}, "-c env: empty; name one of dev"),
        ({"env": None}, "-c env: empty; name one of dev"),
        ({"pipeline": ""}, "-c pipeline: empty; name the pipeline's file"),
        ({"environment": "prod"}, "-c environment: selects nothing; did you mean -c env=prod?"),
        ({"ENV": "prod"}, "-c ENV: selects nothing; did you mean -c env=prod?"),
        ({"evn": "prod"}, "-c evn: selects nothing; did you mean -c env=prod?"),
        ({"pipelin": "pipeline"}, "-c pipelin: selects nothing; did you mean -c pipeline=pipeline?"),
        (
            {"env": "prod", "pipeline": "pipeline"},
            "-c pipeline: given together with -c env, which it would ignore; remove one of the two",
        ),
    ],
)
def test_context_that_selects_something_else_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        select({**CONTEXT, **given})


def test_every_error_of_the_context_comes_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        select({"env": "", "pipeline": "", "enviroment": "prod"})
    assert len(raised.value.problems) == 4
