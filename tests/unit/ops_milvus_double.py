"""A Milvus client in memory for tests: right by default, wrong or hanging where a test says so."""

from __future__ import annotations

import math
import time
from typing import Any

from pymilvus.exceptions import MilvusException


class FakeIndexParams:
    def __init__(self) -> None:
        self.index_type = ""

    def add_index(self, _field: str, *, index_type: str, **_more: Any) -> None:
        self.index_type = index_type


class FakeSchema:
    def add_field(self, *_arguments: Any, **_more: Any) -> None: ...


class FakeMilvus:
    """Keeps rows in a dictionary; ``wrong`` maps a method to a function that replaces its answer."""

    def __init__(self, *, supported: tuple[str, ...] = ("IVF_FLAT", "AUTOINDEX", "FLAT")) -> None:
        self.collections: dict[str, dict[str, dict[str, Any]]] = {}
        self.dropped: list[str] = []
        self.closed = False
        self.supported = supported
        self.index = ""
        self.wrong: dict[str, Any] = {}

    def _answer(self, method: str, right: Any) -> Any:
        replace = self.wrong.get(method)
        return replace(right) if replace else right

    def get_server_version(self, **_: Any) -> str:
        return str(self._answer("get_server_version", "v9"))

    def has_collection(self, name: str, **_: Any) -> Any:
        return self._answer("has_collection", name in self.collections)

    def create_schema(self, **_: Any) -> FakeSchema:
        return FakeSchema()

    def create_collection(self, name: str, **_: Any) -> None:
        self.collections[name] = {}
        self._answer("create_collection", None)

    def insert(self, name: str, rows: list[dict[str, Any]], **_: Any) -> Any:
        self.collections[name].update({row["pk"]: row for row in rows})
        return self._answer("insert", {"insert_count": len(rows)})

    def flush(self, _name: str, **_: Any) -> None:
        self._answer("flush", None)

    def get_collection_stats(self, name: str, **_: Any) -> Any:
        return self._answer("get_collection_stats", {"row_count": len(self.collections[name])})

    def prepare_index_params(self) -> FakeIndexParams:
        return FakeIndexParams()

    def create_index(self, _name: str, definition: FakeIndexParams, **_: Any) -> None:
        self._answer("create_index", None)
        if definition.index_type not in self.supported:
            raise MilvusException(code=1100, message=f"invalid index type: {definition.index_type}")
        self.index = definition.index_type

    def describe_index(self, *_arguments: Any, **_: Any) -> Any:
        return self._answer("describe_index", {"index_type": self.index, "state": "Finished"})

    def load_collection(self, _name: str, **_: Any) -> None:
        self._answer("load_collection", None)

    def query(self, name: str, *, filter: str, output_fields: list[str], **_: Any) -> Any:  # noqa: A002 - pymilvus's
        rows = list(self.collections[name].values())
        if output_fields == ["count(*)"]:
            return self._answer("count", [{"count(*)": len(rows)}])
        if filter.startswith("pk in"):
            return self._answer("query_deleted", [row for row in rows if row["pk"] in {"0", "1"}])
        return self._answer("query", [row for row in rows if row["random"] > 0.5])

    def search(self, name: str, *, data: list[list[float]], filter: str, limit: int, **_: Any) -> Any:  # noqa: A002 - the client's own name
        rows = [row for row in self.collections[name].values() if not filter or row["random"] > 0.5]
        near = sorted(rows, key=lambda row: math.dist(row["embeddings"], data[0]))[:limit]
        hits = [
            {
                "pk": row["pk"],
                "distance": math.dist(row["embeddings"], data[0]),
                "entity": {"random": row["random"]},
            }
            for row in near
        ]
        return [self._answer("filtered_search" if filter else "search", hits)]

    def delete(self, name: str, **_: Any) -> None:
        if not self.wrong.get("delete"):
            for key in ("0", "1"):
                del self.collections[name][key]

    def drop_collection(self, name: str, **_: Any) -> None:
        self._answer("drop_collection", None)
        self.collections.pop(name, None)
        self.dropped.append(name)

    def close(self) -> None:
        self.closed = True


def hang(_right: Any) -> Any:
    """Do not answer for longer than any test waits."""
    time.sleep(30)


def fail(message: str) -> Any:
    """Return a replacement that raises what Milvus raises."""

    def raising(_right: Any) -> Any:
        raise MilvusException(code=65535, message=message)

    return raising
