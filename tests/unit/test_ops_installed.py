"""`pip install .` gives the day-2 command line, and nothing of the app, which deploys from its checkout."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from _paths import ROOT
from settings import loader
from tests.unit.cost_assemblies import RESOURCES, write_assembly

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "MILVUS_ENVIRONMENTS"}
    return subprocess.run(
        command,
        cwd=environment.pop("cwd", None),
        env={**inherited, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, so that nothing is left beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    # Everything that a checkout has on its first level: setuptools would stumble over folders that it does not know.
    for path in ROOT.iterdir():
        if path.name in {"settings", "ops", "charts", "stacks", "constructs", "tools", "environments"}:
            shutil.copytree(path, sources / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "app.py", "_paths.py"):
        shutil.copy(ROOT / name, sources)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    built = run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, sources)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder in which the wheel is installed; what it depends on is there."""
    site = wheel.parent / "site"
    done = run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", site, wheel)
    assert done.returncode == 0, done.stderr
    return site


def milvus_ops(installed: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command outside the checkout, with an AWS that does not answer."""
    aws = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = (sys.executable, installed / "bin" / "milvus-ops", *arguments)
    return run(*command, PYTHONPATH=str(installed), cwd=str(installed.parent), **aws)


def test_wheel_holds_the_commands_and_the_settings_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"ops", "settings"}
    assert {"ops/gate/verdict.py", "settings/rules/cluster.py", "ops/py.typed", "settings/py.typed"} <= set(names)
    assert {"ops/cost/prices.json", "ops/cost/assumptions.yaml"} <= set(names)


def test_installed_command_runs_outside_the_checkout(installed: Path) -> None:
    done = milvus_ops(installed, "--help")

    assert done.returncode == 0, done.stderr
    assert "Usage: milvus-ops [OPTIONS] COMMAND" in done.stdout


def test_installed_command_prices_an_assembly_and_says_that_it_has_no_app(installed: Path, tmp_path: Path) -> None:
    # GIVEN a cloud assembly, and no checkout
    folder = write_assembly(tmp_path / "assembly", RESOURCES)

    # WHEN the installed command is asked
    priced = milvus_ops(installed, "cost", "--assembly", folder)
    refused = milvus_ops(installed, "cost", "--env", "dev")

    # THEN its own prices are there, and an environment needs the app
    assert priced.returncode == 0, priced.stderr
    assert priced.stdout.startswith("mine in us-east-2: 1,031.47 USD a month")
    assert refused.returncode == 2
    assert "--env: got 'dev', where there is no checkout of the app to synthesize" in refused.stderr


def test_version_is_that_of_the_project(installed: Path) -> None:
    assert milvus_ops(installed, "--version").stdout == f"milvus-ops {PROJECT['version']}\n"
    # AND the same in the checkout, where nothing is installed
    assert run(sys.executable, "-m", "ops", "--version", cwd=str(ROOT)).stdout == f"milvus-ops {PROJECT['version']}\n"


def test_installed_command_takes_an_environment_by_its_file(installed: Path) -> None:
    file = installed.parent / "mine.yaml"
    shutil.copy(loader.ENVIRONMENTS / "dev.yaml", file)

    done = milvus_ops(installed, "status", "--env-file", file)

    # THEN it has read the file, and asks AWS for the first stack of it
    assert done.returncode == 1
    assert "error cannot read the stack milvus-dev-network" in done.stderr


def test_installed_command_looks_for_names_where_it_is_called(installed: Path) -> None:
    done = milvus_ops(installed, "status", "--env", "dev")

    assert done.returncode == 2
    assert f"no environment dev; {installed.parent / 'environments'} holds no settings file" in done.stderr


def test_dependencies_are_ranges_of_what_operates() -> None:
    # GIVEN the locked versions, with which everything is tested
    given = [Requirement(text) for text in PROJECT["dependencies"]]
    lines = (ROOT / "requirements" / "ops.txt").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0] for line in lines if "==" in line}
    # THEN the ranges allow these versions, and `make lock` made the lock of them
    assert {requirement.name for requirement in given} <= locked
    for requirement in given:
        assert requirement.specifier
        assert requirement.specifier.contains(importlib.metadata.version(requirement.name)), requirement
