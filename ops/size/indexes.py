"""Index types: their parameters, and the memory and local disk that vectors take in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ops.errors import ExitCode, OpsError, usage_error

Value = int | str | bool
MIB, GIB = 1024**2, 1024**3

# The most that any index of Milvus takes: https://milvus.io/docs/limitations.md
_MOST_DIMENSIONS = 32768
# Above it nobody has shown that AISAQ's memory stays what the tool gives for any number of vectors: 16 MiB.
_AISAQ_MOST_VECTORS = 10_000_000
_REFINE_BITS = {"none": 0, "SQ8": 8, "FP16": 16, "BF16": 16, "SQ32": 32}
_NO_FORMULA = (
    "HNSW_SQ", "HNSW_PQ", "HNSW_PRQ", "IVF_PQ", "SPARSE_INVERTED_INDEX", "SPARSE_WAND", "BIN_FLAT", "BIN_IVF_FLAT",
    "MINHASH_LSH", "GPU_CAGRA", "GPU_IVF_FLAT", "GPU_IVF_PQ", "GPU_BRUTE_FORCE",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """What an index takes, bytes: of memory (before what loading needs beside it), and of local disk."""

    memory: float
    disk: float = 0
    how: str = ""


@dataclass(frozen=True)
class Index:
    """An index type."""

    name: str
    size: Callable[[int, int, Mapping[str, Value]], Size]
    """Takes vectors, dimensions and parameters."""
    integers: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Least, default and most of each parameter that is a number."""
    choices: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """What each other parameter may be, the default first."""
    lines: tuple[str, ...] = ("2.5", "2.6", "3.0")
    segments: bool = True
    """Whether two segments are in memory beside the index while it loads."""

    def parameters(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Return every parameter with its value.

        Raises:
            OpsError: The index has none of that name, or it takes no such value.
        """
        known = [*self.integers, *self.choices]
        found: dict[str, Value] = {name: default for name, (_, default, _) in self.integers.items()}
        found |= {name: values[0] for name, values in self.choices.items()}
        for name, value in given.items():
            if name not in known:
                allowed = ", ".join(known) or "no parameter"
                raise usage_error(
                    setting="--param", value=f"{name} for {self.name}", allowed=allowed, remedy="Leave it out"
                )
            found[name] = self._value(name, value)
        return found

    def _value(self, name: str, value: str) -> Value:
        if name in self.integers:
            least, _, most = self.integers[name]
            if value.isdecimal() and least <= int(value) <= most:
                return int(value)
            raise _wrong(name, value, f"{least} to {most}")
        for each in self.choices[name]:
            if str(each).lower() == value.lower():
                return each
        raise _wrong(name, value, ", ".join(str(each).lower() for each in self.choices[name]))


def _wrong(name: str, value: str, allowed: str) -> OpsError:
    return usage_error(setting=f"--param {name}", value=value, allowed=allowed, remedy="Give one of these")


def _raw(vectors: int, dim: int) -> float:
    return 4.0 * vectors * dim


def _flat(n: int, d: int, _: Mapping[str, Value]) -> Size:
    return Size(_raw(n, d), how="4 x vectors x dimensions")


def _ivf(divisor: int) -> Callable[[int, int, Mapping[str, Value]], Size]:
    def size(n: int, d: int, given: Mapping[str, Value]) -> Size:
        raw = "raw" if divisor == 1 else f"raw / {divisor}"
        return Size(_raw(n, d) / divisor + int(given["nlist"]) * d * 4, how=f"{raw} + 4 x nlist x dimensions")

    return size


def _rabitq(n: int, d: int, given: Mapping[str, Value]) -> Size:
    bits = _REFINE_BITS[str(given["refine"])]
    memory = _raw(n, d) * (1 / 32 + bits / 32) + int(given["nlist"]) * d * 4
    return Size(memory, how=f"raw x (1 + {bits} of refine) / 32 + 4 x nlist x dimensions")


def _scann(n: int, d: int, given: Mapping[str, Value]) -> Size:
    eighths = 9 if given["with_raw_data"] else 1
    return Size(eighths / 8 * _raw(n, d), how=f"raw x {eighths} / 8")


def _hnsw(n: int, d: int, given: Mapping[str, Value]) -> Size:
    return Size((1 + 2 * int(given["M"]) / d) * _raw(n, d), how="raw x (1 + 2 x M / dimensions)")


def _diskann(n: int, d: int, given: Mapping[str, Value]) -> Size:
    disk = (1 + int(given["max_degree"]) / d) * _raw(n, d)
    return Size(_raw(n, d) / 4, disk, how="raw / 4; on disk raw x (1 + max_degree / dimensions)")


def _aisaq(n: int, d: int, given: Mapping[str, Value]) -> Size:
    disk = _raw(n, d) * (1 + int(given["inline_pq"]) * 0.125 + int(given["max_degree"]) / d)
    how = "16 MiB, experimental; on disk raw x (1 + inline_pq / 8 + max_degree / dimensions)"
    return Size(16 * MIB, disk, how=how)


_NLIST = (1, 128, 65536)
_DEGREE = (1, 56, 512)
INDEXES: dict[str, Index] = {
    index.name: index
    for index in (
        Index("FLAT", _flat),
        Index("IVF_FLAT", _ivf(1), {"nlist": _NLIST}),
        Index("IVF_SQ8", _ivf(4), {"nlist": _NLIST}),
        Index("IVF_RABITQ", _rabitq, {"nlist": _NLIST}, {"refine": tuple(_REFINE_BITS)}, lines=("2.6", "3.0")),
        Index("SCANN", _scann, {}, {"with_raw_data": (True, False)}),
        Index("HNSW", _hnsw, {"M": (2, 30, 2048)}),
        Index("DISKANN", _diskann, {"max_degree": _DEGREE}, segments=False),
        Index("AISAQ", _aisaq, {"max_degree": _DEGREE, "inline_pq": (0, 56, 512)}, lines=("2.6", "3.0")),
    )
}


def find(name: str) -> Index:
    """Return an index type by its name, in any case.

    Raises:
        OpsError: There is none, or no formula for it.
    """
    known = ", ".join(INDEXES)
    if name.upper() in _NO_FORMULA:
        raise OpsError(
            f"--index: got {name}, of which nobody has published what it takes, allowed is {known}",
            remedy="Measure it with a part of the data: real clusters used almost twice what a formula of the kind "
            "gave (milvus#45815)",
            code=ExitCode.USAGE,
        )
    if name.upper() not in INDEXES:
        raise usage_error(setting="--index", value=name, allowed=known, remedy="Name one of these")
    return INDEXES[name.upper()]


def check(index: Index, *, vectors: int, dim: int, line: str) -> None:
    """Raise the error for what an index cannot hold."""
    if not 1 <= dim <= _MOST_DIMENSIONS:
        raise usage_error(
            setting="--dim",
            value=str(dim),
            allowed=f"1 to {_MOST_DIMENSIONS}",
            remedy="Give the dimensions of one vector; Milvus takes no more",
        )
    if index.name == "SCANN" and dim % 2:
        raise usage_error(
            setting="--dim", value=str(dim), allowed="an even number for SCANN", remedy="Take HNSW or IVF_SQ8 for it"
        )
    if index.name == "AISAQ" and vectors > _AISAQ_MOST_VECTORS:
        raise OpsError(
            f"--index: got AISAQ for {vectors:,} vectors, allowed is AISAQ for at most {_AISAQ_MOST_VECTORS:,}: the "
            "published formula gives the same memory for any number of them, which nobody has shown",
            remedy="Take DISKANN or IVF_RABITQ, or measure it with a part of the data",
            code=ExitCode.USAGE,
        )
    if line not in index.lines:
        raise usage_error(
            setting="--index",
            value=f"{index.name} on Milvus {line}",
            allowed=f"{index.name} on {', '.join(index.lines)}",
            remedy=f"Give --line {index.lines[0]} or another index",
        )


@dataclass(frozen=True)
class Load:
    """What loading one copy of a collection takes, bytes."""

    raw: float
    memory: float
    disk: float
    explained: tuple[str, ...]
    """Each step of the sum in words."""

    @property
    def memory_gib(self) -> float:
        """Return the memory in GiB."""
        return self.memory / GIB


def load_of(
    index: Index, parameters: Mapping[str, Value], *, vectors: int, dim: int, scalar_bytes: int, segment_mib: int
) -> Load:
    """Return what one copy takes: the index, two segments beside it, 15 % more, and the scalar fields in full."""
    size = index.size(vectors, dim, parameters)
    scalar = float(vectors * scalar_bytes)
    beside = 2 * segment_mib * MIB if index.segments else 0
    memory = (size.memory + beside) * 1.15 + scalar
    raw = _raw(vectors, dim) + scalar
    given = ", ".join(f"{name} {value}" for name, value in parameters.items())
    steps = [
        f"raw vectors: 4 x {vectors:,} x {dim:,} = {_gib(_raw(vectors, dim))}",
        f"{index.name}{f' ({given})' if given else ''}: {size.how} = {_gib(size.memory)}",
        f"two segments of {segment_mib} MiB beside it: {_gib(beside)}" if beside else "no segments beside it",
        f"15 % more while it loads: {_gib((size.memory + beside) * 1.15)}",
        f"scalar fields in full: {vectors:,} x {scalar_bytes} = {_gib(scalar)}",
        f"load memory of one copy: {_gib(memory)}",
    ]
    if size.disk:
        steps.append(f"local disk of one copy: {_gib(size.disk)}")
    return Load(raw, memory, size.disk, tuple(steps))


def _gib(size: float) -> str:
    return f"{size / GIB:,.2f} GiB"


def up(value: float, step: float) -> float:
    """Return a value rounded up to a multiple of ``step``; sums of tenths are not exact."""
    return math.ceil(value / step - 1e-9) * step
