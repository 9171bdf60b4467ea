"""Ends of log groups: how long one is kept, and those of the functions that CDK adds to a stack by itself."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import IConstruct

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


@jsii.implements(cdk.IAspect)
class FunctionLogs:
    """Gives every function that CDK adds to a stack a log group that is there before it and goes after it.

    CDK names the group after the function, so that nothing keeps a first call from coming before the group, which then
    "already exists" (aws-cdk#667), and a last call from coming after it, which makes it anew and without an end
    (aws-cdk#32689). A group under a name of its own is one that the function names, and so whoever calls the function
    waits for it. Built-in providers (emptying a bucket, closing the default security group) have none at all.

    The logs are kept 30 days, and beyond the stack only with the data. Log groups that a construct of this project
    makes are none of them, and stay as they are.

    Example:
        >>> cdk.Aspects.of(stack).add(FunctionLogs(stack, removal="destroy"))
    """

    def __init__(self, stack: cdk.Stack, *, removal: RemovalSetting) -> None:
        self._stack = stack
        self._removal: RemovalSetting = removal

    def visit(self, node: IConstruct) -> None:
        """Change one construct; stacks below this one, in a pipeline's stages, have an aspect of their own."""
        if isinstance(node, cdk.CustomResourceProviderBase):
            if self._in_stack(node):
                self._give_log_group(node)
        elif isinstance(node, logs.CfnLogGroup) and self._in_stack(node):
            function = _function_of(node)
            if function:
                self._free_from_its_name(node, function)

    def _in_stack(self, node: IConstruct) -> bool:
        return cdk.Stack.of(node).node.path == self._stack.node.path

    def _give_log_group(self, provider: cdk.CustomResourceProviderBase) -> None:
        group = logs.LogGroup(
            provider,
            "LogGroup",
            retention=retention(_FUNCTION_LOG_DAYS),
            removal_policy=removal_policy(self._removal),
        )
        function = child(provider, "Handler", cdk.CfnResource)
        function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})

    def _free_from_its_name(self, group: logs.CfnLogGroup, function: lambda_.Function) -> None:
        group.log_group_name = None
        group.retention_in_days = _FUNCTION_LOG_DAYS
        group.apply_removal_policy(removal_policy(self._removal))
        resource = child(function, "Resource", lambda_.CfnFunction)
        resource.add_property_override("LoggingConfig", {"LogGroup": group.ref})


def _function_of(group: logs.CfnLogGroup) -> lambda_.Function | None:
    """Return the function with which CDK made a log group."""
    around = group.node.scope
    owner = around.node.scope if around else None
    return owner if isinstance(owner, lambda_.Function) else None
