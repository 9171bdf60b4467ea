"""What a Helm release brings: pods with what they request, and volumes, read from the values that it gets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from settings.contract import NODE_GROUP_LABEL

# Charts that request nothing and have no volumes, as our values leave them; every other one has to be read.
WITHOUT_REQUESTS = ("aws-load-balancer-controller", "external-secrets")
MILVUS = "milvus"

# rootCoord.dmlChannelNum where it is not given: https://github.com/milvus-io/milvus/blob/master/configs/milvus.yaml
CHANNELS = 16
# Beside the channels, Milvus has a topic for time ticks and one for replication.
_OTHER_TOPICS = 2

_BINARY = {"Ki": 1 / 1024**2, "Mi": 1 / 1024, "Gi": 1, "Ti": 1024}


@dataclass(frozen=True)
class Pods:
    """The pods of a component."""

    component: str
    replicas: int
    cpu: float
    memory_gib: float
    node_group: str | None
    """The group that they are bound to; None if any untainted one takes them."""


@dataclass(frozen=True)
class Volume:
    """Volumes that the chart claims, one for each pod."""

    component: str
    number: int
    gib: float


@dataclass(frozen=True)
class Release:
    """What a release of Milvus's chart makes of its values."""

    pods: tuple[Pods, ...]
    volumes: tuple[Volume, ...]
    woodpecker: bool
    channels: int

    @property
    def topics(self) -> int:
        """Return the topics that it makes on MSK."""
        return self.channels + _OTHER_TOPICS


def text_of(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a text of a template; what only AWS knows stands as ``?``."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        delimiter, parts = value["Fn::Join"]
        return str(delimiter).join(part if isinstance(part, str) else "?" for part in parts)
    return "?"


def read_release(values: dict[str, Any]) -> Release:
    """Return what Milvus's chart makes of its values.

    That it does make just these pods and volumes is held by the records of its real renderings (`make chart-record`).
    """
    pods, volumes = [], []
    for key, each in values.items():
        if not isinstance(each, dict) or "resources" not in each or each.get("enabled") is False:
            continue
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()
        replicas = int(next((each[count] for count in ("replicas", "replicaCount") if count in each), 1))
        requests = each["resources"].get("requests", each["resources"].get("limits", {}))
        selector = each.get("nodeSelector", {})
        pods.append(
            Pods(
                name,
                replicas,
                cpu(requests.get("cpu", 0)),
                gib(requests.get("memory", 0)),
                selector.get(NODE_GROUP_LABEL),
            )
        )
        persistence = each.get("persistence", {})
        if persistence.get("size") and persistence.get("enabled", True):
            volumes.append(Volume(name, replicas, gib(persistence["size"])))
    configuration: dict[str, Any] = yaml.safe_load(values.get("extraConfigFiles", {}).get("user.yaml", "")) or {}
    channels = int((configuration.get("rootCoord") or {}).get("dmlChannelNum", CHANNELS))
    woodpecker = bool(values.get("woodpecker", {}).get("enabled")) or (
        values.get("standalone", {}).get("messageQueue") == "woodpecker"
    )
    return Release(tuple(pods), tuple(volumes), woodpecker, channels)


def helm_values(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a release as its resource in the template has them."""
    values: dict[str, Any] = json.loads(text_of(properties.get("Values", "{}")))
    return values


def cpu(quantity: str | float) -> float:
    """Return cores of Kubernetes' ``250m`` or ``2``."""
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def gib(quantity: str | float) -> float:
    """Return GiB of Kubernetes' ``512Mi`` or ``4Gi``; a bare number is bytes."""
    text = str(quantity)
    return float(text[:-2]) * _BINARY[text[-2:]] if text[-2:] in _BINARY else float(text) / 1024**3
