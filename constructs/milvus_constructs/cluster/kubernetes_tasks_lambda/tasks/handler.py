"""Entry points of the Lambda functions behind the custom resources that look after a release and a StorageClass."""

from __future__ import annotations

import time
from typing import Any

from .etcd_volumes import grow
from .gp2_non_default import make_non_default
from .kubectl import KubectlError, log_in, run
from .pending import take_up
from .readiness import not_ready

PREPARATION = "Custom::ReleasePreparation"
READINESS = "Custom::ReleaseReadiness"
STORAGE_CLASS = "Custom::NonDefaultStorageClass"
# CloudFormation cuts a longer reason off, and with it the place of the log.
_LONGEST_FAILURE = 1500


class NotReadyError(Exception):
    """The release, or the way for it, was not ready in time; the message says what is missing, and why."""


def on_event(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start a task. Nothing is undone when its resource is deleted."""
    kind, properties = event["ResourceType"], event["ResourceProperties"]
    if kind in {PREPARATION, READINESS}:
        name = f"{properties['Namespace']}/{properties['Release']}"
    elif kind == STORAGE_CLASS:
        name = properties["StorageClass"]
    else:
        raise ValueError(f"unknown resource type {kind}; known: {PREPARATION}, {READINESS}, {STORAGE_CLASS}")
    # The deadline reaches `is_complete` with the event: a state machine calls that again and again, for longer than
    # any single Lambda function may run.
    deadline = time.time() + float(properties.get("TimeoutSeconds", 0))
    return {"PhysicalResourceId": f"{kind.rpartition(':')[2]}-{name}", "Deadline": deadline}


def is_complete(event: dict[str, Any], _context: object) -> dict[str, bool]:
    """Do, or look again.

    Raises:
        NotReadyError: The time of a release is up.
    """
    if event["RequestType"] == "Delete":
        return {"IsComplete": True}
    properties = event["ResourceProperties"]
    if event["ResourceType"] == STORAGE_CLASS:
        return {"IsComplete": _class_is_non_default(event, properties)}
    return {"IsComplete": _release_is_ready(event, properties)}


def _class_is_non_default(event: dict[str, Any], properties: dict[str, Any]) -> bool:
    try:
        log_in(properties["ClusterName"])
        print(make_non_default(properties["StorageClass"]))  # noqa: T201 - Lambda's log
    except KubectlError as error:
        # A cluster that was just made may not know its access entries and roles yet.
        if time.time() >= float(event["Deadline"]):
            raise
        print(f"the cluster did not answer, it is asked again: {error}")  # noqa: T201 - Lambda's log
        return False
    return True


def _release_is_ready(event: dict[str, Any], properties: dict[str, Any]) -> bool:
    """Look whether the release is rolled out, or bring what stands in its way out of it."""
    namespace, release = properties["Namespace"], properties["Release"]
    preparation = event["ResourceType"] == PREPARATION
    try:
        log_in(properties["ClusterName"])
        if preparation:
            waiting = take_up(namespace, release) or grow(namespace, properties["Etcd"], int(properties["VolumeGib"]))
        else:
            waiting = not_ready(namespace, release)
    except KubectlError as error:
        # An API server that is being upgraded refuses connections for minutes.
        waiting = [f"the cluster did not answer: {error}"]
    if not waiting:
        return True
    print(f"waiting for {len(waiting)}: {'; '.join(waiting)}")  # noqa: T201 - Lambda's log
    if time.time() < float(event["Deadline"]):
        return False
    minutes = int(float(properties["TimeoutSeconds"]) / 60)
    state = "cannot be upgraded yet" if preparation else "is not ready"
    text = f"release {release} in namespace {namespace} {state} after {minutes} minutes: {'; '.join(waiting)}"
    if _rolling_back(event["StackId"]):
        # A rollback that fails leaves a stack that nothing but a person can move again.
        print(f"the stack is being rolled back, so this is no failure: {text}")  # noqa: T201 - Lambda's log
        return True
    raise NotReadyError(text if len(text) <= _LONGEST_FAILURE else f"{text[:_LONGEST_FAILURE]}...")


def _rolling_back(stack_id: str) -> bool:
    query = ("--query", "Stacks[0].StackStatus", "--output", "text", "--cli-connect-timeout", "5")
    try:
        return "ROLLBACK" in run("aws", "cloudformation", "describe-stacks", "--stack-name", stack_id, *query)
    except KubectlError as error:
        print(f"the state of the stack is unknown: {error}")  # noqa: T201 - Lambda's log
        return False
