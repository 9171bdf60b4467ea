"""The Streaming stack: Kafka for Milvus's write-ahead log, and the user that Milvus signs in as."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from milvus_constructs.encryption_key import EncryptionKey
from milvus_constructs.kafka.bootstrap_brokers import BootstrapBrokers
from milvus_constructs.kafka.cluster import MskCluster
from milvus_constructs.kafka.scram_association import ScramAssociation
from milvus_constructs.kafka.user import KafkaUser
from milvus_constructs.logs import retention
from milvus_constructs.removal import removal_policy
from settings import Environment, output_keys
from settings.parts import Part
from settings.queue import Msk
from stacks.base import EnvironmentStack


class StreamingStack(EnvironmentStack):
    """Holds what Milvus has written but not yet flushed to S3, and takes it along when it is destroyed.

    Depends on the Network stack only. Protected against deletion where the environment is.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        env: Environment,
        settings: Msk,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
    ) -> None:
        super().__init__(scope, Part.STREAMING, env=env, description="Amazon MSK and the user of Milvus")
        name, removal = env.name, env.removal_policy
        key = EncryptionKey(self, "Key", description=f"MSK cluster {name} and its users", removal=removal)
        self.cluster = MskCluster(
            self, "Kafka", name=name, settings=settings, vpc=vpc, subnets=subnets, key=key, removal=removal
        )
        """The brokers."""
        self.user = KafkaUser(self, "User", name=name, username=settings.username, key=key, removal=removal)
        """The secret with user name and password, and ``grant_read``."""
        log_group = logs.LogGroup(
            self,
            "FunctionLogs",
            retention=retention(settings.log_retention_days),
            removal_policy=removal_policy(removal),
        )
        association = ScramAssociation(
            self,
            "Association",
            cluster_arn=self.cluster.cluster_arn,
            secret=self.user,
            key=key,
            log_group=log_group,
        )
        brokers = BootstrapBrokers(self, "Brokers", cluster_arn=self.cluster.cluster_arn, log_group=log_group)
        # Whoever has the list can log in: Milvus's stack waits for it, and so for the association.
        brokers.resource.node.add_dependency(association)
        self.security_group: ec2.ISecurityGroup = self.cluster.security_group
        """Security group of the brokers; opened by `KafkaAccess` in the client's stack."""
        self.bootstrap_brokers = brokers.sasl_scram
        """Comma-separated ``host:9096`` list."""
        self._outputs()

    def _outputs(self) -> None:
        for output, value, description in (
            (output_keys.MSK_CLUSTER_ARN, self.cluster.cluster_arn, "ARN of the MSK cluster."),
            (output_keys.KAFKA_SECRET_ARN, self.user.secret_arn, "Secret with the user name and password for Kafka."),
            (output_keys.BOOTSTRAP_BROKERS, self.bootstrap_brokers, "Brokers for SASL/SCRAM over TLS."),
        ):
            cdk.CfnOutput(self, output, value=value, description=description)
