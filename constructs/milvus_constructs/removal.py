"""What the setting ``removal_policy`` means for CloudFormation."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk

RemovalSetting = Literal["destroy", "retain"]


def removal_policy(setting: RemovalSetting) -> cdk.RemovalPolicy:
    """Return the policy for a resource that holds data.

    ``retain`` becomes RetainExceptOnCreate: data outlives its stack, but a first deployment that fails leaves nothing
    behind that would block the next one.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return cdk.RemovalPolicy.DESTROY if setting == "destroy" else cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
