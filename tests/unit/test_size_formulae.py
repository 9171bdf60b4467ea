"""Memory, disk and the tool's own shapes beside figures that the tool's own code gave."""

from __future__ import annotations

import json
from typing import Any

import pytest

from _paths import ROOT
from ops.size import indexes, tool

HELD = json.loads((ROOT / "tests/fixtures/sizing_cases.json").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in HELD["cases"]}
NAMES = {
    "queryNode": "query_node",
    "proxy": "proxy",
    "mixCoord": "mix_coordinator",
    "dataNode": "data_node",
    "indexNode": "index_node",
    "streamNode": "streaming_node",
}


def _load(given: dict[str, Any]) -> indexes.Load:
    index = indexes.find(given["index"])
    all_parameters = {
        "nlist": given["nlist"],
        "M": given["m"],
        "max_degree": given["degree"],
        "inline_pq": given["inlinePq"],
        "refine": given["refine"],
        "with_raw_data": given["raw"],
    }
    known = {*index.integers, *index.choices}
    return indexes.load_of(
        index,
        index.parameters({name: str(value) for name, value in all_parameters.items() if name in known}),
        vectors=given["million"] * 1_000_000,
        dim=given["dim"],
        scalar_bytes=given["scalar"],
        segment_mib=given["seg"],
    )


def _shape(given: dict[str, Any]) -> tool.Shape:
    return tool.Shape(given["cpu"], given["memory"], given["count"], given.get("pvc", 0))


def test_every_held_case_is_of_the_tool_s_own_code() -> None:
    assert HELD["source"]["commit"] == "f57ab625a0e95d52ac516f4b2e03c5ee1a9d6db3"
    assert (len(HELD["cases"]), len(HELD["cluster_table_boundaries"])) == (35, 15)


@pytest.mark.parametrize("name", CASES)
def test_memory_and_disk_are_the_tool_s_to_the_byte(name: str) -> None:
    load, expected = _load(CASES[name]["input"]), CASES[name]["output"]
    assert [round(load.raw), round(load.memory), round(load.disk)] == [
        round(expected[each]) for each in ("raw_bytes", "load_memory_bytes", "local_disk_bytes")
    ]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "cluster" in case["output"]])
def test_shapes_are_the_tool_s(name: str) -> None:
    case = CASES[name]
    load = _load(case["input"])
    found = tool.shapes(load.memory_gib, load.raw, line=case["line"])
    expected = {NAMES[each]: _shape(shape) for each, shape in case["output"]["cluster"].items()}
    expected["etcd"] = _shape(case["output"]["etcd"])
    if "kafka" in case["output"]:
        expected["kafka"] = _shape(case["output"]["kafka"])
    assert {each: found[each] for each in expected} == expected


@pytest.mark.parametrize("edge", HELD["cluster_table_boundaries"], ids=lambda edge: str(edge["gib"]))
@pytest.mark.parametrize("line", ["2.5", "2.6"])
def test_shapes_change_where_the_tool_s_do(edge: dict[str, Any], line: str) -> None:
    found = tool.shapes(edge["gib"], 0, line=line)
    expected = edge[f"v{line.replace('.', '')}"]
    assert {name: found[NAMES[name]] for name in expected} == {name: _shape(each) for name, each in expected.items()}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("FLAT", {}, "FLAT: 4 x vectors x dimensions = 3.81 GiB"),
        ("IVF_FLAT", {"nlist": "1024"}, "IVF_FLAT (nlist 1024): raw + 4 x nlist x dimensions = 3.82 GiB"),
        ("IVF_SQ8", {}, "IVF_SQ8 (nlist 128): raw / 4 + 4 x nlist x dimensions = 0.95 GiB"),
        (
            "IVF_RABITQ",
            {"refine": "sq8"},
            "IVF_RABITQ (nlist 128, refine SQ8): raw x (1 + 8 of refine) / 32 + 4 x nlist x dimensions = 1.07 GiB",
        ),
        ("SCANN", {}, "SCANN (with_raw_data True): raw x 9 / 8 = 4.29 GiB"),
        ("SCANN", {"with_raw_data": "false"}, "SCANN (with_raw_data False): raw x 1 / 8 = 0.48 GiB"),
        ("HNSW", {"M": "64"}, "HNSW (M 64): raw x (1 + 2 x M / dimensions) = 4.29 GiB"),
        (
            "DISKANN",
            {},
            "DISKANN (max_degree 56): raw / 4; on disk raw x (1 + max_degree / dimensions) = 0.95 GiB",
        ),
        (
            "AISAQ",
            {"inline_pq": "8"},
            "AISAQ (max_degree 56, inline_pq 8): 16 MiB, experimental; on disk "
            "raw x (1 + inline_pq / 8 + max_degree / dimensions) = 0.02 GiB",
        ),
    ],
)
def test_formula_of_each_index_is_said_in_words_with_its_parameters(
    name: str, given: dict[str, str], said: str
) -> None:
    # GIVEN a million vectors of 1024 dimensions, 3.81 GiB raw
    index = indexes.find(name)
    load = indexes.load_of(
        index, index.parameters(given), vectors=1_000_000, dim=1024, scalar_bytes=0, segment_mib=1024
    )
    assert load.explained[1] == said


def test_steps_of_an_index_on_disk_leave_out_segments_and_end_with_the_disk() -> None:
    index = indexes.find("diskann")
    load = indexes.load_of(index, index.parameters({}), vectors=1_000_000, dim=1024, scalar_bytes=2000, segment_mib=512)
    assert load.explained == (
        "raw vectors: 4 x 1,000,000 x 1,024 = 3.81 GiB",
        "DISKANN (max_degree 56): raw / 4; on disk raw x (1 + max_degree / dimensions) = 0.95 GiB",
        "no segments beside it",
        "15 % more while it loads: 1.10 GiB",
        "scalar fields in full: 1,000,000 x 2000 = 1.86 GiB",
        "load memory of one copy: 2.96 GiB",
        "local disk of one copy: 4.02 GiB",
    )
