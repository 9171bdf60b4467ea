"""The steps of hello_milvus, each with the checks that make it a health check."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from ops.milvus.connection import MilvusApi
from ops.milvus.diagnosis import WrongAnswerError
from ops.smoke.index import create_index

DIMENSION = 8
_FILTER = "random > 0.5"
_SEARCH = {"metric_type": "L2", "params": {"nprobe": 10}}
# A stored float32 vector searched with its own float64 values is off by rounding only.
_SAME = 1e-3
_DELETED = ("0", "1")
_DELETE_FILTER = 'pk in ["0" , "1"]'


class Row(NamedTuple):
    """One entity, as hello_milvus has them."""

    pk: str
    random: float
    embeddings: list[float]


def make_rows(count: int, *, seed: int = 19530) -> list[Row]:
    """Return ``count`` entities, the same ones for the same seed."""
    source = random.Random(seed)  # noqa: S311 - test data
    return [Row(str(number), source.random(), [source.random() for _ in range(DIMENSION)]) for number in range(count)]


def expect(right: bool, problem: str) -> None:
    """Raise `WrongAnswerError` unless ``right``."""
    if not right:
        raise WrongAnswerError(problem)


class Hello:
    """The steps on one collection. ``timeout`` is what each request to Milvus gets, in whole seconds."""

    def __init__(self, *, client: MilvusApi, collection: str, rows: list[Row], timeout: int) -> None:
        self._client = client
        self.collection = collection
        self._rows = rows
        self._timeout = timeout
        self.index_type: str | None = None
        # The guide searches with the last two vectors; here one inside and one outside the filter, so that it bites.
        self._inside = next(row for row in reversed(rows) if row.random > 0.5)
        self._outside = next(row for row in reversed(rows) if row.random <= 0.5)

    def exists(self) -> list[str]:
        """Ask for the collection, which must not be there."""
        there = self._client.has_collection(self.collection, timeout=self._timeout)
        expect(there is False, f"the new collection {self.collection} is there already")
        return [f"Does collection {self.collection} exist in Milvus: {there}"]

    def create(self) -> list[str]:
        """Create the collection: a string key, a number and a vector."""
        from pymilvus import DataType  # noqa: PLC0415 - pymilvus takes seconds to import

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("pk", DataType.VARCHAR, is_primary=True, auto_id=False, max_length=100)
        schema.add_field("random", DataType.DOUBLE)
        schema.add_field("embeddings", DataType.FLOAT_VECTOR, dim=DIMENSION)
        self._client.create_collection(
            self.collection, schema=schema, consistency_level="Strong", timeout=self._timeout
        )
        there = self._client.has_collection(self.collection, timeout=self._timeout)
        expect(there is True, f"the collection {self.collection} is not there after it was created")
        return []

    def insert(self) -> list[str]:
        """Insert all entities: the first write to the message queue."""
        answer = self._client.insert(self.collection, [row._asdict() for row in self._rows], timeout=self._timeout)
        inserted = int(answer["insert_count"])
        expect(inserted == len(self._rows), f"inserted {len(self._rows)} entities, Milvus took {inserted}")
        return []

    def flush(self) -> list[str]:
        """Write the entities to object storage, then ask how many there are."""
        self._client.flush(self.collection, timeout=self._timeout)
        count = int(self._client.get_collection_stats(self.collection, timeout=self._timeout)["row_count"])
        expect(count == len(self._rows), f"inserted {len(self._rows)} entities, Milvus counts {count}")
        return [f"Number of entities in Milvus: {count}"]

    def index(self) -> list[str]:
        """Create the index, IVF_FLAT where the target has it."""
        self.index_type, said = create_index(self._client, self.collection, timeout=self._timeout)
        return said

    def load(self) -> list[str]:
        """Load the collection into the query nodes and count again, now through a query."""
        self._client.load_collection(self.collection, timeout=self._timeout)
        self._expect_count(len(self._rows))
        return []

    def search(self) -> list[str]:
        """Search for vectors that were inserted: each must find itself first."""
        lines: list[str] = []
        for row in (self._inside, self._outside):
            hits = self._search(row)
            expect(len(hits) == 3, f"a search for 3 neighbours of entity {row.pk} found {len(hits)}")
            key, distance, _ = hits[0]
            expect(
                key == row.pk and abs(distance) < _SAME,
                f"a search for the vector of entity {row.pk} found entity {key} at distance {distance:g} first",
            )
            lines += _hit_lines(hits)
        return lines

    def query(self) -> list[str]:
        """Query by the number: exactly the entities that satisfy the filter must come."""
        found = self._query(_FILTER, limit=len(self._rows), fields=["random", "embeddings"])
        wanted = {row.pk for row in self._rows if row.random > 0.5}
        got = {str(entity["pk"]) for entity in found}
        expect(
            got == wanted and len(found) == len(wanted),
            f"{_FILTER} holds for {len(wanted)} entities, the query returned {len(found)}, "
            f"{len(got ^ wanted)} of them wrong or missing",
        )
        first = {"pk": found[0]["pk"], "random": found[0]["random"], "embeddings": list(found[0]["embeddings"])}
        return ["query result:", f"-{first}"]

    def hybrid(self) -> list[str]:
        """Search with a filter: only entities that satisfy it may come, and the searched one only if it does."""
        inside, outside = self._search(self._inside, filtered=True), self._search(self._outside, filtered=True)
        for hits in (inside, outside):
            expect(len(hits) == 3, f"a filtered search for 3 neighbours found {len(hits)}")
            for key, _, number in hits:
                expect(number > 0.5, f"a search with {_FILTER} returned entity {key} with random {number}")
        expect(inside[0][0] == self._inside.pk, f"a search with {_FILTER} missed entity {self._inside.pk}")
        return _hit_lines(inside) + _hit_lines(outside)

    def delete(self) -> list[str]:
        """Delete two entities: neither a query nor a search may find them afterwards."""
        before = self._query(_DELETE_FILTER, limit=10, fields=["random", "embeddings"])
        expect(len(before) == 2, f"a query for the 2 entities to delete returned {len(before)}")
        self._client.delete(self.collection, filter=_DELETE_FILTER, timeout=self._timeout)
        after = self._query(_DELETE_FILTER, limit=10, fields=["random"])
        expect(not after, f"2 entities were deleted, a query still returns {len(after)} of them")
        for row in self._rows[: len(_DELETED)]:
            keys = [key for key, _, _ in self._search(row)]
            expect(row.pk not in keys, f"entity {row.pk} was deleted, a search still returns it")
        self._expect_count(len(self._rows) - len(_DELETED))
        return [
            f"query before delete by expr=`{_DELETE_FILTER}` -> result: {len(before)} entities",
            f"query after delete by expr=`{_DELETE_FILTER}` -> result: {list(after)}",
        ]

    def drop(self) -> list[str]:
        """Drop the collection."""
        self._client.drop_collection(self.collection, timeout=self._timeout)
        there = self._client.has_collection(self.collection, timeout=self._timeout)
        expect(there is False, f"the collection {self.collection} is still there after it was dropped")
        return []

    def _expect_count(self, wanted: int) -> None:
        answer = self._client.query(
            self.collection,
            filter="",
            output_fields=["count(*)"],
            consistency_level="Strong",
            timeout=self._timeout,
        )
        count = int(answer[0]["count(*)"])
        expect(count == wanted, f"the collection must hold {wanted} entities, a query counts {count}")

    def _query(self, condition: str, *, limit: int, fields: list[str]) -> list[dict[str, Any]]:
        return list(
            self._client.query(
                self.collection,
                filter=condition,
                output_fields=fields,
                limit=limit,
                consistency_level="Strong",
                timeout=self._timeout,
            )
        )

    def _search(self, row: Row, *, filtered: bool = False) -> list[tuple[str, float, float]]:
        """Return key, distance and number of the three nearest entities."""
        answer = self._client.search(
            self.collection,
            data=[row.embeddings],
            anns_field="embeddings",
            filter=_FILTER if filtered else "",
            limit=3,
            search_params=_SEARCH,
            output_fields=["random"],
            consistency_level="Strong",
            timeout=self._timeout,
        )
        # A 2.3 server does not name the key field in its answer; pymilvus then calls it `id`.
        return [
            (str(hit["pk"] if "pk" in hit else hit["id"]), float(hit["distance"]), float(hit["entity"]["random"]))
            for hit in answer[0]
        ]


def _hit_lines(hits: list[tuple[str, float, float]]) -> list[str]:
    return [f"hit: id: {key}, distance: {distance:.6g}, random field: {number:.6g}" for key, distance, number in hits]
