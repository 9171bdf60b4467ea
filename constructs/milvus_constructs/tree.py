"""Finds constructs that aws-cdk-lib makes inside its own."""

from __future__ import annotations

from typing import TypeVar

from constructs import Construct, IConstruct

T = TypeVar("T", bound=Construct)


def child(scope: IConstruct, path: str, kind: type[T]) -> T:
    """Return a construct that aws-cdk-lib made below one of its own.

    Args:
        scope: The construct of aws-cdk-lib.
        path: Ids below it, such as ``Provider/framework-onEvent``; ``Resource`` is the L1 resource of most of them.
        kind: What it is known to be.

    Raises:
        TypeError: This version of aws-cdk-lib builds it in another way.
    """
    found: IConstruct | None = scope
    for name in path.split("/"):
        found = found.node.try_find_child(name) if found else None
    if isinstance(found, kind):
        return found
    raise TypeError(
        f"aws-cdk-lib changed its construct tree at {scope.node.path}/{path}: expected {kind.__name__}, found "
        f"{type(found).__name__ if found else 'nothing'}; look there, and adapt the code that asked for it"
    )
