"""A started account refuses what a new account may not have, and keeps what is protected or in use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.account import AccountOptions, EmbeddedAccount
from rehearsal.failure import failures

_REGION = "us-west-1"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """A new account in a region with two zones."""
    with EmbeddedAccount(AccountOptions(run_dir=tmp_path_factory.mktemp("account"), region=_REGION)) as started:
        yield started


def _settled(account: EmbeddedAccount, name: str) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status: str = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise TimeoutError(name)


def _deploy(account: EmbeddedAccount, name: str, resources: dict[str, Any], **more: Any) -> str:
    template = json.dumps({"Resources": resources, **more})
    account.client("cloudformation").create_stack(StackName=name, TemplateBody=template)
    return _settled(account, name)


def _update(account: EmbeddedAccount, name: str, resources: dict[str, Any], **more: Any) -> str:
    template = json.dumps({"Resources": resources, **more})
    account.client("cloudformation").update_stack(StackName=name, TemplateBody=template)
    return _settled(account, name)


def _reasons(account: EmbeddedAccount, name: str) -> str:
    return "\n".join(failure.reason for failure in failures(account.client("cloudformation"), [name]))


def test_addresses_and_vpcs_beyond_five_are_refused(account: EmbeddedAccount) -> None:
    # GIVEN a new account, which has its default VPC already
    vpcs = {
        f"Vpc{number}": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{number}.0.0/16"}}
        for number in range(5)
    }
    addresses = {f"Address{number}": {"Type": "AWS::EC2::EIP"} for number in range(6)}
    for name, resources, message in (
        ("vpcs", vpcs, "The maximum number of VPCs has been reached."),
        ("addresses", addresses, "The maximum number of addresses has been reached."),
    ):
        # WHEN a stack wants one too many, THEN it is rolled back, and says why
        assert _deploy(account, name, resources) == "ROLLBACK_COMPLETE"
        assert message in _reasons(account, name)
        # AND with one less it is made
        resources.popitem()
        assert _deploy(account, f"fewer-{name}", resources) == "CREATE_COMPLETE"


def test_zones_are_those_of_the_region(account: EmbeddedAccount) -> None:
    zones = account.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-west-1a", "us-west-1c"]

    def subnet(zone: str) -> dict[str, Any]:
        return {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24", "AvailabilityZone": zone},
            },
        }

    account.client("cloudformation").delete_stack(StackName="fewer-vpcs")
    assert _deploy(account, "zone-b", subnet("us-west-1b")) == "ROLLBACK_COMPLETE"
    assert "Value (us-west-1b) for parameter availabilityZone is invalid" in _reasons(account, "zone-b")
    assert _deploy(account, "zone-c", subnet("us-west-1c")) == "CREATE_COMPLETE"


def test_ten_functions_run_at_once(account: EmbeddedAccount) -> None:
    limit = account.client("lambda").get_account_settings()["AccountLimit"]
    assert limit["ConcurrentExecutions"] == 10


def test_a_log_group_that_somebody_made_before_fails_the_stack(account: EmbeddedAccount) -> None:
    # GIVEN a group as Lambda makes it for a function that runs too early
    account.client("logs").create_log_group(logGroupName="/aws/lambda/early")
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/early"}}
    assert _deploy(account, "late-group", {"Group": group}) == "ROLLBACK_COMPLETE"
    assert "already exists" in _reasons(account, "late-group")
    # AND another one is made
    group["Properties"] = {"LogGroupName": "/aws/lambda/in-time"}
    assert _deploy(account, "group", {"Group": group}) == "CREATE_COMPLETE"


def test_an_export_in_use_rolls_its_stack_back(account: EmbeddedAccount) -> None:
    def exporting(value: str) -> dict[str, Any]:
        return {"Outputs": {"Shared": {"Value": value, "Export": {"Name": "shared"}}}}

    topic: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}}
    # GIVEN a stack whose export another one imports
    assert _deploy(account, "exporting", topic, **exporting("one")) == "CREATE_COMPLETE"
    importing = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "shared"}}}}
    assert _deploy(account, "importing", importing) == "CREATE_COMPLETE"
    # WHEN it would change or go, THEN the update is rolled back
    assert _update(account, "exporting", topic, **exporting("two")) == "UPDATE_ROLLBACK_COMPLETE"
    assert _update(account, "exporting", topic) == "UPDATE_ROLLBACK_COMPLETE"
    events = account.client("cloudformation").describe_stack_events(StackName="exporting")["StackEvents"]
    reasons = {event.get("ResourceStatusReason") for event in events}
    assert "Export shared cannot be updated as it is in use by importing" in reasons
    assert "Export shared cannot be deleted as it is in use by importing" in reasons
    # AND once nobody imports it, it may
    account.client("cloudformation").delete_stack(StackName="importing")
    assert _update(account, "exporting", topic, **exporting("two")) == "UPDATE_COMPLETE"


def test_a_stack_that_was_protected_before_its_first_change_set_is_not_deleted_after_it_failed(
    account: EmbeddedAccount,
) -> None:
    cloudformation = account.client("cloudformation")
    # GIVEN what the CDK does: a change set, the protection, and only then the first deployment, which fails
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": "vpc-none", "CidrBlock": "10.0.0.0/24"}}
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Subnet": subnet}})
    cloudformation.create_change_set(
        StackName="protected", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
    )
    cloudformation.update_termination_protection(StackName="protected", EnableTerminationProtection=True)
    cloudformation.execute_change_set(StackName="protected", ChangeSetName="first")
    assert _settled(account, "protected") == "ROLLBACK_COMPLETE"
    # WHEN it is deleted, as the next `cdk deploy` does before anything else
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName="protected")
    # THEN only switching the protection off helps
    cloudformation.update_termination_protection(StackName="protected", EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName="protected")
