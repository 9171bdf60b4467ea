"""The log group of an EKS control plane, whose name EKS chooses and which it makes again when it likes."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.checks.acknowledgements import acknowledge, wildcard
from milvus_constructs.handler import handler_provider
from milvus_constructs.removal import RemovalSetting

_CODE = Path(__file__).parent / "control_plane_logs_lambda"


class ControlPlaneLogs(Construct):
    """Sees that ``/aws/eks/NAME/cluster`` exists and ends, before the cluster writes to it.

    By a function, and no ``AWS::Logs::LogGroup``: EKS's service-linked role makes the group anew when it delivers
    events after the stack deleted it (terraform-aws-eks#2763), and CloudFormation could not create it a second time.
    A group that exists is taken over. With ``removal="destroy"`` it is deleted after the cluster, and looked for again
    for some minutes; with ``retain`` it stays. Costs by GB of events.

    Example:
        >>> ControlPlaneLogs(stack, "Logs", cluster_name="milvus-dev", days=90, removal="destroy", log_group=log_group)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_name: str,
        days: int,
        removal: RemovalSetting,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"/aws/eks/{cluster_name}/cluster"
        arn = cdk.Stack.of(self).format_arn(
            service="logs", resource="log-group", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        provider = handler_provider(
            self,
            code=_CODE,
            description=f"Looks after the log group {name}",
            timeout=cdk.Duration.minutes(10),
            may=[
                iam.PolicyStatement(
                    actions=["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"],
                    # CloudWatch Logs judges by the ARN with an asterisk, which is what it calls the group itself.
                    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
                    resources=[f"{arn}:*"],
                )
            ],
            log_group=log_group,
        )
        acknowledge(self, {wildcard(self, f"{arn}:*"): "the ARN of this one group ends so"})
        cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::ControlPlaneLogs",
            service_token=provider.service_token,
            properties={"LogGroup": name, "RetentionInDays": str(days), "Removal": removal},
        )
