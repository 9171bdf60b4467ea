"""The real External Secrets Operator copies a secret of the emulated account by its service account's token."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.run import Run
from rehearsal.servers.external_secrets import ExternalSecrets
from rehearsal.servers.kubernetes import ControlPlane

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("real-kubernetes"),
    pytest.mark.skipif("'real' not in config.getoption('markexpr')", reason="starts real servers: make test-full"),
]
ACCOUNT, REGION = "000000000000", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/secrets-reader"
SUBJECT = "system:serviceaccount:default:reader"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(root=tmp_path_factory.mktemp("rehearsal")) as started:
        yield started


@pytest.fixture(scope="module")
def account(run: Run) -> Iterator[EmbeddedAccount]:
    with EmbeddedAccount(AccountOptions(run_dir=run.folder, account_id=ACCOUNT, region=REGION)) as started:
        yield started


def _reader(account: EmbeddedAccount, issuer: str, secret: str) -> None:
    """Make the role as the templates make it: for one service account, one secret and the key of that."""
    host = issuer.removeprefix("https://")
    iam = account.client("iam")
    iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40])
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": SUBJECT, f"{host}:aud": "sts.amazonaws.com"}},
    }
    reads = {
        "Effect": "Allow",
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": secret,
    }
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    decrypts = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": through}
    iam.create_role(RoleName="secrets-reader", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = json.dumps({"Statement": [reads, decrypts]})
    iam.put_role_policy(RoleName="secrets-reader", PolicyName="own", PolicyDocument=document)


def test_a_secret_reaches_the_cluster_unchanged_and_only_the_one_that_the_role_may_read(
    run: Run, account: EmbeddedAccount
) -> None:
    # GIVEN a password with characters that templates and shells break, under a customer key, and somebody else's secret
    password = """a"b'c!d$e\\f{g}#h"""
    secrets, key = account.client("secretsmanager"), account.client("kms").create_key()["KeyMetadata"]["Arn"]
    text = json.dumps({"username": "milvus", "password": password})
    arn = secrets.create_secret(Name="AmazonMSK_milvus", SecretString=text, KmsKeyId=key)["ARN"]
    secrets.create_secret(Name="foreign", SecretString=text)

    issuer = f"https://oidc.eks.{REGION}.amazonaws.com/id/A"
    with (
        ControlPlane(run=run, issuer=issuer) as cluster,
        ExternalSecrets(run=run, cluster=cluster, aws_endpoint=account.endpoint),
    ):
        _reader(account, issuer, arn)
        # WHEN the operator is asked for both
        for manifest in _manifests():
            cluster.api.apply(manifest)
        cluster.wait_for(
            lambda: cluster.api.get("Secret", "kafka", namespace="default") is not None, seconds=90, what="copied"
        )

        # THEN the one arrives
        secret = cluster.api.get("Secret", "kafka", namespace="default")
        assert secret is not None
        assert base64.b64decode(secret["data"]["password"]).decode() == password
        # AND IAM refuses the other, for the role that the operator assumed
        refused = "is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager"
        log = run.log("external-secrets")
        cluster.wait_for(lambda: refused in log.read_text(errors="replace"), seconds=90, what="refused")
        assert f":assumed-role/{ROLE.rpartition('/')[2]}/" in log.read_text(errors="replace")
        assert cluster.api.get("Secret", "foreign", namespace="default") is None


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
        _copied("kafka", "AmazonMSK_milvus"),
        _copied("foreign", "foreign"),
    ]


def _copied(name: str, secret: str) -> dict[str, object]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "refreshInterval": "1m",
            "secretStoreRef": {"name": "aws", "kind": "SecretStore"},
            "target": {"name": name},
            "data": [{"secretKey": "password", "remoteRef": {"key": secret, "property": "password"}}],
        },
    }
