"""Which properties recreate a resource when they change: by the schemas of CloudFormation that cfn-lint ships."""

from __future__ import annotations

from functools import cache

from tools.schemas import schema


@cache
def create_only(resource_type: str) -> frozenset[tuple[str, ...]]:
    """Return the paths of the properties whose change makes CloudFormation create another resource.

    Raises:
        LookupError: There is no schema of the type.
    """
    found = schema(resource_type)
    if found is None:
        raise LookupError(f"cfn-lint has no schema of {resource_type}")
    pointers = found.get("createOnlyProperties", [])
    return frozenset(tuple(pointer.removeprefix("/properties/").split("/")) for pointer in pointers)


def recreates(resource_type: str, path: tuple[str, ...]) -> bool:
    """Whether a change at a path of its properties makes CloudFormation create another resource."""
    return any(only[: len(path)] == path or path[: len(only)] == only for only in create_only(resource_type))
