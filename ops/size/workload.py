"""What is to be held: vectors, their index, and what the deployment has to survive."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ops.cost.prices import Term
from ops.errors import usage_error
from ops.size import indexes
from ops.size.indexes import Index, Load, Value
from settings.instances import BROKER_TYPES
from settings.releases import RELEASE_LINES, Line

Survive = Literal["none", "node", "zone"]
QueueKind = Literal["msk", "woodpecker"]
LINES: tuple[Line, ...] = ("2.5", "2.6", "3.0")
"""Lines that are sized: the older ones have advisories without a fix."""

_TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_MOST_VECTORS = 10**12
# The defaults of queue.retention_hours and queue.storage.target_percent.
_RETENTION_SECONDS = 168 * 3600
_MSK_TARGET = 0.6
MOST_BROKER_GIB = 16384


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A workload, as the options of `milvus-ops size` give it."""

    vectors: int
    dim: int
    index: Index
    parameters: Mapping[str, Value]
    region: str
    line: Line = "2.6"
    scalar_bytes: int = 0
    segment_mib: int = 1024
    growth: int = 0
    """Percent by which the vectors will grow."""
    headroom: int = 0
    """Percent of memory to leave free, beyond the tenth that Milvus does not fill."""
    copies: int = 1
    survive: Survive = "zone"
    cores_per_gib: float = 0.25
    """Cores of a query node for each GiB of its memory: the tool's."""
    qps: float | None = None
    qps_per_core: float = 50
    """Searches a second that a core answers: an assumption that only a measurement of one's own can replace."""
    queue: QueueKind = "msk"
    broker_type: str = "kafka.m7g.large"
    rows_per_second: float = 50
    """Rows that are written, on average over the queue's retention."""
    generation: int = 7
    """Oldest generation of processors: older ones cost less an hour, and are about a fifth slower."""
    spot: bool = False
    term: Term = "on-demand"

    @property
    def grown(self) -> int:
        """Return the vectors that have to be held."""
        return -(-self.vectors * (100 + self.growth) // 100)

    @cached_property
    def load(self) -> Load:
        """Return what one copy takes."""
        return indexes.load_of(
            self.index,
            self.parameters,
            vectors=self.grown,
            dim=self.dim,
            scalar_bytes=self.scalar_bytes,
            segment_mib=self.segment_mib,
        )

    @property
    def row_bytes(self) -> int:
        """Return the bytes of a row as it is written."""
        return 4 * self.dim + self.scalar_bytes

    @property
    def broker_volume_gib(self) -> int:
        """Return the volume of each of three brokers: what is written within the retention, not all that there is.

        Each has a copy of all messages, and Kafka's volumes grow from 60 % on.
        """
        written = self.rows_per_second * self.row_bytes * _RETENTION_SECONDS
        return max(20, math.ceil(written / _MSK_TARGET / indexes.GIB))


def count(text: str) -> int:
    """Return a number of vectors such as ``1M``, ``2.5B`` or ``300000``.

    Raises:
        OpsError: It is none, or not at least one.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMB]?)", text.strip().upper().replace(",", "").replace("_", ""))
    value = round(float(found[1]) * _TIMES[found[2]]) if found else 0
    if not 1 <= value <= _MOST_VECTORS:
        raise usage_error(
            setting="--vectors",
            value=text,
            allowed="1 to 1000B, such as 300000, 50M or 1.5B",
            remedy="Give the vectors that one copy of all collections has together",
        )
    return value


def line(text: str) -> Line:
    """Return a release line that is sized.

    Raises:
        OpsError: It is none.
    """
    for known in LINES:
        if text == known:
            return known
    raise usage_error(
        setting="--line",
        value=text,
        allowed=", ".join(LINES),
        remedy="Take a line whose security advisories all have a fix",
    )


def check(workload: Workload) -> None:
    """Raise the error for the first thing that cannot be."""
    work = workload
    indexes.check(work.index, vectors=work.grown, dim=work.dim, line=work.line)
    for option, value, least, most in (
        ("--scalar-bytes", work.scalar_bytes, 0, 1_000_000),
        ("--segment-mib", work.segment_mib, 64, 16_384),
        ("--growth", work.growth, 0, 10_000),
        ("--headroom", work.headroom, 0, 500),
        ("--copies", work.copies, 1, 10),
        ("--cores-per-gib", work.cores_per_gib, 0.01, 4),
        ("--qps", 1 if work.qps is None else work.qps, 1, 1_000_000),
        ("--qps-per-core", work.qps_per_core, 0.1, 100_000),
        ("--rows-per-second", work.rows_per_second, 0, 1_000_000),
        ("--generation", work.generation, 6, 8),
    ):
        if not least <= value <= most:
            raise usage_error(
                setting=option,
                value=f"{value:.12g}",
                allowed=f"{least} to {most}",
                remedy="Choose a value in that range",
            )
    if work.queue == "woodpecker" and RELEASE_LINES[work.line].woodpecker == "no":
        able = ", ".join(line for line in LINES if RELEASE_LINES[line].woodpecker != "no")
        raise usage_error(
            setting="--queue",
            value=f"woodpecker with Milvus {work.line}",
            allowed=f"woodpecker with {able}",
            remedy="Give --queue msk, or another --line",
        )
    if work.queue == "msk" and work.broker_volume_gib > MOST_BROKER_GIB:
        raise usage_error(
            setting="--rows-per-second",
            value=f"{work.rows_per_second:g}, which are {work.broker_volume_gib:,} GiB for each of three brokers",
            allowed=f"what {MOST_BROKER_GIB:,} GiB hold",
            remedy="Write by bulk import, which passes the queue by, or give --queue woodpecker",
        )
    if work.queue == "msk" and work.broker_type not in BROKER_TYPES:
        raise usage_error(
            setting="--broker-type",
            value=work.broker_type,
            allowed=", ".join(BROKER_TYPES),
            remedy="Name one of these; the smallest is kafka.m7g.large",
        )
