"""Creates the index of hello_milvus, or the nearest that the target supports."""

from __future__ import annotations

import re

from ops.milvus.connection import MilvusApi
from ops.milvus.diagnosis import IndexUnusableError

# 3,000 vectors feed at most 76 clusters well (faiss wants 39 each and says so on standard error); the guide has 128.
_CHOICES: tuple[tuple[str, dict[str, int]], ...] = (("IVF_FLAT", {"nlist": 64}), ("AUTOINDEX", {}), ("FLAT", {}))

_UNSUPPORTED = re.compile(r"index[ _]?type|unsupported index|not supported|invalid index", re.IGNORECASE)


def create_index(client: MilvusApi, collection: str, *, timeout: int) -> tuple[str, list[str]]:
    """Create the first index type that the target takes, and return it with what is to be said about it.

    Raises:
        IndexUnusableError: The target reports another type, a failure or unindexed rows.
        MilvusException: It could not be created for another reason than its type.
    """
    from pymilvus.exceptions import MilvusException  # noqa: PLC0415 - pymilvus takes seconds to import

    said: list[str] = []
    for position, (index_type, parameters) in enumerate(_CHOICES):
        # Every server reads parameters under the key `params`; Milvus Lite reads them nowhere else.
        wrapped = {"params": parameters} if parameters else {}
        definition = client.prepare_index_params()
        definition.add_index("embeddings", index_type=index_type, metric_type="L2", params=wrapped)
        try:
            client.create_index(collection, definition, timeout=timeout)
        except MilvusException as error:
            last = position == len(_CHOICES) - 1
            if last or not _UNSUPPORTED.search(str(error.message)):
                raise
            said.append(f"{index_type} is not supported by this target: trying {_CHOICES[position + 1][0]}")
            continue
        _check(client, collection, index_type=index_type, timeout=timeout)
        return index_type, [*said, f"index in use: {index_type}"]
    raise AssertionError  # pragma: no cover - the last choice returns or raises


def _check(client: MilvusApi, collection: str, *, index_type: str, timeout: int) -> None:
    found = client.describe_index(collection, "embeddings", timeout=timeout) or {}
    kind, state = found.get("index_type"), found.get("state", "Finished")
    if kind != index_type:
        raise IndexUnusableError(f"asked for the index {index_type}, Milvus reports {kind}")
    if state != "Finished":
        raise IndexUnusableError(f"the index is {state}, not Finished: {found.get('index_state_fail_reason') or ''}")
