"""Makes a SCRAM secret known to an MSK cluster, or fails the deployment."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from milvus_constructs.handler import handler_provider

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
        provider = handler_provider(
            self,
            code=_CODE,
            description="Associates a SCRAM secret with an MSK cluster and fails if MSK does not accept it",
            # Ten attempts with a quarter of a minute between them, and the calls themselves.
            timeout=cdk.Duration.minutes(5),
            may=[
                iam.PolicyStatement(
                    actions=[
                        "kafka:BatchAssociateScramSecret",
                        "kafka:BatchDisassociateScramSecret",
                        "kafka:ListScramSecrets",
                    ],
                    resources=[cluster_arn],
                ),
                # MSK gives itself a grant on the key in the caller's name. The secret it reads by its service-linked
                # role.
                iam.PolicyStatement(actions=["kms:DescribeKey", "kms:RetireGrant"], resources=[key.key_arn]),
                iam.PolicyStatement(
                    actions=["kms:CreateGrant"],
                    resources=[key.key_arn],
                    # In the name of a service, and for nobody else.
                    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource
                    conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                ),
            ],
            log_group=log_group,
        )
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::MskScramAssociation",
            service_token=provider.service_token,
            properties={"ClusterArn": cluster_arn, "SecretArn": secret.secret_arn},
        )
