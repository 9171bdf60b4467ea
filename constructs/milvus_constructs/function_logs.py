"""Log groups of the Lambda functions that CDK adds by itself."""

from __future__ import annotations

from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.removal import RemovalSetting, removal_policy


def limit_function_logs(scope: Construct, *, days: int, removal: RemovalSetting) -> None:
    """Give every log group in a scope an end: CDK keeps those of its functions two years, and beyond the stack.

    Args:
        scope: A construct with the functions; call this after all of them are there.
        days: Days that the logs are kept.
        removal: Whether the logs outlive the stack.
    """
    for construct in scope.node.find_all():
        if isinstance(construct, logs.CfnLogGroup):
            construct.retention_in_days = days
            construct.apply_removal_policy(removal_policy(removal))
