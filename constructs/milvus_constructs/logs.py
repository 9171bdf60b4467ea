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
    """Keeps the logs of every function that CDK adds to a stack 30 days, and leaves them behind only with the data.

    CDK's built-in providers (emptying a bucket, closing the default security group) leave their log group to Lambda,
    which keeps it for ever; the log groups of its other functions are kept two years, and beyond the stack. Log groups
    that a construct of this project makes are none of them, and stay as they are.

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
        elif isinstance(node, logs.CfnLogGroup) and _made_with_a_function(node) and self._in_stack(node):
            node.retention_in_days = _FUNCTION_LOG_DAYS
            node.apply_removal_policy(removal_policy(self._removal))

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


def _made_with_a_function(group: logs.CfnLogGroup) -> bool:
    around = group.node.scope
    return around is not None and isinstance(around.node.scope, lambda_.Function)
