"""What the setting ``removal_policy`` means for CloudFormation."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_logs as logs

RemovalSetting = Literal["destroy", "retain"]


def removal_policy(setting: RemovalSetting) -> cdk.RemovalPolicy:
    """Return the policy for a resource that holds data.

    ``retain`` becomes RetainExceptOnCreate: data outlives its stack, but a first deployment that fails leaves nothing
    behind that would block the next one.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return cdk.RemovalPolicy.DESTROY if setting == "destroy" else cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


def retention(days: int) -> logs.RetentionDays:
    """Return the retention of a log group for a number of days.

    Raises:
        ValueError: CloudWatch Logs does not know this number of days.
    """
    names = {
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
    if days not in names:
        raise ValueError(f"log retention of {days} days: CloudWatch Logs takes {', '.join(map(str, names))}; use one")
    return logs.RetentionDays[names[days]]
