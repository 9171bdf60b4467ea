"""Faults are put into a copy, meet the tests that run their line, and count only where a test names them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from tools.mutants import Mutant, Rules, _begin_of_statement, judged, lines_of, met_by

RULES = Rules(texts=(), deselected=("test_it.py::test_snapshot",), excluded=())
FAULT = Mutant(
    file="product.py",
    line=2,
    statement=2,
    operator="number",
    before="return 1",
    after="return 2",
    text="def one() -> int:\n    return 2\n",
)
TESTS = """
import time
from product import one

def test_snapshot():
    assert one() == 1

def test_sum():
    assert one() + one() == TWO

def test_patience():
    time.sleep(SECONDS)
"""


def tree(folder: Path, *, two: str = "2", seconds: str = "0") -> Path:
    (folder / "product.py").write_text("def one() -> int:\n    return 1\n")
    (folder / "test_it.py").write_text(TESTS.replace("TWO", two).replace("SECONDS", seconds))
    return folder


def test_fault_is_caught_by_the_test_that_names_it_and_taken_out_again(tmp_path: Path) -> None:
    verdict = judged(FAULT, ["test_it.py"], tree(tmp_path), RULES, 60)
    assert (verdict.by, verdict.why_not) == ("test_it.py::test_sum", "")
    assert (tmp_path / "product.py").read_text() == "def one() -> int:\n    return 1\n"


def test_fault_that_only_a_snapshot_sees_is_missed(tmp_path: Path) -> None:
    verdict = judged(FAULT, ["test_it.py"], tree(tmp_path, two="one() + one()"), RULES, 60)
    assert (verdict.by, verdict.why_not) == ("", "none of 1 files of tests")


def test_fault_that_no_test_names_in_time_is_missed(tmp_path: Path) -> None:
    verdict = judged(FAULT, ["test_it.py"], tree(tmp_path, two="one() + one()", seconds="60"), RULES, 3)
    assert (verdict.by, verdict.why_not) == ("", "none in 3 s, of 1 files of tests")


def test_fault_in_a_line_that_no_test_runs_is_missed(tmp_path: Path) -> None:
    assert judged(FAULT, [], tree(tmp_path), RULES, 60).why_not == "no test runs the line"


def test_fault_that_breaks_the_import_is_caught(tmp_path: Path) -> None:
    broken = dataclasses.replace(FAULT, text="def two() -> int:\n    return 2\n")
    assert judged(broken, ["test_it.py"], tree(tmp_path), RULES, 60).by == "test_it.py"


def test_lines_that_a_test_runs_are_those_of_its_processes_too_but_of_no_copy(tmp_path: Path) -> None:
    # GIVEN a checkout whose own settings of coverage are others
    copy = tmp_path / "tree"
    (copy / "ops").mkdir(parents=True)
    (copy / "pyproject.toml").write_text('[tool.coverage.run]\nsource = ["elsewhere"]\nparallel = true\n')
    (copy / "app.py").write_text("def one() -> int:\n    return 1\n")
    (copy / "ops" / "there.py").write_text("print(\n    1\n)\nif False:\n    print(2)\n")
    (copy / "test_it.py").write_text(
        "import subprocess, sys\nfrom app import one\n"
        "def test_it(tmp_path):\n    assert one() == 1\n"
        "    subprocess.run([sys.executable, 'ops/there.py'], check=True)\n"
        "    (tmp_path / 'ops').mkdir()\n    (tmp_path / 'ops' / 'copy.py').write_text('1')\n"
        "    subprocess.run([sys.executable, 'ops/copy.py'], cwd=tmp_path, check=True)\n"
    )
    # THEN
    assert lines_of("test_it.py", copy, RULES)["lines"] == {"app.py": [1, 2], "ops/there.py": [1, 2, 4]}


def test_tests_that_fail_without_a_fault_are_named(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    copy = tree(tmp_path / "tree", two="3")
    with pytest.raises(SystemExit, match=r"test_it\.py fails without any fault; mend it first:"):
        lines_of("test_it.py", copy, RULES)


def test_tests_of_the_line_come_by_their_names_then_the_quickest_first() -> None:
    known = {
        "tests/unit/test_product_page.py": {"seconds": 20.0, "lines": {"product.py": [2]}},
        "slow.py": {"seconds": 9.0, "lines": {"product.py": [1, 2]}},
        "quick.py": {"seconds": 1.0, "lines": {"product.py": [2]}},
        "other.py": {"seconds": 0.1, "lines": {"product.py": [1]}},
        "none.py": {"seconds": 0.1, "lines": {}},
    }
    assert met_by(FAULT, known) == ["tests/unit/test_product_page.py", "quick.py", "slow.py"]


def test_fault_in_a_long_statement_meets_the_tests_that_run_its_begin() -> None:
    known = {"test_table.py": {"seconds": 1.0, "lines": {"product.py": [7]}}}
    assert met_by(dataclasses.replace(FAULT, line=9, statement=7), known) == ["test_table.py"]
    assert _begin_of_statement("if True:\n    TABLE = (\n        1,\n        2,\n    )\n", 4) == 2
    assert _begin_of_statement("if (\n    True\n):\n    pass\n", 2) == 1


def test_fault_that_is_none_has_its_reason() -> None:
    rules = dataclasses.replace(RULES, excluded=(("prod*.py", re.compile("return 2"), "two is as good"),))
    assert rules.reason(FAULT) == "two is as good"
    assert rules.reason(dataclasses.replace(FAULT, file="other.py")) is None
    assert RULES.reason(FAULT) is None


def test_whatever_is_left_out_says_why(tmp_path: Path) -> None:
    assert Rules.read().deselected
    data = tmp_path / "mutants.toml"
    data.write_text('[texts]\nkeywords = []\nreason = "x"\n[[deselected]]\ntests = "a"\nreason = " "\n[[excluded]]\n')
    with pytest.raises(SystemExit, match=r"mutants\.toml: no reason given for .*'tests': 'a'.*; say why"):
        Rules.read(data)
