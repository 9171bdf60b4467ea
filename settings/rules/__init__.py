"""Rules across the fields of an environment: what each setting alone allows, but what cannot work together."""

from __future__ import annotations

from settings.base import Rule
from settings.rules import (
    capacity,
    cluster,
    configuration,
    disks,
    exposure,
    lists,
    network,
    queue,
    release,
    storage,
    tags_arns_labels,
)

RULES: tuple[Rule, ...] = (
    *lists.RULES,
    *tags_arns_labels.RULES,
    *network.RULES,
    *cluster.RULES,
    *capacity.RULES,
    *disks.RULES,
    *queue.RULES,
    *release.RULES,
    *storage.RULES,
    *configuration.RULES,
    *exposure.RULES,
)
