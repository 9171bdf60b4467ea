"""Deletes the stacks of an environment one after the other, and says why where CloudFormation cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.destroy.items import Item, Plan, Stands
from ops.destroy.leftovers import Finder
from ops.destroy.standing import ClientFactory
from ops.errors import ExitCode, OpsError, one_line
from settings import Environment
from settings.parts import Part, stack_name

_PAUSE_SECONDS = (1.0, 10.0)
"""The first wait, and the longest: each is half as long again as the one before."""
# CloudFormation gives up before that by itself.
_WAIT_SECONDS = 3 * 3600
_CANCELLED = "Resource deletion cancelled"
_BUSY = "_IN_PROGRESS"
_DELETING, _GONE, _REVIEW = "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"

Say = Callable[[str], None]


def require_deletable(plan: Plan, *, file: str) -> None:
    """Refuse, before anything is touched, what CloudFormation would refuse half-way.

    Args:
        plan: What is there.
        file: How the remedy names the environment's file.

    Raises:
        OpsError: A stack is protected, or something else is changing it.
    """
    if plan.protected:
        raise OpsError(
            f"protected against deletion: {', '.join(plan.protected)}",
            remedy=f"If all of it shall go, set `termination_protection: false` in {file}, deploy, and repeat",
            code=ExitCode.REFUSED,
        )
    busy = [f"{each.name} ({each.state})" for each in plan.stacks if each.state.endswith(_BUSY)]
    busy = [each for each in busy if _DELETING not in each and _REVIEW not in each]
    if busy:
        raise OpsError(f"a deployment is under way: {', '.join(busy)}", remedy="Wait for its end, and repeat")


def destroy(
    env: Environment,
    plan: Plan,
    *,
    clients: ClientFactory,
    say: Say,
    before_network: Callable[[], object] | None = None,
    pause: Callable[[float], None],
) -> None:
    """Delete what is there, in its order, and wait for each stack.

    Args:
        env: The environment.
        plan: What is there of it.
        clients: Makes the boto3 client of a service.
        say: Hears of each stack.
        before_network: Called when all but the network is gone: the moment to remove what would hold it.
        pause: Waits for seconds.

    Raises:
        OpsError: A stack cannot be deleted, with the resources and reasons; or load balancers are left that only the
            cluster's controller can remove. Both can be repeated.
    """
    cloudformation = clients("cloudformation")
    for stack in plan.stacks:
        if stack.name == stack_name(env, Part.EKS):
            require_no_load_balancers(foreign_load_balancers(env, clients=clients))
        if before_network and stack.name == stack_name(env, Part.NETWORK):
            before_network()
        try:
            _delete(cloudformation, stack, say, pause)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"CloudFormation goes on deleting {stack.name}; repeat the command for what comes after")
            raise


def foreign_load_balancers(env: Environment, *, clients: ClientFactory) -> list[Item]:
    """Return the load balancers that the cluster's controller made and has not removed."""
    with aws.reading("the load balancers"):
        return list(Finder(env, clients).load_balancers())


def require_no_load_balancers(found: Sequence[Item]) -> None:
    """Refuse to delete the cluster while its controller has load balancers to remove."""
    if found:
        names = ", ".join(f"{item.id} ({item.of or 'of an unknown Service'})" for item in found)
        raise OpsError(
            f"Milvus is gone, the cluster is not touched: its controller still has load balancers: {names}",
            remedy="Delete their Services and Ingresses (`kubectl --namespace NAMESPACE delete service NAME`), then "
            "repeat; where Kubernetes cannot be reached any more, `aws elbv2 delete-load-balancer`",
        )


def _delete(cloudformation: aws.AwsClient, stack: Stands, say: Say, pause: Callable[[float], None]) -> None:
    began = time.monotonic()
    wait, longest = _PAUSE_SECONDS
    with aws.reading(f"the stack {stack.name}"):
        if stack.state != _DELETING:
            # Without a role: CloudFormation takes the one that deployed the stack.
            cloudformation.delete_stack(StackName=stack.id)
        say(f"{stack.name}: deleting {stack.resources} resources")
        while (state := _state(cloudformation, stack)) in {_DELETING, stack.state} and state != "DELETE_FAILED":
            if time.monotonic() - began > _WAIT_SECONDS:
                raise OpsError(f"{stack.name} is still being deleted after 3 hours", remedy="Look at it in the console")
            pause(wait)
            wait = min(wait * 1.5, longest)
        if state != _GONE:
            reasons = "; ".join(_reasons(cloudformation, stack)) or "CloudFormation gives no reason"
            raise OpsError(
                f"{stack.name} cannot be deleted ({state}): {reasons}",
                remedy="docs/destroy.md#when-it-stops says what holds it; then repeat, with --leftovers for what "
                "load balancers and pods left in the network",
            )
    minutes = (time.monotonic() - began) / 60
    say(f"{stack.name}: gone after {minutes:.0f} min")


def _state(cloudformation: aws.AwsClient, stack: Stands) -> str:
    # By its id: by its name CloudFormation knows no stack that is gone.
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack.id)["Stacks"]
    except ClientError as error:
        if aws.is_missing_stack(error):
            return _GONE
        raise
    return str(found["StackStatus"])


def _reasons(cloudformation: aws.AwsClient, stack: Stands) -> list[str]:
    """Return why resources could not be deleted this time, the first one first."""
    found: list[str] = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack.id):
        for event in page["StackEvents"]:
            if _begins(event, stack):
                return found[::-1]
            reason = one_line(event.get("ResourceStatusReason") or "", limit=1000)
            of_resource = event["ResourceType"] != "AWS::CloudFormation::Stack"
            if of_resource and event["ResourceStatus"] == "DELETE_FAILED" and _CANCELLED not in reason:
                found.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
    return found[::-1]


def _begins(event: dict[str, Any], stack: Stands) -> bool:
    return bool(event.get("PhysicalResourceId") == stack.id and event["ResourceStatus"] == _DELETING)
