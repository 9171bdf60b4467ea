"""Ends of log groups: how long one is kept, and those of the functions that CDK adds to a stack by itself."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from milvus_constructs.removal import RemovalSetting, removal_policy
from milvus_constructs.tree import child

_FUNCTION_LOG_DAYS = 30
_RETENTION = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    731: "TWO_YEARS",
}


def retention(days: int) -> logs.RetentionDays:
    """Return the retention of a log group for a number of days.

    Raises:
        ValueError: CloudWatch Logs does not know this number of days.
    """
    if days not in _RETENTION:
        raise ValueError(
            f"log retention of {days} days: CloudWatch Logs takes {', '.join(map(str, _RETENTION))}; use one"
        )
    return logs.RetentionDays[_RETENTION[days]]


def end_function_logs(stack: cdk.Stack, *, removal: RemovalSetting) -> None:
    """Give every function that CDK added to a stack a log group that is there before it and goes after it.

    CDK names the group after the function, so that nothing keeps a first call from coming before the group, which then
    "already exists" (aws-cdk#667), and a last call from coming after it, which makes it anew and without an end
    (aws-cdk#32689). A group under a name of its own is one that the function names, and so whoever calls the function
    waits for it. Built-in providers (emptying a bucket, closing the default security group) have none at all.

    The logs are kept 30 days, and beyond the stack only with the data. Log groups that a construct of this project
    makes are none of them, and stay as they are. So do stacks below this one, in a pipeline's stages.

    Example:
        >>> end_function_logs(stack, removal="destroy")
    """
    for node in stack.node.find_all():
        if isinstance(node, cdk.CustomResourceProviderBase):
            if cdk.Stack.of(node) is stack:
                _give_log_group(node, removal)
        elif isinstance(node, logs.CfnLogGroup) and (function := _function_of(node)) and cdk.Stack.of(node) is stack:
            _free_from_its_name(node, function, removal)


def _give_log_group(provider: cdk.CustomResourceProviderBase, removal: RemovalSetting) -> None:
    group = logs.LogGroup(
        provider, "LogGroup", retention=retention(_FUNCTION_LOG_DAYS), removal_policy=removal_policy(removal)
    )
    function = child(provider, "Handler", cdk.CfnResource)
    function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})


def _free_from_its_name(group: logs.CfnLogGroup, function: lambda_.Function, removal: RemovalSetting) -> None:
    group.log_group_name = None
    group.retention_in_days = _FUNCTION_LOG_DAYS
    group.apply_removal_policy(removal_policy(removal))
    resource = child(function, "Resource", lambda_.CfnFunction)
    resource.add_property_override("LoggingConfig", {"LogGroup": group.ref})


def _function_of(group: logs.CfnLogGroup) -> lambda_.Function | None:
    """Return the function with which CDK made a log group."""
    *_, owner, _around, _group = group.node.scopes
    return owner if isinstance(owner, lambda_.Function) else None
