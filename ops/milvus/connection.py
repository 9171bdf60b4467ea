"""Opens a client to a target, with the TLS that the target demands."""

from __future__ import annotations

from typing import Any, TypeAlias

from ops.milvus.target import Target

MilvusApi: TypeAlias = Any
"""A `pymilvus.MilvusClient`: the library ships no type information."""


def open_client(target: Target, *, timeout: int, uri: str | None = None) -> MilvusApi:
    """Return a client that is connected and logged in; closing it is the caller's.

    Args:
        target: Address, token and TLS.
        timeout: Seconds for connecting.
        uri: Address in place of the target's, for Milvus Lite in a temporary file.

    Raises:
        MilvusException: It cannot be reached, or refuses the token.
    """
    from pymilvus import MilvusClient  # noqa: PLC0415 - takes seconds to import

    options: dict[str, Any] = {}
    if target.uses_tls:
        # pymilvus's name for the authority's certificate; empty means the public ones that gRPC ships.
        options = {"secure": True, "server_pem_path": str(target.ca or ""), "server_name": target.server_name or ""}
    # Dedicated: a connection shared with the caller's own would be closed under it.
    return MilvusClient(
        uri=uri or str(target.uri), token=target.token or "", timeout=timeout, dedicated=True, **options
    )
