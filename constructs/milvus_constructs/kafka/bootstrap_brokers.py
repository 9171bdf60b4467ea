"""Reads where clients find the brokers: CloudFormation does not tell."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.handler import handler_provider

_CODE = Path(__file__).parent / "bootstrap_brokers_lambda"
_FIELD = "BootstrapBrokerStringSaslScram"


class BootstrapBrokers(Construct):
    """The comma-separated ``host:9096`` list of a cluster, read at deployment by ``kafka:GetBootstrapBrokers``.

    It is read once in the life of a cluster, and sorted: a client needs some brokers to find all, those added later
    too, while MSK names others in another order each time, and a list that changed would be an export that
    CloudFormation refuses to change while Milvus uses it. A cluster without SCRAM has no such list, and the deployment
    fails. Costs nothing to speak of.
    (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1077)

    Example:
        >>> BootstrapBrokers(self, "Brokers", cluster_arn=arn, log_group=log_group).sasl_scram
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster_arn: str, log_group: logs.ILogGroup) -> None:
        super().__init__(scope, construct_id)
        provider = handler_provider(
            self,
            code=_CODE,
            description="Reads the brokers of an MSK cluster for SASL/SCRAM",
            # Ten attempts with a quarter of a minute between them, and the calls themselves.
            timeout=cdk.Duration.minutes(5),
            may=[iam.PolicyStatement(actions=["kafka:GetBootstrapBrokers"], resources=[cluster_arn])],
            log_group=log_group,
        )
        self.resource = cdk.CustomResource(
            self,
            "List",
            resource_type="Custom::MskBootstrapBrokers",
            service_token=provider.service_token,
            properties={"ClusterArn": cluster_arn},
        )
        self.sasl_scram: str = self.resource.get_att_string(_FIELD)
        """Brokers as Kafka clients take them, such as ``b-1...:9096,b-2...:9096``."""
