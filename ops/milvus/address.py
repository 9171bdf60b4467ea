"""Where the Milvus of an environment answers, and with which secret one logs in."""

from __future__ import annotations

from ops.errors import OpsError
from ops.program import NAME as PROGRAM
from ops.stacks import outputs_of, read_stacks
from settings import Environment, output_keys


def address_and_secret(env: Environment) -> tuple[str, str | None]:
    """Return the address of an environment's Milvus, and the ARN of root's secret if it demands a login.

    Raises:
        OpsError: The environment has no Milvus yet.
    """
    outputs = outputs_of(read_stacks(env))
    uri = outputs.get(output_keys.MILVUS_URI)
    if uri is None:
        raise OpsError(
            f"environment {env.name} has no Milvus yet: no stack has the output {output_keys.MILVUS_URI}",
            remedy=f"See `{PROGRAM} status` with the same environment",
        )
    return uri, outputs.get(output_keys.ROOT_SECRET_ARN)
