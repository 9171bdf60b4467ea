"""The manifests of every environment are as last reviewed: `make snapshot-update` accepts a change."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from _paths import ROOT
from settings import load_environment
from tests.assemblies import EVERY_FIXTURE, OWN_ENVIRONMENTS, SHIPPED, environment
from tools.manifests import write_manifests

FROZEN = sorted({*SHIPPED, *EVERY_FIXTURE})
every_environment = pytest.mark.parametrize("name", [*FROZEN, *OWN_ENVIRONMENTS])

# What charts.context.ReleaseContext.placeholders documents.
PLACEHOLDERS = {
    "BUCKET_NAME",
    "MILVUS_ROLE_ARN",
    "SECRETS_ROLE_ARN",
    "BOOTSTRAP_BROKERS",
    "KAFKA_SECRET_ARN",
    "ROOT_SECRET_ARN",
}
# Custom resources: their schemas come with their operators, not with Kubernetes.
CUSTOM = {"helm.cattle.io/v1", "external-secrets.io/v1"}


@pytest.mark.parametrize("name", FROZEN)
def test_manifests_are_as_reviewed(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    for path in write_manifests(load_environment(name), tmp_path / name):
        assert path.read_text(encoding="utf-8") == snapshot(name=path.name)


@every_environment
def test_manifests_hold_documented_placeholders_and_no_tokens(name: str, tmp_path: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in write_manifests(environment(name), tmp_path / name))
    assert "Token[" not in text
    assert set(re.findall(r"\$\{(.*?)}", text)) <= PLACEHOLDERS
    # AND not even a reference that CloudFormation would turn into a secret
    assert "{{resolve:" not in text


@every_environment
def test_manifests_are_valid_for_the_kubernetes_version(name: str, tmp_path: Path) -> None:
    env = environment(name)
    for path in write_manifests(env, tmp_path / name):
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if found["apiVersion"] not in CUSTOM:
                kubernetes_validate.validate(found, env.cluster.version, strict=True)


def test_manifests_replace_what_was_there(tmp_path: Path) -> None:
    # GIVEN a file of an earlier run
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "gone.k8s.yaml").touch()
    # WHEN the manifests are written
    written = write_manifests(load_environment("dev"), tmp_path / "out")
    # THEN it is gone
    assert [path.name for path in written] == ["milvus.k8s.yaml", "storage-class.k8s.yaml"]
    assert sorted((tmp_path / "out").iterdir()) == written


def test_unknown_environment_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.manifests", "--env", "prd"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "did you mean prod?" in done.stderr
    assert "Traceback" not in done.stderr
