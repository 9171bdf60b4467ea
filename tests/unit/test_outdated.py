"""`make outdated` knows every pin, and says what waits for somebody."""

from __future__ import annotations

import subprocess
import tomllib
from datetime import date
from typing import Any

import pytest

from tools import outdated
from tools.outdated import TABLE, Pin, findings, from_npm, from_pypi, from_table, pinned

DAY = date(2026, 11, 27)


def test_table_has_each_pin_and_nothing_else() -> None:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    assert {(kind, name) for kind, entries in table.items() for name in entries} == pinned().keys()
    for kind, entries in table.items():
        for name, entry in entries.items():
            assert entry.keys() <= {"newest", "seen", "source", "why"}, (kind, name)
            assert entry["source"].startswith("https://")
            assert isinstance(entry["seen"], date)


def test_what_is_behind_says_why() -> None:
    assert [pin.name for pin in from_table() if pin.behind and not pin.why] == []


@pytest.mark.parametrize(
    ("pin", "day", "said"),
    [
        (Pin("Milvus", "2.6", "2.6.25", "2.6.25", "2026-11-27"), DAY, []),
        (Pin("Milvus", "2.6", "2.6.25", "2.6.26", "2026-11-27", why="its chart"), DAY, []),
        (Pin("Python", "boto3", "1.40.0", "1.41.0", "2026-11-27"), DAY, []),
        (
            Pin("Milvus", "2.6", "2.6.25", "2.6.26", "2026-11-27"),
            DAY,
            ["Milvus 2.6: 2.6.25 is behind 2.6.26; raise it, or say why not in outdated.toml"],
        ),
        (
            Pin("Milvus", "2.6", "2.6.25", "2.6.25", "2026-11-27"),
            date(2027, 2, 26),
            ["Milvus 2.6: 2.6.25 was compared on 2026-11-27; look again, and write the day into outdated.toml"],
        ),
        (
            Pin("Kubernetes", "1.33", "1.33", "1.33", "2027-07-01", ends=date(2027, 7, 29)),
            date(2027, 7, 30),
            ["Kubernetes 1.33: 1.33 has been without support since 2027-07-29; move what uses it, or refuse it"],
        ),
    ],
)
def test_finding_names_what_waits(pin: Pin, day: date, said: list[str]) -> None:
    assert list(findings([pin], day)) == said


def answers(monkeypatch: pytest.MonkeyPatch, *, returncode: int, stdout: str = "", stderr: str = "") -> None:
    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, returncode, stdout, stderr)

    monkeypatch.setattr("tools.outdated.subprocess.run", run)


def test_registries_are_asked_by_their_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, returncode=0, stdout='[{"name": "boto3", "version": "1.40.0", "latest_version": "1.41.0"}]')
    assert from_pypi(DAY) == [Pin("Python", "boto3", "1.40.0", "1.41.0", "2026-11-27")]
    answers(monkeypatch, returncode=1, stdout='{"aws-cdk": {"current": "2.1.0", "latest": "2.2.0"}}')
    assert from_npm(DAY) == [Pin("npm", "aws-cdk", "2.1.0", "2.2.0", "2026-11-27")]
    answers(monkeypatch, returncode=0)
    assert from_npm(DAY) == []


def test_without_a_network_the_table_is_listed_and_the_rest_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILVUS_TODAY", "2026-11-27")
    # GIVEN registries that cannot be reached: npm says so on its output
    answers(
        monkeypatch, returncode=1, stdout='{"error": {"summary": "connect ECONNREFUSED"}}', stderr="no route to host"
    )
    # WHEN THEN
    assert outdated.main() == 0
    seen = capsys.readouterr()
    assert [line.split()[:3] for line in seen.out.splitlines() if line.startswith("Controllers")] == [
        ["Controllers", "external-secrets", "2.14.0"],
        ["Controllers", "aws-load-balancer-controller", "3.2.2"],
    ]
    assert seen.err.splitlines() == [
        "PyPI cannot be reached, so its packages are not compared: no route to host",
        "npm cannot be reached, so its packages are not compared: connect ECONNREFUSED",
    ]


def test_day_after_which_somebody_has_to_look_again_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILVUS_TODAY", "2027-06-01")
    answers(monkeypatch, returncode=0, stdout="[]")
    monkeypatch.setattr("tools.outdated.from_npm", lambda _day: [])
    assert outdated.main() == 1
    assert "look again, and write the day into outdated.toml" in capsys.readouterr().err
