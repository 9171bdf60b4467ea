"""Copies of the source tree in which a build's commands can be run, with the tools of this environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from _paths import ROOT
from settings import loader

_NOT_SOURCE = (".git", ".venv", "node_modules", "cdk.out", "dist", ".rehearsal", ".cache", ".mypy_cache", ".ruff_cache")


def tools_are_ready() -> bool:
    """Tell whether `make setup` has nothing to do; otherwise the steps, which run it, cannot be tested here."""
    return subprocess.run(["make", "--question", "setup"], cwd=ROOT, capture_output=True, check=False).returncode == 0


needs_tools = pytest.mark.skipif(
    not tools_are_ready(),
    reason="NOT TESTED, what builds and the pipeline run: .venv and node_modules are not those of the lock files; run "
    "`make setup`",
)


def refer_to_tools(tree: Path, *tools: str) -> None:
    """Give a copy of sources the tools of this environment, so that `make setup` there has nothing to do.

    Whatever it installed would be installed here: `npm ci` even empties the folder that a link leads to. So the lock
    files of the copy are older than any tool, whenever they were copied.
    """
    for name in tools:
        (tree / name).symlink_to(ROOT / name)
    for lock in (*lock_files(tree), *tree.glob("package-lock.json")):
        os.utime(lock, (0, 0))


def copy_of_source(folder: Path) -> Path:
    """Return a copy of the source tree, as a pipeline gets it, with what `make setup` installs and the frozen files."""
    shutil.copytree(ROOT, folder, ignore=lambda _folder, names: [each for each in names if each in _NOT_SOURCE])
    refer_to_tools(folder, ".venv", "node_modules")
    freeze_environments(folder)
    return folder


def freeze_environments(tree: Path) -> None:
    """Give a copy of sources the frozen settings files: what is asked of it does not hold for files of a user."""
    for path in (tree / "environments").glob("*.yaml"):
        path.unlink()
    shutil.copytree(loader.ENVIRONMENTS, tree / "environments", dirs_exist_ok=True)


def lock_files(tree: Path) -> list[Path]:
    """Return the lock files of Python packages in a copy of sources, as far as it has them."""
    patterns = ("requirements*.txt", "requirements/*.txt", "rehearsal/requirements*.txt")
    return [path for pattern in patterns for path in tree.glob(pattern)]
