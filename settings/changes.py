"""What a change of each setting does to a deployment that runs: declared at the field, and read from there."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

KEY = "x-change"
"""Key of a field's declaration, in its metadata and so in the JSON schema."""


class Effect(StrEnum):
    """What happens to what runs, from nothing to the impossible; each is worse than the one before."""

    NONE = "none"
    IN_PLACE = "in-place"
    RESTARTS_PODS = "restarts-pods"
    REPLACES = "replaces"
    ROLLS_NODES = "rolls-nodes"
    BROKER_BY_BROKER = "broker-by-broker"
    REPLACES_NODE_GROUP = "replaces-node-group"
    NEVER = "never"


MEANING: Mapping[Effect, str] = {
    Effect.NONE: "Nothing that runs changes.",
    Effect.IN_PLACE: "Changed where it is; no pod, node or broker is interrupted.",
    Effect.RESTARTS_PODS: "These pods are replaced by rolling updates, within their disruption budgets.",
    Effect.REPLACES: "Another one takes the place of the old one, which holds no data; there is an interruption.",
    Effect.ROLLS_NODES: "Nodes are replaced one by one; their pods move within their disruption budgets.",
    Effect.BROKER_BY_BROKER: "MSK takes away one broker after the other, 10 to 15 minutes each. It takes one kind of "
    "change in an update.",
    Effect.REPLACES_NODE_GROUP: "A new group comes, then the old one goes: all its pods at once, five minutes after "
    "they were told, whatever the disruption budgets say.",
    Effect.NEVER: "Not possible: data would be lost or left behind, or AWS or Kubernetes refuse it.",
}


@dataclass(frozen=True)
class Change:
    """The declaration of one setting."""

    effect: Effect
    of: str = ""
    """Which part of the deployment: pods, nodes, a load balancer."""
    only_grows: bool = False
    """Whether the way back is refused."""
    remedy: str = ""
    """What to do instead, where the change is refused, or how to make it."""


def change(effect: Effect, of: str = "", *, only_grows: bool = False, remedy: str = "") -> dict[str, Any]:
    """Return the ``json_schema_extra`` of a field, which declares what a change of it does."""
    declared = asdict(Change(effect, of, only_grows, remedy))
    return {KEY: {key: str(value) if key == "effect" else value for key, value in declared.items() if value}}


NONE = change(Effect.NONE)
IN_PLACE = change(Effect.IN_PLACE)
RESTARTS_MILVUS = change(Effect.RESTARTS_PODS, "every pod of Milvus")
RESTARTS_COMPONENT = change(Effect.RESTARTS_PODS, "the component's pods")
RESTARTS_ETCD = change(Effect.RESTARTS_PODS, "etcd, one member after the other")
RESTARTS_ATTU = change(Effect.RESTARTS_PODS, "Attu")
ROLLS_BROKERS = change(Effect.BROKER_BY_BROKER, "the brokers")


def never(remedy: str = "make a new environment and move the data") -> dict[str, Any]:
    """Return the declaration of a setting that cannot change."""
    return change(Effect.NEVER, remedy=remedy)


def declared(field: FieldInfo) -> Change | None:
    """Return what a field declares; None where it declares nothing."""
    extra = field.json_schema_extra
    found = extra.get(KEY) if isinstance(extra, dict) else None
    return Change(**{**found, "effect": Effect(str(found["effect"]))}) if isinstance(found, dict) else None  # type: ignore[arg-type]  # any JSON


@dataclass(frozen=True)
class Setting:
    """A field of the models, with its path in a file; ``*`` stands for a name, ``[]`` for an item of a list."""

    path: str
    model: type[BaseModel]
    field: FieldInfo

    @property
    def change(self) -> Change | None:
        """What a change of it does; None for a part of the file that is always there, and only holds others."""
        return declared(self.field)

    @property
    def only_holds_others(self) -> bool:
        """Whether it is a model that every file has: its own fields declare what they do."""
        kinds = get_args(self.field.annotation) or (self.field.annotation,)
        return all(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[Setting]:
    """Yield every field of a model, and below it those of the models in it."""
    for name, field in model.model_fields.items():
        here = f"{path}.{name}".lstrip(".")
        yield Setting(here, model, field)
        for below, suffix in _models(field.annotation):
            yield from settings_of(below, f"{here}{suffix}")


def _models(kind: Any, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:  # noqa: ANN401 - any annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and origin is None:
        if issubclass(kind, BaseModel):
            yield kind, suffix
    elif origin is Annotated:
        yield from _models(arguments[0], suffix)
    elif origin in {Union, types.UnionType}:
        for each in arguments:
            yield from _models(each, suffix)
    elif origin is dict:
        yield from _models(arguments[1], f"{suffix}.*")
    elif origin is not Literal:
        for each in arguments[:1]:
            yield from _models(each, f"{suffix}[]")
