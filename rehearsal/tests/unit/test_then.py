"""A second environment is deployed over the first, where both are the same deployment."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rehearsal import driver, variants
from rehearsal.driver import Rehearsal, Shown
from rehearsal.reach import shown as shown_reach
from rehearsal.run import Run
from rehearsal.targets import Target
from settings import Environment, SettingsError, loader

typed: list[str] = []


class Account:
    """An account that is asked for nothing."""

    def __init__(self, options: Any) -> None:
        self.options = options

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def environment(self) -> dict[str, str]:
        return {}

    def user(self, *_: str) -> dict[str, str]:
        return {}

    def execution_policies(self, *_: str | None) -> list[str]:
        return []

    def client(self, _service: str) -> Any:
        return self

    def describe_stacks(self) -> dict[str, list[Any]]:
        return {"Stacks": []}


class Cdk:
    """Writes down what would be typed."""

    def __init__(self, *, env: str, assembly: Path, **_: object) -> None:
        self.env, self.assembly = env, assembly

    def __getattr__(self, command: str) -> Any:
        def type_it(*_: str, terminal: bool = False) -> list[str]:
            typed.append(f"{command} {self.env}{' at a terminal' if terminal else ''}")
            return []

        return type_it


class Day2:
    """The same for the day-2 commands."""

    def __init__(self, **_: object) -> None:
        pass

    def doctor(self, env: str) -> str:
        typed.append(f"doctor {env}")
        return ""

    def run(self, *arguments: str) -> str:
        typed.append(" ".join(arguments))
        return json.dumps({"left": [], "stacks": [], "notes": []})


def _environment(folder: Path, file: str, **settings: str) -> None:
    text = (Path(loader.ENVIRONMENTS) / "dev.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if line.partition(":")[0] not in settings]
    lines = [*kept, *(f"{field}: {value}" for field, value in settings.items())]
    (folder / f"{file}.yaml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two files of one deployment: the second protects it."""
    folder = tmp_path / "environments"
    folder.mkdir()
    _environment(folder, "dev")
    _environment(folder, "protected", termination_protection="true")
    for module in (loader, variants):
        monkeypatch.setattr(module, "ENVIRONMENTS", folder)
    return folder


def test_another_deployment_is_not_deployed_over_the_first(environments: Path) -> None:
    # GIVEN a file with another name, region and account
    _environment(environments, "other", name="milvus-other", region="eu-west-1", account="'111122223333'")
    # WHEN it shall follow, THEN each difference is named, with what to do
    with pytest.raises(SettingsError) as caught:
        Target.load("dev").followed_by("other")
    over, alone = "as in environments/dev.yaml over which it is deployed", "rehearse it with ENV=other"
    assert str(caught.value) == (
        "environments/other.yaml: 3 errors\n"
        f"  name: must be milvus-dev, {over}, got milvus-other; another one is another deployment, beside it: {alone}\n"
        f"  region: must be us-east-2, {over}, got eu-west-1; another one is another deployment, beside it: {alone}\n"
        f"  account: must be left out, {over}, got 111122223333; another one is another deployment, beside it: {alone}"
    )


@pytest.mark.usefixtures("environments")
def test_the_second_environment_is_compared_deployed_checked_and_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a rehearsal that writes down what it types
    def shown(_self: object, target: Target, _account: object) -> Shown:
        typed.append(f"checks {target.env}")
        return Shown(smoke={}, status={"of": target.env}, endpoints={})

    def reach(settings: Environment, _assembly: Path, _console: Console) -> None:
        typed.append(f"reach {'protected' if settings.termination_protection else 'dev'}")

    typed.clear()
    for stand_in in (Cdk, Day2):
        monkeypatch.setattr(driver, stand_in.__name__, stand_in)
    monkeypatch.setattr(driver, "EmbeddedAccount", Account)
    monkeypatch.setattr(driver, "Run", lambda: Run(root=tmp_path / "runs"))
    monkeypatch.setattr(driver, "require_no_changes", lambda *_: typed.append("nothing changed"))
    monkeypatch.setattr(driver, "strays", lambda *_, **__: [])
    monkeypatch.setattr(Rehearsal, "_shown", shown)
    monkeypatch.setattr(shown_reach, "show", reach)
    # WHEN an environment is deployed over another
    report = Rehearsal(env="dev", then="protected", console=Console(file=io.StringIO())).run()
    # THEN each passes the same checks, and what was deployed last is what goes, its protection first
    assert typed == [
        *("synth dev", "reach dev", "bootstrap dev", "bootstrap dev", "doctor dev", "deploy dev at a terminal"),
        *("deploy dev", "nothing changed", "diff dev", "checks dev"),
        *("differences protected", "reach protected", "deploy protected at a terminal"),
        *("deploy protected", "nothing changed", "diff protected", "checks protected"),
        "deploy protected",
        *(f"destroy --env protected{more}" for more in ("", " --confirm milvus-dev", " --json")),
    ]
    assert (report.env, report.then, report.status) == ("dev", "protected", {"of": "protected"})
