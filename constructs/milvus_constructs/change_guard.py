"""Stands before everything in a stack, and refuses updates whose settings cannot change so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.handler import handler_function
from milvus_constructs.logs import retention
from milvus_constructs.removal import RemovalSetting, removal_policy
from settings import refusals
from settings.version import version

_CODE = Path(__file__).parent / "change_guard_lambda"
_LOG_DAYS = 90


class ChangeGuard(Construct):
    """Keeps the settings of a stack as properties of a custom resource, and fails an update that they refuse.

    CloudFormation hands its function the settings that are deployed and those that are wanted, whoever deploys. A
    rollback passes. Costs nothing to speak of.

    Example:
        >>> ChangeGuard(stack, "Guard", settings={"a.b": 1}, rules={}, accepted=[], removal="destroy")
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Mapping[str, Any],
        rules: Mapping[str, Any],
        accepted: Sequence[Mapping[str, Any]],
        removal: RemovalSetting,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "FunctionLogs", retention=retention(_LOG_DAYS), removal_policy=removal_policy(removal)
        )
        function = handler_function(
            self,
            code=_CODE,
            beside=[Path(refusals.__file__)],
            description="Refuses changes of settings that cannot be",
            timeout=cdk.Duration.minutes(1),
            # Whether the stack is being rolled back, which has to pass.
            may=[iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[cdk.Aws.STACK_ID])],
            log_group=log_group,
        )
        # Called by CloudFormation itself, without CDK's framework: one function at a time in each stack, where a new
        # account may run ten.
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::ChangeGuard",
            service_token=function.function_arn,
            properties={
                "Settings": _json(settings),
                "Rules": _json(rules),
                "Accepted": _json(accepted),
                "Version": version(),
            },
        )
        """Everything else in the stack waits for it."""


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
