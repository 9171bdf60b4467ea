"""The real External Secrets Operator copies a secret of the emulated account by its service account's token."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.external_secrets import ExternalSecrets
from rehearsal.servers.http import responds
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.process import Process

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
ROLE = "arn:aws:iam::000000000000:role/secrets-reader"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(root=tmp_path_factory.mktemp("rehearsal")) as started:
        yield started


@pytest.fixture(scope="module")
def account(run: Run) -> Iterator[str]:
    port = free_port()
    process = Process(
        name="account",
        command=[Path(sys.executable).with_name("ministack")],
        environment={"GATEWAY_PORT": str(port), "BIND_HOST": LOOPBACK, "MINISTACK_HOST": LOOPBACK},
        log=run.log("account"),
    )
    with process:
        process.wait_until(lambda: responds(f"http://{LOOPBACK}:{port}/_ministack/health"), seconds=30)
        yield f"http://{LOOPBACK}:{port}"


def test_secret_of_the_account_reaches_the_cluster_unchanged(run: Run, account: str) -> None:
    # GIVEN a password with characters that templates and shells break
    password = """a"b'c!d$e\\f{g}#h"""
    client = boto3.client(
        "secretsmanager",
        endpoint_url=account,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_secret(Name="AmazonMSK_milvus", SecretString=json.dumps({"username": "milvus", "password": password}))

    with ControlPlane(run=run) as cluster, ExternalSecrets(run=run, cluster=cluster, aws_endpoint=account):
        # WHEN
        for manifest in _manifests():
            cluster.api.apply(manifest)
        cluster.wait_for(
            lambda: cluster.api.get("Secret", "kafka", namespace="default") is not None, seconds=60, what="copied"
        )

        # THEN
        secret = cluster.api.get("Secret", "kafka", namespace="default")
        assert secret is not None
        assert base64.b64decode(secret["data"]["password"]).decode() == password


def _manifests() -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "reader",
                "namespace": "default",
                "annotations": {"eks.amazonaws.com/role-arn": ROLE},
            },
        },
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "SecretStore",
            "metadata": {"name": "aws", "namespace": "default"},
            "spec": {
                "provider": {
                    "aws": {
                        "service": "SecretsManager",
                        "region": "us-east-1",
                        "auth": {"jwt": {"serviceAccountRef": {"name": "reader"}}},
                    }
                }
            },
        },
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": "kafka", "namespace": "default"},
            "spec": {
                "refreshInterval": "1m",
                "secretStoreRef": {"name": "aws", "kind": "SecretStore"},
                "target": {"name": "kafka"},
                "data": [{"secretKey": "password", "remoteRef": {"key": "AmazonMSK_milvus", "property": "password"}}],
            },
        },
    ]
