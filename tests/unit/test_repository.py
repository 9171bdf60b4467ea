"""The repository keeps the promises that no single module can keep."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

import pytest
from pydantic import BaseModel

from _paths import ROOT

LOCK_FILES = (
    *(f"requirements/{name}.txt" for name in ("app", "checks", "ops", "tests", "uv")),
    *("rehearsal/requirements.txt", "rehearsal/requirements-servers.txt"),
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_constructs_folder_is_no_package() -> None:
    intruder = ROOT / "constructs" / "__init__.py"
    assert not intruder.exists(), (
        f"{intruder} shadows the PyPI library 'constructs' that aws-cdk-lib imports (No module named "
        "'constructs._jsii'). Delete it: docs/adr/0002-constructs-source-root.md"
    )


def test_no_test_folder_is_named_constructs() -> None:
    assert not [path for path in (ROOT / "tests").rglob("constructs") if path.is_dir()]


def test_library_constructs_is_the_installed_one() -> None:
    found = importlib.util.find_spec("constructs")
    assert found is not None
    assert found.origin is not None
    assert ROOT / "constructs" not in Path(found.origin).parents


def test_lock_files_hold_no_address_of_a_registry() -> None:
    for name in ("package-lock.json", *LOCK_FILES):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert '"resolved"' not in text, name
        assert not re.search(r"--(extra-)?index-url|--find-links", text), name


def test_every_requirement_is_pinned_and_hashed() -> None:
    for name in LOCK_FILES:
        lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
        pins = [line for line in lines if line and not line.lstrip().startswith("#")]
        assert pins
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_makefile_prints_a_line_for_each_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]+):(?!=)", text, flags=re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]+):.*## ", text, flags=re.MULTILINE))
    assert targets == explained


def test_hooks_and_workflows_call_recipes_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]+):(?!=)", makefile, flags=re.MULTILINE))
    callers = [ROOT / ".pre-commit-config.yaml", ROOT / ".gitlab-ci.yml", *(ROOT / ".github" / "workflows").glob("*")]
    for path in callers:
        called = set(re.findall(r"(?:entry:|run:|-) make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert called, path
        assert called <= targets, path


def test_whoever_silences_a_check_says_why() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix == ".py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*$|# type: ignore\[[a-z, -]+\]$", line)
        or re.search(r"# (noqa|type: ignore)$", line)
    ]
    assert silent == []


def _anchors(page: Path) -> set[str]:
    """Return what GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_markdown_links_lead_somewhere() -> None:
    broken = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target, heading in re.findall(r"\]\(([^)#\s]*)#?([^)]*)\)", prose):
            if "://" in target:
                continue
            found = page.parent / target if target else page
            if not found.exists() or (heading and heading not in _anchors(found)):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{heading}")
    assert broken == []


def test_pages_name_files_that_exist() -> None:
    folders = "|".join(sorted({path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}))
    missing = [
        f"{page.relative_to(ROOT)}: {named}"
        for page in tracked()
        if page.suffix == ".md" and page.name != "CHANGELOG.md"
        for named in re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text(encoding="utf-8"))
        # What a user makes (a copy of a settings file, its manifests), and what must never be made.
        if not re.search(r"mine|NAME|/x\.yaml|constructs/__init__", named) and not (ROOT / named).exists()
    ]
    assert missing == []


def decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "adr").glob("0*.md"))


@pytest.mark.parametrize("page", decisions(), ids=lambda page: page.stem)
def test_decision_has_its_number_and_the_four_sections(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith(f"# {int(page.stem[:4])}. ")
    assert [line for line in lines if line.startswith("## ")] == [
        "## Status",
        "## Context",
        "## Decision",
        "## Consequences",
    ]


def test_index_of_decisions_lists_each_with_its_title() -> None:
    titles = [page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for page in decisions()]
    expected = [
        f"| {number} | [{title}]({page.name}) |"
        for page, (number, title) in zip(decisions(), (each.split(". ", 1) for each in titles), strict=True)
    ]

    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in index if line.startswith("| ") and "](" in line] == expected


def test_readme_puts_the_tools_on_the_path_before_it_calls_them() -> None:
    # `make setup` installs python's packages and cdk beside the project: without this line neither is found.
    steps = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Deploy\n")[2]
    export = steps.index('export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"')
    assert export < min(steps.index("cdk bootstrap"), steps.index("python -m ops"))


def test_every_place_that_names_the_licence_names_the_one_in_the_file() -> None:
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    named = [
        project["license"],
        json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["license"],
        lock["packages"][""]["license"],
    ]
    assert named == ["Apache-2.0"] * 3
    assert project["license-files"] == ["LICENSE"]


GUIDE = "https://milvus.io/blog/how-to-deploy-open-source-milvus-vector-database-on-amazon-eks.md"


@pytest.mark.parametrize("page", ["README.md", "tests/fixtures/environments/guide.yaml"])
def test_the_guide_that_is_implemented_is_linked(page: str) -> None:
    assert GUIDE in (ROOT / page).read_text(encoding="utf-8")


def test_printed_deployments_are_the_recipe_of_the_makefile() -> None:
    # A deployment of several stacks at a time cannot ask for approval: without this option it stops before the first.
    recipe = "cdk deploy --all -c env=mine --concurrency 4 --require-approval never"
    for page in ("README.md", "docs/upgrade.md"):
        assert recipe in (ROOT / page).read_text(encoding="utf-8"), page
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "-o", ".venv/.ready", "-o", "node_modules/.ready", "deploy", "ENV=mine"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.split()) == sorted(recipe.split())


def test_every_recipe_is_run_by_a_shell() -> None:
    # Apple's make 3.81 runs a simple recipe itself, past the Makefile's PATH, unless the shell is not its default one.
    database = subprocess.run(["make", "-pn", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^SHELL := (.*)$", database, flags=re.MULTILINE) == ["/bin/bash"]


def test_application_does_not_know_the_bench_that_rehearses_it() -> None:
    # import-linter holds that nobody imports it; a name in a text would be the same knowledge.
    rooms = ("app.py", "charts", "constructs", "ops", "settings", "stacks")
    names = re.compile(r"make rehearse|import rehearsal|rehearsal/|no-api-server|embedded account|ministack")
    files = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms]
    assert files
    assert [str(path.relative_to(ROOT)) for path in files if names.search(path.read_text(encoding="utf-8"))] == []


def test_changelogs_newest_release_is_the_version_of_the_project() -> None:
    released = re.findall(
        r"^## (\d\S*) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert released[0] == project["version"]


def test_changelogs_first_release_says_what_there_is_and_not_what_changed() -> None:
    # GIVEN a release before which nothing was deployed THEN it changes, mends and takes away nothing
    first = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)[-1]
    headings = re.findall(r"^### (.+)$", first, flags=re.MULTILINE)
    assert headings
    assert not {"Changed", "Deprecated", "Removed", "Fixed"} & set(headings)


def test_changelogs_lists_are_whole() -> None:
    # A merge leaves a section twice, a heading without a line before it, or a list in two.
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert sorted(headings) == sorted(set(headings)), release.partition("\n")[0]
    assert re.findall(r"[^\n]\n(#.*)", text) == []
    assert re.findall(r"^(?:- |  ).*\n\n(- .*)", text, flags=re.MULTILINE) == []


def test_models_are_frozen_and_say_what_they_do_with_unknown_keys() -> None:
    models = [each for module in modules() for each in vars(module).values() if _is_model_of(module, each)]
    assert len(models) > 20
    for model in models:
        assert model.model_config.get("frozen") is True, model
        assert model.model_config.get("extra") in {"forbid", "ignore"}, model


def modules() -> list[ModuleType]:
    return [
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for room in ("settings", "ops")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.name != "__main__.py"
    ]


def _is_model_of(module: ModuleType, each: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(each, type) and issubclass(each, BaseModel) and each.__module__ == module.__name__
