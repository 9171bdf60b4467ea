"""Helm values of the Milvus chart: one pure function, and one topology per release line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from charts.context import ReleaseContext
from charts.values.topologies import values_2_3, values_2_4, values_2_5, values_2_6, values_3_0
from settings import Environment

_TOPOLOGIES: dict[str, Callable[[Environment, ReleaseContext], dict[str, Any]]] = {
    "2.3": values_2_3,
    "2.4": values_2_4,
    "2.5": values_2_5,
    "2.6": values_2_6,
    "3.0": values_3_0,
}


def helm_values(env: Environment, context: ReleaseContext) -> dict[str, Any]:
    """Return the values of the Milvus release: plain data that depends on nothing but the arguments.

    Holds no credential: user names and passwords reach Milvus as environment variables from Kubernetes Secrets.

    Raises:
        ValueError: The context lacks what the settings need, such as the brokers of an MSK queue.
    """
    return _TOPOLOGIES[env.milvus.line](env, context)


__all__ = ["helm_values"]
