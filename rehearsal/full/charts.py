"""Finds the Helm charts that a deployment installs: in given folders, in the cache, or in their repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.servers.cache import cache_folder
from rehearsal.servers.external_secrets import chart_folder, custom_resource_definitions, version

MILVUS_VARIABLE = "MILVUS_CHARTS"
FOLDER_VARIABLE = "CHARTS_DIR"
MILVUS = "milvus"
CONTROLLER = "aws-load-balancer-controller"
OPERATOR = "external-secrets"
_PULL_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A chart that the templates ask for."""

    name: str
    version: str
    repository: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """A chart at hand: a folder or an archive, and where it came from."""

    wanted: Wanted
    path: Path
    source: str


def find(wanted: Wanted, *, scratch: Path) -> Found | str:
    """Return the chart, or the reason why it cannot be had: a sentence that says what to do.

    Looks in ``MILVUS_CHARTS/<version>`` for Milvus, in ``CHARTS_DIR/<name>/<version>``, ``CHARTS_DIR/<name>`` and
    ``CHARTS_DIR/<name>-<version>.tgz``, and last in the cache, which ``pull`` fills. The chart of the secrets operator
    is always that of the controller which runs here, whatever the templates ask for: a controller does not know the
    switches of another version's chart. ``scratch`` is where a chart may be put together.
    """
    if wanted.name == OPERATOR:
        return _of_the_module(wanted, scratch)
    for folder, source in _folders(wanted):
        if folder.is_dir() and _version(folder) == wanted.version:
            return Found(wanted=wanted, path=folder, source=source)
        if folder.suffix == ".tgz" and folder.is_file():
            return Found(wanted=wanted, path=folder, source=source)
    if (archive := _archive(wanted)).is_file():
        return Found(wanted=wanted, path=archive, source=f"pulled from {wanted.repository}")
    variable = MILVUS_VARIABLE if wanted.name == MILVUS else FOLDER_VARIABLE
    return (
        f"chart {wanted.name} {wanted.version} could not be pulled from {wanted.repository} and {variable} gives no "
        f"folder that holds it; unpack it and name the folder by {variable} (rehearsal/README.md)"
    )


def pull(wanted: Wanted, *, helm: Path) -> str | None:
    """Pull a chart into the cache; None where that worked, else the reason in helm's words."""
    folder = _archive(wanted).parent
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(helm), "pull", "--version", wanted.version, "--destination", str(folder)]
    if wanted.repository.startswith("oci:"):
        command.append(f"{wanted.repository.rstrip('/')}/{wanted.name}")
    else:
        command += [wanted.name, "--repo", wanted.repository]
    private = {"HELM_CACHE_HOME": str(folder / ".helm"), "HELM_CONFIG_HOME": str(folder / ".helm")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PULL_SECONDS, check=False, env={**os.environ, **private}
        )
    except subprocess.TimeoutExpired:
        return f"{wanted.repository} gave no answer within {_PULL_SECONDS} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["helm pull failed"])[-1]
    return None


def stand_in(wanted: Wanted, folder: Path) -> Found:
    """Return a chart of the same name and version without objects, so that what depends on the release goes on."""
    path = folder / f"{wanted.name}-{wanted.version}"
    (path / "templates").mkdir(parents=True, exist_ok=True)
    chart = {"apiVersion": "v2", "name": wanted.name, "version": wanted.version, "description": "has no objects"}
    (path / "Chart.yaml").write_text(yaml.safe_dump(chart), encoding="utf-8")
    return Found(wanted=wanted, path=path, source="stand-in without objects")


def _folders(wanted: Wanted) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    given = os.environ.get(MILVUS_VARIABLE)
    if wanted.name == MILVUS and given and given != "pull":
        found.append((Path(given) / wanted.version, MILVUS_VARIABLE))
    if folder := os.environ.get(FOLDER_VARIABLE):
        root = Path(folder)
        names = (Path(wanted.name) / wanted.version, Path(wanted.name), Path(f"{wanted.name}-{wanted.version}.tgz"))
        found += [(root / name, FOLDER_VARIABLE) for name in names]
    return found


def _of_the_module(wanted: Wanted, scratch: Path) -> Found:
    """Return the operator's chart as its Go module has it, completed as its project does before a release."""
    here = version()
    path = scratch / f"{wanted.name}-{here}"
    shutil.copytree(chart_folder(), path, dirs_exist_ok=True)
    metadata = yaml.safe_load((path / "Chart.yaml").read_text(encoding="utf-8"))
    source = "from the operator's Go module, without the subchart bitwarden-sdk-server"
    if here != wanted.version:
        source = (
            f"chart and controller of {here}, the newest that builds as a Go module, in place of the templates' "
            f"{wanted.version}; the objects are the same"
        )
    # A subchart that is off and not at hand would still be asked for.
    metadata.pop("dependencies", None)
    (path / "Chart.yaml").write_text(yaml.safe_dump({**metadata, "version": here}), encoding="utf-8")
    definitions = yaml.safe_dump_all(custom_resource_definitions())
    (path / "definitions.yaml").write_text(definitions, encoding="utf-8")
    template = '{{- if .Values.installCRDs }}\n{{ .Files.Get "definitions.yaml" }}\n{{- end }}\n'
    (path / "templates" / "crds" / "definitions.yaml").write_text(template, encoding="utf-8")
    return Found(wanted=wanted, path=path, source=source)


def _version(folder: Path) -> str:
    try:
        metadata: Mapping[str, object] = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    return str(metadata["version"])


def _archive(wanted: Wanted) -> Path:
    return cache_folder() / "charts" / f"{wanted.name}-{wanted.version}.tgz"
