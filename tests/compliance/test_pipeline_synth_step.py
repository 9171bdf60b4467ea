"""The first step of the pipeline, word for word, on a copy of the source tree: what it refuses goes no further."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from _paths import ROOT
from tests.pipelines import action_named, build_spec, commands, pipeline_assembly, pipeline_template, project_of
from tests.source_copies import copy_of_source, lock_files, needs_tools, refer_to_tools

# The step runs the test suite, and this test is part of it: the copy has a few tests only, or it would never end.
_FEW_TESTS = (
    "conftest.py",
    "assemblies.py",
    "pipelines.py",
    "unit/test_pipeline_settings.py",
    "compliance/test_environments.py",
)


def variables() -> dict[str, str]:
    """Return the variables of the step's project."""
    project = project_of(pipeline_template("shipped"), action_named(pipeline_template("shipped"), "Synth"))
    return {each["Name"]: each["Value"] for each in project["Properties"]["Environment"]["EnvironmentVariables"]}


def cache_a_package(tree: Path) -> None:
    """Put a package with Python of somebody else where the buildspec lets uv keep it."""
    package = tree / variables()["UV_CACHE_DIR"] / "archive-v0" / "somebody" / "package.py"
    package.parent.mkdir(parents=True)
    package.write_text("import os,sys\nx = eval( 'os' )\n", encoding="utf-8")


def run(lines: list[str], tree: Path) -> subprocess.CompletedProcess[str]:
    path = [str(ROOT / ".venv/bin"), str(ROOT / "node_modules/.bin"), os.environ["PATH"]]
    # The workers of the suite that this test runs in, and its files, are none of the copy's business.
    others = ("PYTEST_", "MAKE", "MILVUS_ENVIRONMENTS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return subprocess.run(
        ["sh", "-aec", "\n".join(lines)],
        cwd=tree,
        env=kept | variables() | {"PATH": ":".join(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.whole
def test_published_metrics_port_fails_the_tests_of_the_step(tmp_path: Path) -> None:
    # GIVEN a change that publishes 9091 on the load balancer
    tree = copy_of_source(tmp_path / "source")
    path = tree / "charts/exposure.py"
    text = path.read_text(encoding="utf-8")
    metrics = 'k8s.ServicePort(name="metrics", port=9091, target_port=k8s.IntOrString.from_number(9091))'
    published = text.replace("ports=[port],", f"ports=[port, {metrics}],")
    assert published != text
    path.write_text(published, encoding="utf-8")
    # WHEN the rule of the suite that `make test` runs is asked
    rule = "tests/compliance/test_environments.py::test_load_balancer_carries_19530_and_nothing_else[existing-vpc]"
    done = run([f"pytest -q -p no:cacheprovider '{rule}'"], tree)
    # THEN it fails
    assert done.returncode == 1, done.stdout
    assert "9091" in done.stdout


@pytest.mark.skipif(shutil.which("ruff") is None, reason="needs ruff, which requirements/checks.txt pins: make setup")
def test_checks_of_the_step_pass_over_the_packages_that_the_build_caches(tmp_path: Path) -> None:
    # GIVEN sources as a pipeline gets them, without git, and a package where the buildspec lets uv keep it
    tree = copy_of_source(tmp_path / "source")
    cache_a_package(tree)
    # WHEN what `make check` does first is done
    done = run(["ruff format --check --quiet . && ruff check --quiet ."], tree)
    # THEN
    assert done.returncode == 0, done.stdout


@needs_tools
def test_setup_of_a_copy_installs_nothing_into_the_environment_of_this_test(tmp_path: Path) -> None:
    # GIVEN a copy whose lock files are newer than the tools, as in the source that CodeBuild unpacks
    tree = tmp_path / "program"
    tree.mkdir()
    for path in (ROOT / "Makefile", ROOT / "package-lock.json", *lock_files(ROOT)):
        copy = tree / path.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    # WHEN it refers to the tools of this environment
    refer_to_tools(tree, ".venv", "node_modules")
    # THEN make finds nothing to do
    assert run([f"make --question {name}" for name in ("setup", "setup-ops", "setup-cdk")], tree).returncode == 0


@pytest.mark.real
@pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="lints, tests and synthesizes: make test-full")
@needs_tools
def test_commands_of_the_step_check_test_and_synthesize(tmp_path: Path) -> None:
    template = pipeline_template("shipped")
    lines = commands(build_spec(project_of(template, action_named(template, "Synth")), pipeline_assembly("shipped")))
    tree = copy_of_source(tmp_path / "source")
    cache_a_package(tree)
    for path in sorted((tree / "tests").rglob("*.py")):
        if str(path.relative_to(tree / "tests")) not in _FEW_TESTS:
            path.unlink()
    done = run(lines, tree)
    assert done.returncode == 0, done.stdout
    assert "check: ok" in done.stdout
    # THEN what the next steps read is there
    assert (tree / "cdk.out/milvus-delivery.template.json").is_file()
    assert (tree / "cdk.out/assembly-milvus-delivery-milvus-dev/manifest.json").is_file()
