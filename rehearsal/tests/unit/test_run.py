"""The folder of a run: what stays when it is over, and for how long."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from rehearsal import driver
from rehearsal.driver import Rehearsal
from rehearsal.failure import RehearsalError
from rehearsal.full import cli as full
from rehearsal.full.steps import Steps
from rehearsal.run import KEPT_RUNS, Run


def _old(root: Path, number: int) -> list[Path]:
    folders = [root / f"20260101-00000{index}" for index in range(number)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "cdk.log").touch()
    return folders


def test_the_last_runs_are_kept_and_older_ones_removed(tmp_path: Path) -> None:
    # GIVEN more folders of runs than are kept, and one of another name
    folders = _old(tmp_path, KEPT_RUNS + 1)
    (tmp_path / "mine").mkdir()
    # WHEN a run begins
    with Run(root=tmp_path) as run:
        # THEN the newest ones stay, this one among them
        assert [folder for folder in folders if folder.exists()] == folders[2:]
        assert (tmp_path / "latest").resolve() == run.folder
        assert (tmp_path / "mine").exists()


def test_a_run_that_is_not_over_is_never_removed(tmp_path: Path) -> None:
    # GIVEN the oldest run, which still runs
    with Run(root=tmp_path, name="20250101-000000") as running:
        folders = _old(tmp_path, KEPT_RUNS)
        # WHEN another one begins, THEN it is left alone
        with Run(root=tmp_path):
            assert running.folder.exists()
            assert not folders[0].exists()
    # AND once it is over, it goes
    with Run(root=tmp_path):
        assert not running.folder.exists()


def _synthesized(run: Run) -> list[Path]:
    """The assemblies of a run: its own, and that of an upgrade."""
    folders = [run.folder / "cdk.out", run.folder / "upgrade" / "cdk.out"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
    return folders


@pytest.mark.parametrize(("keep", "fails", "stays"), [(False, False, False), (True, False, True), (False, True, True)])
def test_the_assembly_stays_for_who_may_need_it(
    keep: bool, fails: bool, stays: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a rehearsal whose steps do nothing but to leave assemblies behind
    run = Run(root=tmp_path)
    assemblies: list[Path] = []

    def deploy(*_: object) -> None:
        assemblies.extend(_synthesized(run))
        if fails:
            raise RehearsalError("made-up")

    class Account:
        def __init__(self, options: Any) -> None:
            self.options = options

        def __enter__(self) -> Account:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def user(self, *_: object) -> dict[str, str]:
            return {}

    monkeypatch.setattr(driver, "Run", lambda: run)
    monkeypatch.setattr(driver, "EmbeddedAccount", Account)
    steps: dict[str, Any] = {"_deploy": deploy, "_wait": lambda *_: None, "_destroy": lambda *_: []}
    steps["_shown"] = lambda *_: driver.Shown(smoke={}, status={}, endpoints={})
    for name, step in steps.items():
        monkeypatch.setattr(Rehearsal, name, step)
    # WHEN it runs
    rehearsal = Rehearsal(env="dev", console=Console(quiet=True), keep=keep)
    if fails:
        with pytest.raises(RehearsalError, match="made-up"):
            rehearsal.run()
    else:
        rehearsal.run()
    # THEN
    assert [folder.exists() for folder in assemblies] == [stays, stays]


@pytest.mark.parametrize("fails", [False, True])
def test_a_full_rehearsal_keeps_its_assemblies_only_when_it_failed(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN
    run = Run(root=tmp_path)
    assemblies: list[Path] = []

    def rehearsal(*, steps: Steps, **_: object) -> SimpleNamespace:
        def step() -> str:
            assemblies.extend(_synthesized(run))
            if fails:
                raise ValueError("made-up")
            return "done"

        return SimpleNamespace(run=lambda: steps.run("deploy", "real", step))

    monkeypatch.setattr(full, "Run", lambda: run)
    monkeypatch.setattr(full, "FullRehearsal", rehearsal)
    # WHEN
    code = full._rehearse("dev", Console(file=io.StringIO()))
    # THEN
    assert code == int(fails)
    assert [folder.exists() for folder in assemblies] == [fails, fails]
    assert (run.folder / "report.json").is_file()
