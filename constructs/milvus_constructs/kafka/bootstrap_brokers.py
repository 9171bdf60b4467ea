"""Reads where clients find the brokers: CloudFormation does not tell."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

_FIELD = "BootstrapBrokerStringSaslScram"


class BootstrapBrokers(Construct):
    """The comma-separated ``host:9096`` list of a cluster, read at deployment by ``kafka:GetBootstrapBrokers``.

    It is read once in the life of a cluster: a client needs some brokers to find all, those added later too, and a list
    that changed would be an export that CloudFormation refuses to change while Milvus uses it. A cluster without SCRAM
    has no such list, and the deployment fails. Costs nothing to speak of.
    (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1077)

    Example:
        >>> BootstrapBrokers(self, "Brokers", cluster_arn=arn, log_group=log_group).sasl_scram
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster_arn: str, log_group: logs.ILogGroup) -> None:
        super().__init__(scope, construct_id)
        # Not AWSLambdaBasicExecutionRole: that managed policy may write to every log group of the account.
        role = iam.Role(self, "FunctionRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        self.resource = cr.AwsCustomResource(
            self,
            "Resource",
            resource_type="Custom::MskBootstrapBrokers",
            # Serves create too.
            on_update=cr.AwsSdkCall(
                service="Kafka",
                action="getBootstrapBrokers",
                parameters={"ClusterArn": cluster_arn},
                output_paths=[_FIELD],
                physical_resource_id=cr.PhysicalResourceId.of("bootstrap-brokers"),
            ),
            policy=cr.AwsCustomResourcePolicy.from_statements(
                [iam.PolicyStatement(actions=["kafka:GetBootstrapBrokers"], resources=[cluster_arn])]
            ),
            install_latest_aws_sdk=False,
            timeout=cdk.Duration.minutes(2),
            log_group=log_group,
            role=role,
        )
        self.sasl_scram: str = self.resource.get_response_field(_FIELD)
        """Brokers as Kafka clients take them, such as ``b-1...:9096,b-2...:9096``."""
