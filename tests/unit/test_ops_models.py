"""Every model of `ops`: what is read of AWS is a fact, so nobody changes one, and no field is misspelt in silence."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from pydantic import BaseModel, ValidationError

import ops


def models() -> list[type[BaseModel]]:
    for module in pkgutil.walk_packages(ops.__path__, "ops."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [BaseModel]
    while waiting:
        for each in waiting.pop().__subclasses__():
            waiting.append(each)
            if each.__module__.startswith("ops."):
                found.append(each)
    return sorted(found, key=lambda each: (each.__module__, each.__name__))


def test_every_model_refuses_what_it_does_not_know_and_stays_as_it_is() -> None:
    settings = {f"{each.__module__}.{each.__name__}": each.model_config for each in models()}

    assert len(settings) > 10
    assert [name for name, each in settings.items() if each.get("frozen") is not True] == []
    # AND only what CloudFormation says may hold more than we know
    more = [name for name, each in settings.items() if each.get("extra") != "forbid"]
    assert {name.rpartition(".")[0] for name in more} == {"ops.gate.changeset"}
    assert {settings[name].get("extra") for name in more} == {"ignore"}


def test_misspelt_field_and_change_of_a_plan_are_errors() -> None:
    from ops.plan import Plan

    nothing = {"environment": "a", "changes": (), "created": (), "creation_takes": "", "ways": (), "notes": ()}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Plan.model_validate({**nothing, "way": ()})
    with pytest.raises(ValidationError, match="Instance is frozen"):
        Plan.model_validate(nothing).environment = "b"  # type: ignore[misc]  # what the test is about
