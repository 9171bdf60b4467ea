"""Changes the product by one fault at a time, and names the faults that no test notices.

    python -m tools.mutants --sample 60 --seed 1

The faults are those of mutmut's operators (https://mutmut.readthedocs.io): another number, string, name, comparison or
boolean, an argument that is missing or None, a condition turned round, a branch or a `case` that is gone. Each is made
in a copy of the checkout, and meets the tests that run the changed line, for a minute at most.
Snapshots and generated records take no part: a fault that is accepted again with them is caught by nobody.
tools/mutants.toml says which tests do not count, and which faults are none.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import fnmatch
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).parents[1]
PRODUCT = ("app.py", "settings", "constructs", "charts", "stacks", "ops")
TESTS = ("tests/unit", "tests/compliance")
MAP = ROOT / ".cache" / "mutants-coverage.json"
DATA = Path(__file__).with_suffix(".toml")

Lines = dict[str, list[int]]
"""Lines that ran, by file."""
Fault = tuple[Any, Any, Any, str]
"""A module of libcst, one of its nodes, what stands there instead, and the operator that says so."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault."""

    file: str
    line: int
    statement: int
    """The line on which its statement begins: what Python folds into one constant has no other."""
    operator: str
    before: str
    after: str
    text: str
    """The file with the fault in it."""

    def __str__(self) -> str:
        """Return where it is, and what it does."""
        return f"{self.file}:{self.line} [{self.operator}]\n      - {self.before}\n      + {self.after}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a fault."""

    mutant: Mutant
    by: str
    """The test that failed first; empty if none did."""
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What tools/mutants.toml says."""

    texts: tuple[str, ...]
    """Keywords whose arguments are sentences."""
    deselected: tuple[str, ...]
    excluded: tuple[tuple[str, re.Pattern[str], str], ...]

    @classmethod
    def read(cls, path: Path = DATA) -> Rules:
        """Read them; each needs a reason."""
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [data["texts"], *data["deselected"], *data["excluded"]]
        if bare := [entry for entry in entries if not entry.get("reason", "").strip()]:
            raise SystemExit(f"{path.name}: no reason given for {bare[0]}; say why")
        return cls(
            texts=tuple(data["texts"]["keywords"]),
            deselected=tuple(entry["tests"] for entry in data["deselected"]),
            excluded=tuple((entry["file"], re.compile(entry["change"]), entry["reason"]) for entry in data["excluded"]),
        )

    def reason(self, mutant: Mutant) -> str | None:
        """Return why a fault is none; None if it is one."""
        change = f"{mutant.before}\n{mutant.after}"
        for files, pattern, reason in self.excluded:
            if fnmatch.fnmatch(mutant.file, files) and pattern.search(change):
                return reason
        return None


def sources(root: Path = ROOT) -> list[Path]:
    """Return the files of the product."""
    found = [
        path for name in PRODUCT for path in ([root / name] if name.endswith(".py") else (root / name).rglob("*.py"))
    ]
    return sorted(path for path in found if path.stat().st_size)


def faults_of(path: Path, rules: Rules) -> list[Fault]:
    """Return what mutmut's operators make of a file."""
    import libcst  # noqa: PLC0415 - installed by `make mutants` alone
    from mutmut.mutation.mutators import mutation_operators  # noqa: PLC0415 - installed by `make mutants` alone

    # Types, decorators and imports are what mypy and the import itself judge.
    passed_over = (libcst.Annotation, libcst.Decorator, libcst.Import, libcst.ImportFrom)
    module = libcst.parse_module(path.read_text(encoding="utf-8"))
    found: list[Fault] = []
    waiting: list[Any] = [module]
    while waiting:
        node = waiting.pop()
        text = isinstance(node, libcst.Arg) and node.keyword and node.keyword.value in rules.texts
        if text or isinstance(node, passed_over):
            continue
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                name = operator.__name__.removeprefix("operator_")
                found += [(module, node, each, name) for each in operator(node)]
        waiting += reversed(node.children)
    return found


def written(file: str, code: str, fault: Fault) -> Mutant | None:
    """Return a fault as text; None where it changes nothing."""
    module, node, replacement, operator = fault
    text = module.deep_replace(node, replacement).code
    old, new = code.splitlines(), text.splitlines()
    blocks = [
        block for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    if not blocks:
        return None
    _, first, last, start, end = blocks[0]
    return Mutant(
        file=file,
        line=first + 1,
        statement=_begin_of_statement(code, first + 1),
        operator=operator,
        before=" ".join(line.strip() for line in old[first:last]),
        after=" ".join(line.strip() for line in new[start:end]),
        text=text,
    )


def _begin_of_statement(code: str, line: int) -> int:
    around = (
        node.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    )
    return max(around, default=line)


def sample(number: int, seed: int, rules: Rules, only: str) -> tuple[list[Mutant], int]:
    """Return so many faults, drawn from all that there are, and how many were passed over as none."""
    faults = [(path, fault) for path in sources() for fault in faults_of(path, rules)]
    faults = [(path, fault) for path, fault in faults if fnmatch.fnmatch(str(path.relative_to(ROOT)), only)]
    random.Random(seed).shuffle(faults)  # noqa: S311 - a sample, not a secret
    chosen: list[Mutant] = []
    none = 0
    for path, fault in faults:
        if len(chosen) == number:
            break
        mutant = written(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), fault)
        if mutant is None:
            continue
        if rules.reason(mutant):
            none += 1
        else:
            chosen.append(mutant)
    return chosen, none


# --- which tests run which lines


def lines_by_test(rules: Rules, jobs: int) -> dict[str, dict[str, Any]]:
    """Return, for each file of tests, the lines of the product that it runs, and how long it takes.

    Each runs in a process of its own: what one file of tests leaves in a cache, the next would not run again.
    """
    tests = sorted(str(path.relative_to(ROOT)) for folder in TESTS for path in (ROOT / folder).glob("test_*.py"))
    tests = [test for test in tests if test not in rules.deselected]
    key = _key()
    found: dict[str, dict[str, Any]] = {}
    if MAP.is_file() and (known := json.loads(MAP.read_text(encoding="utf-8")))["key"] == key:
        found = known["tests"]
    missing = [test for test in tests if test not in found]
    if missing:
        print(f"Looking which lines {len(missing)} files of tests run ...", flush=True)
    MAP.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        tree = copy_of_sources(Path(scratch).resolve() / "tree")
        looks = pool.map(lambda test: lines_of(test, tree, rules), missing)
        for test, lines in zip(missing, looks, strict=True):
            found[test] = lines
            # Kept as it comes: all of it takes a quarter of an hour.
            MAP.write_text(json.dumps({"key": key, "tests": found}), encoding="utf-8")
    return found


def lines_of(test: str, tree: Path, rules: Rules) -> dict[str, Any]:
    """Run a file of tests in a copy; return its seconds and the lines of the product that it and its processes ran.

    Raises:
        SystemExit: It fails, though nothing is wrong.
    """
    from coverage import Coverage  # noqa: PLC0415 - installed by `make mutants` alone

    folder = tree.parent / Path(test).stem
    folder.mkdir()
    settings = folder / "coverage.ini"
    ours = ",".join(name if name.endswith(".py") else f"{name}/*" for name in PRODUCT)
    settings.write_text(
        f"[run]\ninclude = {ours}\nparallel = true\npatch = subprocess, _exit\ndata_file = {folder}/data\n"
        "disable_warnings = no-data-collected\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m"]
    started = time.monotonic()
    code, output = _pytest([test], tree, rules, command=command, seconds=1200)
    seconds = time.monotonic() - started
    # 5: all of it is marked for another target.
    if code not in {0, 5}:
        raise SystemExit(f"{test} fails without any fault; mend it first:\n{output[-2000:]}")
    coverage = Coverage(config_file=str(settings))
    coverage.combine()
    data = coverage.get_data()
    # What a test copies elsewhere and runs there is not the line that gets the fault.
    inside = [Path(name) for name in data.measured_files() if Path(name).is_relative_to(tree)]
    files = {str(path.relative_to(tree)): data.lines(str(path)) or [] for path in inside}
    return {"seconds": seconds, "lines": files}


def _key() -> str:
    """Return what changes with any source or test."""
    names = [
        *sources(),
        *sorted((ROOT / "tests").rglob("*.py")),
        *sorted((ROOT / "tests" / "fixtures").rglob("*.yaml")),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()


def met_by(mutant: Mutant, known: dict[str, dict[str, Any]]) -> list[str]:
    """Return the files of tests that run the line; a table is run by whoever imports it.

    First those whose name shares most words with the changed file's, for they are about it; then the quickest.
    """
    ran = {test: set(each["lines"].get(mutant.file, ())) for test, each in known.items()}
    about = _words(mutant.file)
    return sorted(
        (test for test, lines in ran.items() if {mutant.line, mutant.statement} & lines),
        key=lambda test: (-len(about & _words(Path(test).name)), known[test]["seconds"]),
    )


def _words(path: str) -> set[str]:
    return set(re.split(r"\W|_", path.removesuffix(".py")))


# --- one fault after the other


def copy_of_sources(tree: Path) -> Path:
    """Copy what git knows of the checkout, and lend the copy the installed tools: nothing here is ever changed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    for tool in (".venv", "node_modules"):
        if (ROOT / tool).exists():
            (tree / tool).symlink_to(ROOT / tool)
    return tree


def judged(mutant: Mutant, tests: Sequence[str], tree: Path, rules: Rules, seconds: float) -> Verdict:
    """Put a fault into the copy, run the tests, and take it out again."""
    if not tests:
        return Verdict(mutant=mutant, by="", why_not="no test runs the line")
    path = tree / mutant.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        code, output = _pytest(["-x", *tests], tree, rules, seconds=seconds)
    finally:
        path.write_text(sound, encoding="utf-8")
    if code is None:
        return Verdict(mutant=mutant, by="", why_not=f"none in {seconds:.0f} s, of {len(tests)} files of tests")
    if code == 0:
        return Verdict(mutant=mutant, by="", why_not=f"none of {len(tests)} files of tests")
    if named := re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE):
        return Verdict(mutant=mutant, by=named[1])
    raise SystemExit(f"pytest ended with {code} and named no test:\n{output[-2000:]}")


def _pytest(
    arguments: Sequence[str],
    tree: Path,
    rules: Rules,
    *,
    seconds: float,
    command: Sequence[str] = (sys.executable, "-m"),
) -> tuple[int | None, str]:
    """Run pytest in a copy; None instead of its exit code where it took too long."""
    deselected = [f"--deselect={test}" for test in rules.deselected if "::" in test]
    options = ["pytest", "-q", "-rfE", "-p", "no:cacheprovider", *deselected]
    # No bytecode: a fault of the same length, written in the same second, would be taken for what was there before.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    running = subprocess.Popen(
        [*command, *options, *arguments],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return None, ""
    return running.returncode, output


def verdicts(mutants: Sequence[Mutant], rules: Rules, *, jobs: int, seconds: float) -> Iterator[Verdict]:
    """Judge all faults, each job in a copy of its own."""
    known = lines_by_test(rules, jobs)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            trees.put(copy_of_sources(Path(scratch) / str(number)))

        def judge(mutant: Mutant) -> Verdict:
            tree = trees.get()
            try:
                return judged(mutant, met_by(mutant, known), tree, rules, seconds)
            finally:
                trees.put(tree)

        yield from pool.map(judge, mutants)


def main() -> int:
    """Judge a sample and print what nobody noticed; 1 where too few were caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=60, help="faults to make (60)")
    parser.add_argument("--seed", type=int, default=1, help="another number, another sample (1)")
    parser.add_argument("--only", default="*", help="files, such as 'settings/*'")
    parser.add_argument("--seconds", type=float, default=60, help="for the tests of one fault (60)")
    parser.add_argument("--jobs", type=int, default=2, help="faults at the same time (2)")
    parser.add_argument("--least", type=float, default=85, help="percent to be caught, or it ends with 1 (85)")
    chosen = parser.parse_args()
    rules = Rules.read()
    mutants, none = sample(chosen.sample, chosen.seed, rules, chosen.only)
    print(f"{len(mutants)} faults with seed {chosen.seed}; {none} passed over, see {DATA.name}", flush=True)
    judgements = []
    for verdict in verdicts(mutants, rules, jobs=chosen.jobs, seconds=chosen.seconds):
        judgements.append(verdict)
        print(
            f"{'caught' if verdict.by else 'MISSED'}  {verdict.mutant}\n      {verdict.by or verdict.why_not}",
            flush=True,
        )
    caught = sum(bool(verdict.by) for verdict in judgements)
    percent = 100 * caught / len(judgements)
    print(f"{caught} of {len(judgements)} caught by named tests: {percent:.0f} %")
    return 0 if percent >= chosen.least else 1


if __name__ == "__main__":
    sys.exit(main())
