"""Approvals: a named person's reason lets exactly one resource pass."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from ops.errors import OpsError, usage_error
from ops.gate.verdict import Loss

_FORM = "LOGICAL_ID=REASON or STACK/LOGICAL_ID=REASON, each with @PHYSICAL_ID after the id if it is for that one only"


class Approval(BaseModel):
    """One `--approve` option."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    physical_id: str | None
    """What is lost under that name now; what comes after it has another one, so the approval cannot serve twice."""
    reason: str

    def covers(self, loss: Loss) -> bool:
        """Tell whether this approval names that resource."""
        named = self.target in {loss.logical_id, f"{loss.stack}/{loss.logical_id}"}
        return named and self.physical_id in {None, loss.physical_id}


def parse_approval(text: str) -> Approval:
    """Return the approval that an option's text stands for.

    Raises:
        OpsError: No `=`, no logical id or no reason.
    """
    target, separator, reason = text.partition("=")
    if not separator or not target.strip():
        raise usage_error(
            setting="--approve", value=f"'{text}'", allowed=_FORM, remedy="Name the resource, then say why it may go"
        )
    if not reason.strip():
        raise usage_error(
            setting="--approve",
            value=f"'{text}' without a reason",
            allowed=_FORM,
            remedy="Say why the loss is acceptable: it is what an auditor reads",
        )
    name, at, physical_id = target.strip().partition("@")
    if at and not (name and physical_id):
        raise usage_error(
            setting="--approve", value=f"'{text}'", allowed=_FORM, remedy="Write the ids as the gate prints them"
        )
    return Approval(target=name, physical_id=physical_id or None, reason=reason.strip())


def apply_approvals(
    losses: Sequence[Loss], approvals: Sequence[Approval]
) -> tuple[tuple[Loss, ...], tuple[tuple[Loss, Approval], ...]]:
    """Return what is still refused, and what passes with which approval.

    Raises:
        OpsError: An approval names nothing that is at risk, names more than one, or is given twice.
    """
    passed: list[tuple[Loss, Approval]] = []
    for approval in approvals:
        matches = [loss for loss in losses if approval.covers(loss)]
        if len(matches) != 1:
            raise _no_single_match(approval, losses, matches)
        if any(loss is matches[0] for loss, _ in passed):
            raise usage_error(
                setting="--approve",
                value=f"'{approval.target}' twice",
                allowed="one approval per resource",
                remedy="Remove one of them",
            )
        passed.append((matches[0], approval))
    approved = [loss for loss, _ in passed]
    return tuple(loss for loss in losses if loss not in approved), tuple(passed)


def _no_single_match(approval: Approval, losses: Sequence[Loss], matches: Sequence[Loss]) -> OpsError:
    if matches:
        names = ", ".join(f"{loss.stack}/{loss.logical_id}" for loss in matches)
        return usage_error(
            setting="--approve",
            value=f"'{approval.target}', which is in several stacks",
            allowed=names,
            remedy="Write STACK/LOGICAL_ID=REASON",
        )
    narrow = approval.physical_id is not None
    ids = [f"{loss.logical_id}@{loss.physical_id}" if narrow else loss.logical_id for loss in losses]
    given = f"{approval.target}@{approval.physical_id}" if narrow else approval.target
    names = ", ".join(ids) or "none: nothing stateful is replaced or deleted"
    return usage_error(
        setting="--approve",
        value=f"'{given}', which this change neither replaces nor deletes",
        allowed=names,
        remedy="Correct or remove it: an approval left over would let a later loss pass unread",
    )
