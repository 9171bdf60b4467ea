"""Where the real chart is: a folder that is given, or the chart repository where there is a network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from _paths import ROOT
from tools.chart_proof.tools import helm_environment, tool

VARIABLE = "MILVUS_CHARTS"
PULL = "pull"


class ChartNotFoundError(Exception):
    """The chart of a version is not there, or is another version than its folder says."""


def charts_given() -> str | None:
    """Return ``MILVUS_CHARTS``: a folder with one folder per chart version, or ``pull``; None where it is not set."""
    return os.environ.get(VARIABLE) or None


def chart_folder(given: str, *, version: str, repository: str) -> Path:
    """Return the folder of a chart version.

    Args:
        given: What `charts_given` returned.
        version: Version of the chart, such as ``5.0.19``.
        repository: Helm repository to pull from, where ``given`` is ``pull``.

    Raises:
        ChartNotFoundError: The message says what is missing and how to get it.
    """
    folder = _pulled(version, repository) if given == PULL else Path(given) / version
    try:
        metadata = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ChartNotFoundError(
            f"{folder} holds no Chart.yaml; unpack version {version} of the Milvus chart there, or set {VARIABLE}=pull"
        ) from error
    if metadata["version"] != version:
        raise ChartNotFoundError(
            f"{folder} holds chart version {metadata['version']}, not {version}; {VARIABLE} needs a folder per version"
        )
    return folder


def _pulled(version: str, repository: str) -> Path:
    folder = ROOT / ".cache" / "charts" / version
    if (folder / "milvus").is_dir():
        return folder / "milvus"
    command = [str(tool("helm")), "pull", "--untar", "--untardir", str(folder), "--version", version]
    command += (
        [f"{repository.rstrip('/')}/milvus"] if repository.startswith("oci:") else ["milvus", "--repo", repository]
    )
    done = subprocess.run(command, env=helm_environment(), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise ChartNotFoundError(
            f"chart {version} could not be pulled from {repository}: {done.stderr.strip()}; set {VARIABLE} to a folder"
        )
    return folder / "milvus"
