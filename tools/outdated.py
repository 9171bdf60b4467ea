"""Lists what is pinned: its version, the newest known, the day it was looked for, and the end of its support.

Versions of Python and npm packages are asked of the registries by their own clients, where these can be reached. What
no registry tells is in ``outdated.toml``, dated.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from _paths import ROOT
from milvus_constructs.cluster.load_balancer_controller import CONTROLLER_VERSION
from settings.eks_versions import DEFAULT_EKS_VERSION, EKS_VERSIONS, EXTERNAL_SECRETS_CHART
from settings.loader import current_day
from settings.releases import RELEASE_LINES

TABLE = Path(__file__).with_suffix(".toml")
LOOK_AGAIN_DAYS = 90
"""After so many days what was seen says little."""


@dataclass(frozen=True)
class Pin:
    """A version that is pinned here."""

    kind: str
    name: str
    version: str
    newest: str
    seen: str
    """The day on which ``newest`` was the newest."""
    ends: date | None = None
    """Last day of its makers' support, where they name one."""
    why: str = ""
    """Why it is not the newest."""

    @property
    def behind(self) -> bool:
        """Return whether there is a newer one."""
        return self.version != self.newest


def pinned() -> dict[tuple[str, str], str]:
    """Return the version of each pin of the table, by kind and name, from the place that it is used from."""
    found = {("Kubernetes", version): version for version in EKS_VERSIONS}
    for line, release in RELEASE_LINES.items():
        found["Milvus", line] = release.default_version
        found["Milvus chart", line] = release.chart
        found["Attu", line] = release.attu
    found["Controllers", "external-secrets"] = EXTERNAL_SECRETS_CHART
    found["Controllers", "aws-load-balancer-controller"] = CONTROLLER_VERSION.version.removeprefix("v")
    for name, build in EKS_VERSIONS[DEFAULT_EKS_VERSION].addons.items():
        found["Add-ons", name] = build
    return found


def from_table() -> list[Pin]:
    """Return the pins of the table.

    Raises:
        KeyError: The table has no entry for a pin.
    """
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    pins = []
    for (kind, name), version in pinned().items():
        known = table[kind][name]
        ends = EKS_VERSIONS[version].extended_support_ends if kind == "Kubernetes" else None
        pins.append(Pin(kind, name, version, known["newest"], str(known["seen"]), ends, known.get("why", "")))
    return pins


def from_pypi(day: date) -> list[Pin]:
    """Return the installed Python packages of which there is a newer one.

    Raises:
        OSError: PyPI, or the index that is configured, was not reached.
    """
    uv = Path(sys.executable).with_name("uv")
    text = _output([str(uv), "pip", "list", "--outdated", "--format", "json", "--python", sys.executable])
    return [Pin("Python", each["name"], each["version"], each["latest_version"], str(day)) for each in json.loads(text)]


def from_npm(day: date) -> list[Pin]:
    """Return the npm packages of which there is a newer one.

    Raises:
        OSError: The registry was not reached.
    """
    # It ends with 1 where something is outdated.
    found: dict[str, Any] = json.loads(_output(["npm", "outdated", "--json"], fine=(0, 1)) or "{}")
    if "error" in found:
        raise OSError(found["error"].get("summary", "npm outdated failed"))
    return [Pin("npm", name, each["current"], each["latest"], str(day)) for name, each in found.items()]


def findings(pins: Sequence[Pin], day: date) -> Iterator[str]:
    """Yield what somebody has to do something about."""
    for pin in pins:
        what = f"{pin.kind} {pin.name}: {pin.version}"
        if pin.ends and pin.ends < day:
            yield f"{what} has been without support since {pin.ends}; move what uses it, or refuse it"
        if (day - date.fromisoformat(pin.seen)).days > LOOK_AGAIN_DAYS:
            yield f"{what} was compared on {pin.seen}; look again, and write the day into {TABLE.name}"
        if pin.kind not in {"Python", "npm"} and pin.behind and not pin.why:
            yield f"{what} is behind {pin.newest}; raise it, or say why not in {TABLE.name}"


def main() -> int:
    """Print the list; 1 where something of the table waits for somebody."""
    day = current_day()
    pins = from_table()
    for name, ask in (("PyPI", from_pypi), ("npm", from_npm)):
        try:
            pins += ask(day)
        except OSError as error:
            print(f"{name} cannot be reached, so its packages are not compared: {error}", file=sys.stderr)
    print(f"{'kind':<13} {'name':<30} {'pinned':<21} {'newest':<21} {'seen':<11} {'supported until':<16} why")
    for pin in pins:
        ends = str(pin.ends or "not announced")
        newest = pin.newest if pin.behind else "this"
        line = f"{pin.kind:<13} {pin.name:<30} {pin.version:<21} {newest:<21} {pin.seen:<11} {ends:<16} {pin.why}"
        print(line.rstrip())
    waiting = list(findings(pins, day))
    for finding in waiting:
        print(finding, file=sys.stderr)
    return 1 if waiting else 0


def _output(command: list[str], *, fine: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in fine:
        raise OSError(" ".join(done.stderr.split())[-300:] or f"{command[0]} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
