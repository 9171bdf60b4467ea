"""A bucket outlives its environment, as docs/destroy.md says, and another environment takes it over and leaves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.cdk import Cdk
from rehearsal.day2 import Day2
from rehearsal.targets import raised_quotas
from rehearsal.variants import Variant
from settings import load_environment
from tests.source_copies import needs_tools

pytestmark = [pytest.mark.printed, needs_tools]

ACCOUNT, REGION = "222222222222", "us-east-2"
SEGMENT = "milvus/insert_log/1/2/3/100/1"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    folder = tmp_path_factory.mktemp("account")
    quotas = raised_quotas(load_environment("dev"))
    options = AccountOptions(run_dir=folder, account_id=ACCOUNT, region=REGION, quotas=quotas)
    with EmbeddedAccount(options) as started:
        yield started


def cdk(account: EmbeddedAccount, variant: Variant, env: str) -> Cdk:
    return Cdk(
        env=env,
        environment=account.environment() | variant.environment,
        log=account.options.run_dir / "cdk.log",
        on_event=lambda _event: None,
        assembly=variant.assembly,
    )


def ops(account: EmbeddedAccount, variant: Variant, *arguments: str, policy: str) -> Any:
    acting = account.user(f"{variant.settings.name}-{arguments[0]}-{len(arguments)}", policy) | variant.environment
    day2 = Day2(environment=acting, console=Console(quiet=True, width=200), folder=account.options.run_dir)
    return json.loads(day2.run(*arguments, "--json"))


def test_kept_bucket_is_adopted_and_stays_when_its_new_environment_goes(
    account: EmbeddedAccount, tmp_path: Path
) -> None:
    # GIVEN an environment that retains, whose bucket holds a segment
    first = Variant("prod", {"termination_protection": False}, tmp_path / "first")
    Cdk(
        env="dev",
        environment=account.environment(),
        log=account.options.run_dir / "cdk.log",
        on_event=lambda _event: None,
        assembly=tmp_path / "bootstrap",
    ).bootstrap(ACCOUNT, REGION)
    cdk(account, first, "prod").run(
        ["cdk", "-c", "env=prod", "deploy", "milvus-prod-storage", "--require-approval", "never"]
    )
    s3 = account.client("s3")
    (data,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "storagedata" in each["Name"]]
    s3.put_object(Bucket=data, Key=SEGMENT, Body=b"vectors")
    # WHEN it is destroyed
    gone = ops(account, first, "destroy", "--env", "prod", "--confirm", "milvus-prod", policy="destroy.json")
    assert gone["deleted"] == ["milvus-prod-storage"]
    kept = {item["kind"]: item["id"] for item in gone["left"] if item["stays"] == "kept" and "backup" not in item["id"]}
    assert kept["bucket"] == data
    # THEN a new one, which keeps nothing of its own, can name the bucket with its key
    encryption = s3.get_bucket_encryption(Bucket=data)["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].rpartition("/")[2]
    assert key in {item["id"] for item in gone["left"] if item["kind"] == "key"}
    existing = {"bucket": data, "key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"}
    second = Variant("dev", {"name": "milvus-again", "storage.existing": existing}, tmp_path / "second")
    # AND the doctor finds it in order, and says what it does not give back
    found = ops(account, second, "doctor", "--env", "dev", policy="doctor.json")["findings"]
    assert [(each["verdict"], each["what"]) for each in found if each["check"] == "existing bucket"] == [
        ("ok", f"{data} is in {REGION}, under the key that the file names"),
        ("advice", f"Milvus sees nothing of what is in {data}"),
    ]
    # WHEN all of it is deployed, THEN Milvus gets that bucket, with its files collected by nobody
    cdk(account, second, "dev").deploy()
    (stack,) = account.client("cloudformation").describe_stacks(StackName="milvus-again-storage")["Stacks"]
    assert {"DataBucketName": data}.items() <= {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}.items()
    template = (second.assembly / "milvus-again-milvus.template.json").read_text(encoding="utf-8")
    assert data in template
    assert "enableGarbageCollection: false" in template
    # AND when it goes, with everything that is nobody's, the bucket and what is in it stay
    left = ops(
        account, second, "destroy", "--env", "dev", "--confirm", "milvus-again", "--leftovers", policy="destroy.json"
    )["left"]
    assert {item["id"] for item in left if item["stays"] == "adopted"} == {data, key}
    assert not [item for item in left if item["stays"] in {"kept", "stray"}]
    assert s3.get_object(Bucket=data, Key=SEGMENT)["Body"].read() == b"vectors"
    assert account.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
