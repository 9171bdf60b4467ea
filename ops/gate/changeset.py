"""Reads the JSON of CloudFormation's DescribeChangeSet: one page, several pages, several change sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.errors import ExitCode, OpsError, one_line

_HOW = (
    "Give the output of `aws cloudformation describe-change-set --change-set-name ARN --include-property-values "
    "--output json`"
)


class ChangedProperty(BaseModel):
    """What of a resource changes (API type ResourceTargetDefinition)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = Field(default=None, alias="Name")
    """Property of the first level."""
    path: str | None = Field(default=None, alias="Path")
    """Where in it, as /Properties/...; not every change set says so."""
    recreation: str | None = Field(default=None, alias="RequiresRecreation")
    """Whether the resource is replaced when it changes: Never, Conditionally or Always."""

    @property
    def property_name(self) -> str | None:
        """The property of the first level, from whichever of the two there is."""
        _, _, below = (self.path or "").partition("/Properties/")
        return self.name or below.partition("/")[0] or None


class Detail(BaseModel):
    """One reason why a resource changes (API type ResourceChangeDetail)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    target: ChangedProperty = Field(default=ChangedProperty(), alias="Target")
    evaluation: str | None = Field(default=None, alias="Evaluation")
    """Static where the new value is known before the change runs, Dynamic where it is not."""
    source: str | None = Field(default=None, alias="ChangeSource")
    """What kind of thing caused it."""
    cause: str = Field(default="", alias="CausingEntity")
    """That thing: a parameter, `LogicalId` of a Ref, or `LogicalId.Attribute` of a Fn::GetAtt."""


class Change(BaseModel):
    """What a change set does to one resource (API type ResourceChange)."""

    # CloudFormation adds fields over time; only those that the gate judges are read.
    model_config = ConfigDict(frozen=True, extra="ignore")

    action: str = Field(alias="Action", min_length=1)
    logical_id: str = Field(alias="LogicalResourceId", min_length=1)
    physical_id: str | None = Field(default=None, alias="PhysicalResourceId")
    resource_type: str = Field(alias="ResourceType", min_length=1)
    replacement: str | None = Field(default=None, alias="Replacement")
    policy_action: str | None = Field(default=None, alias="PolicyAction")
    scope: tuple[str, ...] = Field(default=(), alias="Scope")
    """Which attributes of the resource change: Properties, Tags, DeletionPolicy and so on."""
    nested_change_set: str | None = Field(default=None, alias="ChangeSetId")
    details: tuple[Detail, ...] = Field(default=(), alias="Details")
    before: str | None = Field(default=None, alias="BeforeContext")
    """The resource as JSON; only where the change set was described with its property values."""
    after: str | None = Field(default=None, alias="AfterContext")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    resource: Change = Field(alias="ResourceChange")


class ChangeSet(BaseModel):
    """One page of a change set."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    entries: tuple[_Entry, ...] = Field(alias="Changes")
    stack: str = Field(default="", alias="StackName")
    name: str = Field(default="", alias="ChangeSetName")
    arn: str = Field(default="", alias="ChangeSetId")
    status: str | None = Field(default=None, alias="Status")
    status_reason: str = Field(default="", alias="StatusReason")
    next_token: str | None = Field(default=None, alias="NextToken")

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes to resources."""
        return tuple(entry.resource for entry in self.entries)

    @property
    def key(self) -> tuple[str, str, str]:
        """What all pages of one change set have in common."""
        return self.arn, self.stack, self.name


def parse_change_sets(text: str, *, source: str) -> tuple[ChangeSet, ...]:
    """Return the pages in a JSON text: an object, a list of objects, or objects one after another.

    Raises:
        OpsError: The text is no (complete, usable) change set; ``source`` names it in the message.
    """
    return change_sets_of(_values(text, source), source=source)


def change_sets_of(values: Iterable[object], *, source: str) -> tuple[ChangeSet, ...]:
    """Return pages as CloudFormation gives them.

    Raises:
        OpsError: They are no (complete, usable) change set; ``source`` names it in the message.
    """
    pages = tuple(_page(value, source=source, number=number) for number, value in enumerate(values, 1))
    if not pages:
        raise _malformed(source, "it holds no change set")
    _check_complete(pages, source)
    for page in pages:
        _check_status(page, source)
    return pages


def _values(text: str, source: str) -> Iterator[Any]:
    """Yield the documents of a text; `aws ... >> file` puts several behind one another."""
    decoder = json.JSONDecoder()
    rest = text.lstrip("\ufeff").strip()
    if not rest:
        raise _malformed(source, "it is empty")
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            raise _malformed(source, f"it is not JSON ({error.msg}, line {error.lineno})") from error
        yield from value if isinstance(value, list) else [value]
        rest = rest[end:].lstrip()


def _page(value: object, *, source: str, number: int) -> ChangeSet:
    if isinstance(value, dict) and "Changes" not in value and value.get("Status") == "FAILED":
        value = {**value, "Changes": []}
    try:
        return ChangeSet.model_validate(value, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise _malformed(source, f"page {number}, {where}: {first['msg']}") from error


def _check_complete(pages: tuple[ChangeSet, ...], source: str) -> None:
    for key in {page.key for page in pages}:
        mine = [page for page in pages if page.key == key]
        if all(page.next_token for page in mine):
            raise OpsError(
                f"{source}: the change set of stack {mine[0].stack or '?'} is not complete: it has a NextToken "
                "and no page without one follows",
                remedy="Read all pages (the AWS CLI does so without --no-paginate) and give them as one list",
                code=ExitCode.USAGE,
            )


def _check_status(page: ChangeSet, source: str) -> None:
    if page.status in {None, "CREATE_COMPLETE"} or _is_empty(page):
        return
    if page.status == "FAILED":
        raise OpsError(
            f"{source}: CloudFormation could not create the change set of stack {page.stack or '?'}: "
            f"{one_line(page.status_reason) or 'no reason given'}",
            remedy="Correct the template, create the change set again, then ask the gate",
        )
    raise OpsError(
        f"{source}: the change set of stack {page.stack or '?'} has status {page.status}, allowed is CREATE_COMPLETE",
        remedy="Wait with `aws cloudformation wait change-set-create-complete`, then describe it again",
        code=ExitCode.USAGE,
    )


def _is_empty(page: ChangeSet) -> bool:
    """CloudFormation calls a change set without changes FAILED; that is the safest change of all."""
    reason = page.status_reason.lower()
    return (
        page.status == "FAILED" and not page.entries and ("didn't contain changes" in reason or "no updates" in reason)
    )


def _malformed(source: str, what: str) -> OpsError:
    return OpsError(f"{source} is no change set: {what}", remedy=_HOW, code=ExitCode.USAGE)
