"""A collection of rows whose content follows from their primary keys, to find again what was acknowledged."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymilvus import DataType, MilvusClient

_QUERY_LIMIT = 16384


class Collection:
    """Rows of an integer key and a vector. Reads are strong: they see all that was acknowledged before.

    Args:
        client: a pymilvus client.
        name: of the collection; ``create`` makes it.
        dimension: of the vectors; 4 bytes each.
        seconds: that each call may take.
    """

    def __init__(self, client: Any, name: str, *, dimension: int = 8, seconds: float = 60) -> None:  # noqa: ANN401 - untyped
        self._client = client
        self._name = name
        self._dimension = dimension
        self._seconds = seconds

    def create(self) -> None:
        """Create, index and load the collection."""
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dimension)
        index = MilvusClient.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="L2")
        self._client.create_collection(self._name, schema=schema, consistency_level="Strong", timeout=self._seconds)
        self._client.create_index(self._name, index, timeout=self._seconds)
        self._client.load_collection(self._name, timeout=self._seconds)

    def insert(self, keys: range, *, seconds: float | None = None) -> None:
        """Insert one row per key; when it returns, Milvus has acknowledged all of them."""
        rows = [{"id": key, "vector": self.vector(key)} for key in keys]
        self._client.insert(self._name, rows, timeout=seconds or self._seconds)

    def vector(self, key: int) -> list[float]:
        """Return the vector of row ``key``."""
        source = random.Random(key)  # noqa: S311 - test data
        return [source.random() for _ in range(self._dimension)]

    def count(self) -> int:
        """How many rows are stored, the same key counted as often as it is there."""
        answer = self._client.query(self._name, filter="", output_fields=["count(*)"], timeout=self._seconds)
        return int(answer[0]["count(*)"])

    def keys(self, upper: int) -> set[int]:
        """Return the keys of all rows below ``upper``."""
        found: set[int] = set()
        for first in range(0, upper, _QUERY_LIMIT):
            condition = f"id >= {first} and id < {first + _QUERY_LIMIT}"
            rows = self._client.query(
                self._name, filter=condition, output_fields=["id"], limit=_QUERY_LIMIT, timeout=self._seconds
            )
            found |= {row["id"] for row in rows}
        return found

    def nearest(self, key: int) -> int:
        """Return the key of the row nearest to the vector of ``key``: ``key`` itself when it is stored."""
        hits = self._client.search(self._name, [self.vector(key)], limit=1, timeout=self._seconds)
        return int(hits[0][0]["id"])


@contextmanager
def connected(uri: str, *, token: str = "", seconds: float = 10) -> Iterator[Any]:
    """Yield a pymilvus client, quiet about the failures that a rehearsal provokes, and close it again."""
    logger = logging.getLogger("pymilvus")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        client = MilvusClient(uri, token=token, timeout=seconds)
        try:
            yield client
        finally:
            client.close()
    finally:
        logger.setLevel(level)
