"""What an environment is made of, as somebody sees it who destroys it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

BY_GB = "for each GB in it"
"""End of a cost that depends on a size which nobody knows."""


class Kind(StrEnum):
    """Kinds of what can be left."""

    BUCKET = "bucket"
    KEY = "key"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    LOG_GROUP = "log group"
    VOLUME = "volume"
    LOAD_BALANCER = "load balancer"
    TARGET_GROUP = "target group"
    INTERFACE = "network interface"
    SECURITY_GROUP = "security group"
    OTHER = "other"


class Stays(StrEnum):
    """Why something is, or will be, left."""

    KEPT = "kept"
    """On purpose, by `removal_policy: retain`: removed only where it is named."""
    WAITS = "waits"
    """AWS deletes it by itself, after a time."""
    ADOPTED = "adopted"
    """By `storage.existing`: never removed by this command."""
    STRAY = "stray"
    """Nobody wants it."""


class Item(BaseModel):
    """Something that stays when its stack goes, or is left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    id: str
    stays: Stays
    of: str = ""
    """Its stack, or what it belonged to."""
    why: str = ""
    monthly: float | None = None
    """USD a month; None where it is not known."""
    cost: str = ""
    """The same for a person."""
    done: str = ""
    """What was done to it, if anything."""


class Stands(BaseModel):
    """A stack that is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    id: str
    state: str
    protected: bool
    keeps_volumes: bool = False
    """Whether Milvus's namespace, and so the volumes of its claims, outlive it."""
    goes: dict[str, tuple[str, ...]]
    """What goes with it: ids, by type."""
    stays: tuple[Item, ...]

    @property
    def resources(self) -> int:
        """Return how many resources go with it."""
        return sum(len(ids) for ids in self.goes.values())


class Plan(BaseModel):
    """All of an environment that is there, in the order in which it goes, and what is left of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    region: str
    account: str
    stacks: tuple[Stands, ...]
    left: tuple[Item, ...] = ()
    """What no stack says that stays, and what earlier deployments left."""
    notes: tuple[str, ...] = ()
    """What could not be read."""

    @property
    def stays(self) -> tuple[Item, ...]:
        """Return what will be left, or is."""
        return (*(item for stack in self.stacks for item in stack.stays), *self.left)

    @property
    def protected(self) -> tuple[str, ...]:
        """Return the stacks that CloudFormation refuses to delete."""
        return tuple(stack.name for stack in self.stacks if stack.protected)


def total(items: Iterable[Item]) -> str:
    """Return what items cost together, with what is not known: never less than there is."""
    every = [item for item in items if not item.done]
    known = sum(item.monthly for item in every if item.monthly is not None)
    unknown = [item for item in every if item.monthly is None]
    by_gb = Counter(item.kind for item in unknown if item.cost.endswith(BY_GB))
    holders = [f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in sorted(by_gb.items())]
    without = len(unknown) - by_gb.total()
    parts = [
        f"{known:,.2f} USD a month",
        f"what is in {' and '.join(holders)} by the GB" if holders else "",
        f"{without} of which no price is known" if without else "",
    ]
    return ", and ".join(part for part in parts if part)
