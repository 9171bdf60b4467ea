"""The settings that a deployment keeps of itself, flat, by stack; and which of their changes cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from settings.changes import Change, Effect, declared, settings_of
from settings.eks_versions import EKS_VERSIONS
from settings.environment import Environment
from settings.parts import Part
from settings.refusals import matches
from settings.releases import RELEASE_LINES

# What CloudFormation never sees change: with another one, other stacks are made, in another place.
_PLACE = ("name", "account", "region")
# What decides about this file, and not about what is deployed.
_OF_THE_FILE = ("changes", "milvus.acknowledge")

_GIVEN = "given"

_OWNERS: Mapping[str, Part] = {
    "network": Part.NETWORK,
    "storage": Part.STORAGE,
    "queue": Part.STREAMING,
    "cluster": Part.EKS,
    "milvus": Part.MILVUS,
}
"""The stack that a section of the file is about; what is in no section is the first stack's."""

_OF_THE_LAUNCH_TEMPLATE = ("disk_gib", "disk_iops", "disk_throughput", "local_storage")

_APART = (
    {
        "kinds": [
            ["cluster.version", *(f"cluster.node_groups.*.{name}" for name in _OF_THE_LAUNCH_TEMPLATE)],
            [f"cluster.node_groups.*.{name}" for name in ("min_size", "desired_size", "max_size", "labels", "taints")],
        ],
        # Another group is created with all of it.
        "unless": [f"cluster.node_groups.*.{name}" for name in ("instance_types", "spot")],
        "source": "aws-cdk#13602",
        "remedy": "deploy one after the other, the version or the disk first",
    },
    {
        "kinds": [
            ["queue.broker_type"],
            ["queue.brokers"],
            ["queue.kafka_version"],
            ["queue.storage.volume_gib"],
            ["queue.retention_hours", "queue.message_max_bytes", "queue.replica_fetch_max_bytes"],
            ["queue.monitoring"],
        ],
        "unless": [],
        "source": "MSK: you can't update multiple attributes of the cluster in same request",
        "remedy": "deploy one after the other",
    },
)
# etcd: "it is a best practice to add one member at a time" (https://etcd.io/docs/v3.5/faq/); two at once are counted as
# members that are down before they have joined (bitnami/charts#14393).
_STEPS: Mapping[str, list[Any]] = {
    "milvus.line": list(RELEASE_LINES),
    "cluster.version": sorted(EKS_VERSIONS),
    "milvus.etcd.replicas": [1, 2, 3, 4, 5],
}
# https://milvus.io/docs/upgrade_milvus_cluster-helm.md: the versions of a line from which the next one can be reached.
_FIRST = {"milvus.line": {"2.6": ["milvus.version", "2.5.16"], "3.0": ["milvus.version", "2.6.20"]}}


def record(env: Environment) -> dict[str, Any]:
    """Return every setting as it takes effect, by its path, as JSON has it; a secret is none of them."""
    effective = env.model_copy(
        update={
            "milvus": env.milvus.model_copy(
                update={"version": env.milvus_version, "channel_prefix": env.channel_prefix}
            )
        }
    )
    unused = [f"milvus.components.{name}." for name in type(env.milvus.components).model_fields]
    unused = [each for each in unused if each.split(".")[2] not in env.component_names]
    return {
        path: value for path, value in sorted(_flat("", effective)) if not path.startswith((*_OF_THE_FILE, *unused))
    }


def _flat(path: str, value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            below, each = f"{path}.{name}".lstrip("."), getattr(value, name)
            if isinstance(each, BaseModel) and declared(field):
                # It need not be there: whether it is, is a setting of its own.
                yield below, _GIVEN
            yield from _flat(below, each)
    elif isinstance(value, dict) and value and all(isinstance(each, BaseModel) for each in value.values()):
        for name, each in value.items():
            yield from _flat(f"{path}.{name}", each)
    else:
        yield path, _plain(value)


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def owner(path: str) -> Part:
    """Return the stack that a setting is about, whose record says how it is deployed."""
    return _OWNERS.get(path.partition(".")[0], Part.NETWORK)


def record_of(env: Environment, part: Part) -> dict[str, Any]:
    """Return the settings that a stack keeps: those that it is about.

    The Network stack, before which none of those that hold data is changed, also keeps what can never change, so that
    the first of them refuses it. What only grows stands with its owner: another stack may have it when that one's
    update has failed.
    """
    fixed = change_rules()["never"]
    return {
        path: value
        for path, value in record(env).items()
        if owner(path) is part
        or (part is Part.MILVUS and owner(path) is Part.STREAMING)
        or (part is Part.NETWORK and any(matches(path, each) for each in fixed))
    }


@cache
def change_rules() -> dict[str, Any]:
    """Return the rules of `settings.refusals.refusals`, from what the settings declare."""
    judged = {pattern: each for pattern, each in declarations().items() if pattern not in _PLACE}
    return {
        "never": {pattern: each.remedy for pattern, each in judged.items() if each.effect is Effect.NEVER},
        "grows": {pattern: each.remedy for pattern, each in judged.items() if each.only_grows},
        "steps": _STEPS,
        "first": _FIRST,
        "apart": list(_APART),
    }


@cache
def declarations() -> dict[str, Change]:
    """Return what each setting declares, by the setting's path with ``*`` for names."""
    found: dict[str, Change] = {}
    for setting in settings_of(Environment):
        if setting.change is not None:
            found.setdefault(setting.path, setting.change)
    return found


def declaration(path: str) -> Change:
    """Return what the setting at a path of a record declares.

    Raises:
        KeyError: No setting has that path; an older or newer version of this project may have had one.
    """
    for pattern, found in declarations().items():
        if matches(path, pattern):
            return found
    raise KeyError(path)


def rules_for(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules that can concern some settings: a stack carries no others."""
    rules = change_rules()
    return {
        kind: {
            pattern: what for pattern, what in rules[kind].items() if any(matches(path, pattern) for path in settings)
        }
        for kind in ("never", "grows", "steps", "first")
    } | {
        "apart": [
            rule
            for rule in rules["apart"]
            if any(matches(path, pattern) for path in settings for kind in rule["kinds"] for pattern in kind)
        ]
    }
