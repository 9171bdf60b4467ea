"""What a smoke run found; holds no token."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepResult(_Model):
    """One step: the lines that hello_milvus prints for it, and how long it took."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    seconds: float = Field(ge=0)


class SmokeFailure(_Model):
    """Why the run failed, in a line, and what to do about it."""

    step: str
    reason: str
    remedy: str


class SmokeReport(_Model):
    """The result of a smoke run."""

    ok: bool
    target: str
    server_version: str | None = None
    collection: str
    rows: int
    index_type: str | None = None
    seconds: float = Field(ge=0)
    steps: tuple[StepResult, ...] = ()
    failure: SmokeFailure | None = None
    left_behind: str | None = Field(default=None, description="A collection that could not be dropped.")
