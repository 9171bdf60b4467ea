"""Refuses an update of its stack whose settings cannot change so.

Runs as the Lambda function of a CloudFormation custom resource, which it answers itself: a failure fails the update
with its text, before any other resource of the stack is touched. CloudFormation hands in the settings that are deployed
and those that are wanted. A rollback is the same update with the two exchanged, and has to pass.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from typing import Any, Protocol

import boto3
from botocore.config import Config

from settings.refusals import Refusal, refusals

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

_LONGEST_REASON = 3000
"""Characters: the whole answer may have 4096 bytes."""


class CloudFormationClient(Protocol):
    """What is used of boto3's ``cloudformation`` client."""

    def describe_stacks(self, **arguments: object) -> dict[str, Any]:
        """Describe a stack."""


class ChangeRefusedError(Exception):
    """Settings cannot change so; the text says which, and what to do."""


def on_event(event: dict[str, Any], _context: object = None) -> None:
    """Handle one event of the custom resource, and tell CloudFormation what came out.

    Args:
        event: ``RequestType``, ``StackId``, and the properties ``Settings``, ``Rules`` and ``Accepted``, each JSON.
    """
    answer = {
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"settings-{event['RequestId']}",
        "Status": "SUCCESS",
    }
    try:
        judge(event)
    except Exception as error:  # noqa: BLE001 - without an answer CloudFormation would wait for an hour
        LOG.warning("refused: %s", error)
        answer |= {"Status": "FAILED", "Reason": str(error)[:_LONGEST_REASON]}
    reply(event["ResponseURL"], answer)


def judge(event: dict[str, Any]) -> None:
    """Let an event pass, or say why not.

    Raises:
        ChangeRefusedError: A change of the settings cannot be, and the stack is not being rolled back.
    """
    if event["RequestType"] != "Update":
        return
    found = refused(event["OldResourceProperties"], event["ResourceProperties"])
    if found and not rolls_back(_client(), event["StackId"]):
        what = " ".join(f"{each}." for each in found)
        raise ChangeRefusedError(f"{what} Nothing in this stack was changed. `milvus-ops plan` shows the whole change.")


def reply(url: str, answer: dict[str, Any]) -> None:
    """Give CloudFormation its answer, where it asked for it."""
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
    request = urllib.request.Request(  # noqa: S310 - the address is CloudFormation's own
        url, method="PUT", data=json.dumps(answer).encode(), headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310 - the same
        LOG.info("answered %s", answer["Status"])


def refused(old: dict[str, str], new: dict[str, str]) -> list[Refusal]:
    """Return what the rules of the wanted version refuse, without what its file accepts."""
    before, after, rules, accepted = (
        json.loads(text) for text in (old["Settings"], new["Settings"], new["Rules"], new["Accepted"])
    )
    found = refusals(before, after, rules, accepted)
    LOG.info("%d settings, refused: %s", len(after), [each.path for each in found])
    return found


def rolls_back(client: CloudFormationClient, stack: str) -> bool:
    """Return whether CloudFormation is taking the stack back to what it was."""
    status: str = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    LOG.info("%s: %s", stack, status)
    return "ROLLBACK" in status


def _client() -> CloudFormationClient:
    client: CloudFormationClient = boto3.client(
        "cloudformation", config=Config(retries={"mode": "standard", "max_attempts": 5})
    )
    return client
