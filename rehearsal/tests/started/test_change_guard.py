"""The guard in a really started account: an update that it refuses is rolled back, and leaves everything as it was."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.failure import failures

_REGION = "eu-central-1"
_ROOT = Path(__file__).resolve().parents[3]
_CODE = {
    "handler.py": _ROOT / "constructs/milvus_constructs/change_guard_lambda/handler.py",
    "settings/refusals.py": _ROOT / "settings/refusals.py",
}
_RULES = {"never": {"milvus.namespace": "make a new environment"}, "grows": {"milvus.etcd.replicas": ""}}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    options = AccountOptions(run_dir=tmp_path_factory.mktemp("account"), account_id="111122223333", region=_REGION)
    with EmbeddedAccount(options) as started:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": _REGION})
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, path in _CODE.items():
                archive.write(path, name)
        s3.put_object(Bucket="code", Key="guard.zip", Body=packed.getvalue())
        yield started


def template(namespace: str, members: int, tag: str) -> str:
    """Return a stack with a guard, and a queue behind it that changes with every update."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": {"Ref": "AWS::StackId"}}
    settings = {"milvus.namespace": namespace, "milvus.etcd.replicas": members}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]}}],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "handler.on_event",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": "code", "S3Key": "guard.zip"},
            },
        },
        "Guard": {
            "Type": "Custom::ChangeGuard",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                "Settings": json.dumps(settings),
                "Rules": json.dumps(_RULES),
                "Accepted": "[]",
            },
        },
        "Behind": {
            "Type": "AWS::SQS::Queue",
            "DependsOn": ["Guard"],
            "Properties": {"QueueName": "behind", "Tags": [{"Key": "settings", "Value": tag}]},
        },
    }
    return json.dumps({"Resources": resources})


def settled(account: EmbeddedAccount) -> str:
    cloudformation = account.client("cloudformation")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status: str = cloudformation.describe_stacks(StackName="guarded")["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError("the stack does not settle")


def update(account: EmbeddedAccount, body: str) -> str:
    account.client("cloudformation").update_stack(
        StackName="guarded", TemplateBody=body, Capabilities=["CAPABILITY_IAM"]
    )
    return settled(account)


def kept(account: EmbeddedAccount) -> Any:
    body = account.client("cloudformation").get_template(StackName="guarded", TemplateStage="Original")["TemplateBody"]
    found = json.loads(body) if isinstance(body, str) else body
    return json.loads(found["Resources"]["Guard"]["Properties"]["Settings"])


def test_update_that_cannot_be_is_rolled_back_and_one_that_can_passes(account: EmbeddedAccount) -> None:
    # GIVEN a deployed stack
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(
        StackName="guarded", TemplateBody=template("milvus", 3, "first"), Capabilities=["CAPABILITY_IAM"]
    )
    assert settled(account) == "CREATE_COMPLETE", failures(cloudformation, ["guarded"])
    # WHEN a change is deployed that can be
    assert update(account, template("milvus", 5, "second")) == "UPDATE_COMPLETE"
    # AND then one that cannot
    assert update(account, template("vectors", 1, "third")) == "UPDATE_ROLLBACK_COMPLETE"
    # THEN the reason names both settings, their values and what to do
    reason = failures(cloudformation, ["guarded"])[0].reason
    assert "milvus.namespace: milvus cannot become vectors: it cannot change once deployed; make a new" in reason
    assert "milvus.etcd.replicas: 5 cannot become 1: it only grows" in reason
    # AND the stack is what it was, with what stands behind the guard
    assert kept(account) == {"milvus.namespace": "milvus", "milvus.etcd.replicas": 5}
    url = account.client("sqs").get_queue_url(QueueName="behind")["QueueUrl"]
    assert account.client("sqs").list_queue_tags(QueueUrl=url)["Tags"]["settings"] == "second"
