"""The stacks of an environment."""

from __future__ import annotations

from enum import StrEnum

from settings.environment import Environment


class Part(StrEnum):
    """The stacks of an environment, in the order in which they are deployed."""

    NETWORK = "network"
    STORAGE = "storage"
    STREAMING = "streaming"
    EKS = "eks"
    MILVUS = "milvus"


def stack_name(env: Environment, part: Part) -> str:
    """Return the CloudFormation stack name of a part, such as ``milvus-dev-network``."""
    return f"{env.name}-{part}"


def parts(env: Environment) -> tuple[Part, ...]:
    """Return the stacks that an environment has: Streaming only where the queue is MSK."""
    return tuple(part for part in Part if part is not Part.STREAMING or env.queue.kind == "msk")


def protected_stacks(env: Environment) -> frozenset[str]:
    """Return the names of the stacks that CloudFormation shall refuse to delete.

    Milvus's is never among them: it holds no data, and is what gets replaced when something went wrong.
    """
    lasting = parts(env) if env.termination_protection else ()
    return frozenset(stack_name(env, part) for part in lasting if part is not Part.MILVUS)


def verification_name(environment: str) -> str:
    """Return the name of a pipeline's verification stack of an environment, and of the project in it."""
    return f"{environment}-verification"
