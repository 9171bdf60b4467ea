"""Who may use which key: the account, or somebody who is named in full; in every template that is ever written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from settings import Environment, load_environment
from settings.queue import Msk
from tests.assemblies import EVERY_FIXTURE, assembly
from tests.pipelines import pipeline_assembly
from tests.references import Assembly, assembly_of

ACCOUNT = re.compile(r"arn:aws:iam::(\d{12}|\$\{AWS::AccountId\}):root")
# CDK's bootstrap: the role with which the pipeline deploys an account's stacks reads the artifacts.
DEPLOY_ROLE = re.compile(
    r"arn:\$\{AWS::Partition\}:iam::(?P<account>\d{12}|\$\{AWS::AccountId\})"
    r":role/cdk-hnb659fds-deploy-role-(?P=account)-[a-z]+-[a-z]+-\d"
)
READING = {"kms:Decrypt", "kms:DescribeKey"}


def graphs(name: str) -> list[Assembly]:
    """Return an environment's assembly, or those of a pipeline and of its stages."""
    if name in EVERY_FIXTURE:
        return [assembly_of(assembly(name))]
    folder = pipeline_assembly(name)
    return [assembly_of(each) for each in (folder, *sorted(folder.glob("assembly-*")))]


def keys(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of every key of an assembly."""
    return {
        f"{graph.folder.name} {found.name}": found.properties["KeyPolicy"]["Statement"]
        for graph in graphs(name)
        for found in graph.of_type("AWS::KMS::Key")
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", [*EVERY_FIXTURE, "shipped", "three"])
def test_every_principal_of_a_key_is_the_account_or_named_in_full(name: str) -> None:
    for key, statements in keys(name).items():
        for statement in statements:
            assert statement["Effect"] == "Allow"
            assert isinstance(statement["Principal"], dict), f"{key}: {statement['Principal']}"
            assert list(statement["Principal"]) == ["AWS"], f"{key}: {statement['Principal']}"
            for principal in as_list(statement["Principal"]["AWS"]):
                whole_account = ACCOUNT.fullmatch(principal)
                reader = DEPLOY_ROLE.fullmatch(principal) and set(as_list(statement["Action"])) == READING
                assert whole_account or reader, f"{key} admits {principal} to {statement['Action']}"


def own_account(env: Environment) -> str:
    return f"arn:aws:iam::{env.account or '${AWS::AccountId}'}:root"


@pytest.mark.parametrize("name", EVERY_FIXTURE)
def test_keys_of_an_environment_trust_its_account_and_leave_the_rest_to_iam(name: str) -> None:
    # GIVEN the keys of an environment
    env = load_environment(name)
    [graph] = graphs(name)
    found = {key.name: key.properties["KeyPolicy"]["Statement"] for key in graph.of_type("AWS::KMS::Key")}
    account = {"Action": "kms:*", "Effect": "Allow", "Principal": {"AWS": own_account(env)}, "Resource": "*"}
    expected = {key: [account] for key in ("storage/Storage/DataKey", "storage/Storage/BackupKey")}
    expected["eks/Cluster/SecretsKey"] = [account]
    # What CDK adds for a secret under a key: the same account, in requests of Secrets Manager.
    actions = ["CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"]
    through = {"kms:ViaService": f"secretsmanager.{env.region}.amazonaws.com"}
    secret = {"Action": [f"kms:{each}" for each in actions], "Condition": {"StringEquals": through}}
    if isinstance(env.queue, Msk):
        expected["streaming/Key"] = [account, {**account, **secret}]
    if env.milvus.authorization:
        expected["milvus/RootPassword/Key"] = [account, {**account, **secret}]
    # THEN nobody else stands in them
    assert found == expected
    # AND each turns every year, and can be called back for as long as its data is worth
    days = {"destroy": 7, "retain": 30}[env.removal_policy]
    for key in graph.of_type("AWS::KMS::Key"):
        assert (key.at("EnableKeyRotation"), key.at("PendingWindowInDays")) == (True, days), key.name
