"""Settings of what somebody wants in spite of a refusal: each change by itself, and why."""

from __future__ import annotations

from pydantic import Field, JsonValue

from settings.base import Settings
from settings.changes import NONE


class Accepted(Settings):
    """One change that the guard and `plan` let pass. It is good for these two values, and for no other change."""

    path: str = Field(
        pattern=r"^[a-z_]+(\.[a-z0-9_-]+)*$",
        description="The setting, as the refusal names it.",
        json_schema_extra=NONE,
    )
    old: JsonValue = Field(default=None, description="The value that is deployed.", json_schema_extra=NONE)
    new: JsonValue = Field(default=None, description="The value that is wanted.", json_schema_extra=NONE)
    reason: str = Field(min_length=10, max_length=200, description="Why it can be.", json_schema_extra=NONE)


class Acceptance(Settings):
    """What is accepted. Remove an entry once it is deployed."""

    accept: tuple[Accepted, ...] = Field(
        default=(), description="Changes that may pass, by path, old and new value.", json_schema_extra=NONE
    )
