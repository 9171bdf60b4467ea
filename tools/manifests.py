"""Writes the Kubernetes objects of an environment to ``dist/<env>/*.k8s.yaml``, for review and for GitOps."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import cdk8s

from _paths import ROOT
from charts.context import ReleaseContext
from charts.milvus import MilvusChart
from charts.storage_class import StorageClassChart
from settings import Environment, SettingsError, load_environment


def write_manifests(env: Environment, folder: Path) -> list[Path]:
    """Write one file per chart into an empty folder, and return the files.

    What only AWS knows stands there as ``${NAME}`` (`charts.context.ReleaseContext.placeholders`): fill it in with
    ``envsubst`` or your GitOps tool. No network is needed, and no CDK.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    app = cdk8s.App(outdir=str(folder), record_construct_metadata=False)
    StorageClassChart(app, "storage-class", volume_key_arn=env.cluster.volume_key_arn)
    MilvusChart(app, "milvus", env=env, context=ReleaseContext.placeholders(env))
    app.synth()
    return sorted(folder.glob("*.k8s.yaml"))


def main() -> None:
    """Read the environment's name from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="dev", help="environment, a file in environments/ (default: %(default)s)")
    name = parser.parse_args().env
    try:
        env = load_environment(name)
    except SettingsError as error:
        sys.exit(str(error))
    for path in write_manifests(env, ROOT / "dist" / name):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
