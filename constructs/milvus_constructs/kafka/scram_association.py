"""Makes a SCRAM secret known to an MSK cluster, or fails the deployment."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import custom_resources as cr
from constructs import Construct

from milvus_constructs.checks.cdk_providers import acknowledge_provider

_CODE = Path(__file__).parent / "scram_association_lambda"


class ScramAssociation(Construct):
    """Associates one secret with one cluster, looks whether MSK really took it, and undoes it on delete.

    A function of its own instead of ``AWS::MSK::BatchScramSecret``, because that type owns the whole list: it removes
    what others have associated (hashicorp/terraform-provider-awscc#631), and nothing documents that it fails when MSK
    refuses a secret, which MSK reports inside a successful answer (aws-cdk#34794). Costs nothing to speak of.

    Permissions: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmanagedstreamingforapachekafka.html

    Example:
        >>> ScramAssociation(
        ...     self, "Association", cluster_arn=arn, secret=secret, key=key, log_group=log_group
        ... )
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_arn: str,
        secret: secretsmanager.ISecret,
        key: kms.IKey,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        # Not AWSLambdaBasicExecutionRole: that managed policy may write to every log group of the account.
        role = iam.Role(self, "FunctionRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        function = lambda_.Function(
            self,
            "Function",
            description="Associates a SCRAM secret with an MSK cluster and fails if MSK does not accept it",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(_CODE), exclude=["*", "!handler.py"]),
            handler="handler.on_event",
            # Ten attempts with a quarter of a minute between them, and the calls themselves.
            timeout=cdk.Duration.minutes(5),
            memory_size=256,
            log_group=log_group,
            role=role,
        )
        self._grant(function, cluster_arn, key)
        provider = cr.Provider(self, "Provider", on_event_handler=function, log_group=log_group)
        acknowledge_provider(provider, function)
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::MskScramAssociation",
            service_token=provider.service_token,
            properties={"ClusterArn": cluster_arn, "SecretArn": secret.secret_arn},
        )

    def _grant(self, function: lambda_.Function, cluster_arn: str, key: kms.IKey) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=[
                    "kafka:BatchAssociateScramSecret",
                    "kafka:BatchDisassociateScramSecret",
                    "kafka:ListScramSecrets",
                ],
                resources=[cluster_arn],
            )
        )
        # MSK gives itself a grant on the key in the caller's name. The secret it reads by its service-linked role.
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], resources=[key.key_arn]
            )
        )
