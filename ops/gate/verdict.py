"""Judges a change set: what would be lost if it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from ops.gate.causes import IN_PLACE_ACTIONS, comes_to_nothing, keeps_its_id
from ops.gate.changeset import Change, ChangeSet
from ops.gate.kubernetes import MANIFEST, RELEASE, changed_in_cluster, lost_in_cluster
from ops.gate.removal import LOOSENED, empties_what_holds_data, loosened
from ops.gate.stateful import BROKERS, BROKERS_REPLACED, LOST_WITH, NESTED_STACK

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
_HARMLESS_ACTIONS = frozenset({"Add", "Import"})


class Loss(BaseModel):
    """One stateful resource that a change set would replace, delete or let go of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    logical_id: str
    resource_type: str
    physical_id: str | None
    what_happens: str
    what_is_lost: str

    def approval_id(self) -> str:
        """Return what an approval names that is good for this loss only, and for none after it."""
        return f"{self.logical_id}@{self.physical_id}" if self.physical_id else self.logical_id

    def line(self) -> str:
        """Return the line that a person reads before approving."""
        name = f"{self.stack}/{self.logical_id}" if self.stack else self.logical_id
        which = f"{self.resource_type} {self.physical_id}" if self.physical_id else self.resource_type
        return f"{name} ({which}) {self.what_happens}: {self.what_is_lost}"


def judge(pages: Iterable[ChangeSet]) -> tuple[Loss, ...]:
    """Return what the change sets would lose, in their order; empty means that nothing stateful is at risk."""
    pages = tuple(pages)
    # A nested stack's own changes are only in its own change set: it is judged if it was given, too.
    given = {page.arn for page in pages if page.arn}
    beside: dict[tuple[str, str, str], dict[str, Change]] = {}
    for page in pages:
        beside.setdefault(page.key, {}).update((change.logical_id, change) for change in page.changes)
    found: dict[tuple[str, str], Loss] = {}
    for page in pages:
        for change in page.changes:
            loss = _loss(page.stack, change, beside[page.key], given)
            if loss is not None:
                found.setdefault((loss.stack, loss.logical_id), loss)
    return tuple(found.values())


def _loss(stack: str, change: Change, beside: Mapping[str, Change], given: set[str]) -> Loss | None:
    lost = LOST_WITH.get(change.resource_type) or lost_in_cluster(change)
    verdict = _verdict(change, beside) if lost else empties_what_holds_data(change, beside.values())
    if verdict is None and change.resource_type == NESTED_STACK and change.action not in _HARMLESS_ACTIONS:
        if change.nested_change_set and change.nested_change_set in given:
            return None
        verdict = ("is changed by a nested change set that was not given", _nested_remedy(change))
    if verdict is None:
        return None
    happens, instead = verdict
    return Loss(
        stack=stack,
        logical_id=change.logical_id,
        resource_type=change.resource_type,
        physical_id=change.physical_id,
        what_happens=happens,
        what_is_lost=instead or lost or "",
    )


def _verdict(change: Change, beside: Mapping[str, Change]) -> tuple[str, str] | None:
    """Return what happens, and what to say instead of the usual loss; None when the resource stays."""
    policy = change.policy_action or ""
    if change.action in _HARMLESS_ACTIONS:
        return None
    if change.action == "Remove":
        return _removed(policy)
    if change.action == "Dynamic":
        return "may be deleted or replaced (CloudFormation decides while it runs)", ""
    if change.action not in IN_PLACE_ACTIONS:
        return f"has the action {change.action}, which this gate does not know", ""
    verdict = _changed(change, policy, beside)
    if verdict is None and (happens := loosened(change)):
        return happens, LOOSENED
    return verdict


def _changed(change: Change, policy: str, beside: Mapping[str, Change]) -> tuple[str, str] | None:
    if change.resource_type in {MANIFEST, RELEASE}:
        return changed_in_cluster(change)
    if keeps_its_id(change, beside):
        return _other_brokers(change, beside)
    return _replaced(change, policy)


def _removed(policy: str) -> tuple[str, str]:
    if policy == "Retain":
        # Nothing is erased, but to Milvus the result is the same: the next deployment creates an empty successor, or
        # fails on the taken name. Whoever wants that (a hand-over to another stack) can say so with --approve.
        return (
            "leaves the stack but is kept in the account",
            "nothing is erased, but no stack manages it any more and the next one starts from nothing",
        )
    if policy == "Snapshot":
        return "would be deleted after a snapshot", ""
    return "would be deleted", ""


def _replaced(change: Change, policy: str) -> tuple[str, str]:
    if change.replacement == "Conditional":
        happens = "may be replaced (Conditional: it depends on values known only while it runs)"
    elif change.replacement == "True" or policy.startswith("Replace"):
        happens = "would be replaced"
    else:
        # Fail closed: AWS always says; what does not say must not pass.
        happens = f"may be replaced (the change set says Replacement: {change.replacement or 'nothing'})"
    if policy == "ReplaceAndRetain":
        return (
            happens,
            "the old one is kept in the account but nothing uses it any more: the new one starts empty",
        )
    return happens, ""


def _other_brokers(change: Change, beside: Mapping[str, Change]) -> tuple[str, str] | None:
    resource_type, name, part = BROKERS
    details = [detail for detail in change.details if detail.target.property_name == name]
    targets = [detail.target for detail in details if not comes_to_nothing(detail, beside)]
    whole = f"/Properties/{name}"
    if change.resource_type != resource_type or not targets:
        return None
    if any(target.path == f"{whole}/{part}" for target in targets):
        return f"is kept, with brokers of another type ({name}.{part})", BROKERS_REPLACED
    if any(target.path in {None, whole} for target in targets):
        return f"is kept, perhaps with brokers of another type (the change set says {name} only)", BROKERS_REPLACED
    return None


def _nested_remedy(change: Change) -> str:
    if change.nested_change_set:
        return f"cannot be judged; add the description of {change.nested_change_set} to the input"
    return "cannot be judged; create the change set with --include-nested-stacks and give the nested ones as well"
