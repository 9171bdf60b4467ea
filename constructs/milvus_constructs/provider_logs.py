"""Log groups for the Lambda functions that CDK adds to a stack by itself."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.removal import RemovalSetting, removal_policy, retention


def manage_provider_logs(stack: cdk.Stack, *, days: int, removal: RemovalSetting) -> None:
    """Give every provider function at the top of a stack a log group with an end.

    CDK's built-in providers (emptying a bucket, closing the default security group) leave their log group to Lambda,
    which keeps it for ever and beyond the stack. Call this last: it sees only the providers that are there.

    Args:
        stack: The stack whose providers are meant.
        days: Days that the logs are kept.
        removal: Whether the logs outlive the stack.
    """
    for provider in stack.node.children:
        if not isinstance(provider, cdk.CustomResourceProviderBase):
            continue
        function = provider.node.find_child("Handler")
        if not isinstance(function, cdk.CfnResource):
            raise TypeError(f"{function.node.path} is no CloudFormation resource; aws-cdk-lib changed here")
        group = _log_group(provider, days=days, removal=removal)
        function.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})


def _log_group(scope: Construct, *, days: int, removal: RemovalSetting) -> logs.LogGroup:
    return logs.LogGroup(scope, "LogGroup", retention=retention(days), removal_policy=removal_policy(removal))
