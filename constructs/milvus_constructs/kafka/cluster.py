"""An Amazon MSK cluster that speaks SASL/SCRAM over TLS and nothing else."""

from __future__ import annotations

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from constructs import Construct

from milvus_constructs.kafka.configuration import MskConfiguration
from milvus_constructs.logs import retention
from milvus_constructs.removal import RemovalSetting, removal_policy
from milvus_constructs.stack_suffix import stack_suffix
from settings.contract import KAFKA_PORT
from settings.queue import BrokerStorage, Msk


class MskCluster(Construct):
    """Brokers in the private subnets, encrypted at rest with a customer key and in transit with TLS.

    Clients sign in by SASL/SCRAM; neither IAM nor anonymous access is on. Its security group admits the networks in
    ``queue.private_cidrs``, and the stack of a client opens it with `KafkaAccess`. Volumes grow by themselves up to the
    ceiling of the settings, by 10 % or 10 GiB and not again for 6 to over 24 hours, and never shrink. It creates no
    users: see `KafkaUser` and `ScramAssociation`.

    Costs by broker and hour, by GB and month, and for metrics beyond DEFAULT. Creation takes 25 to 40 minutes. Name,
    subnets, KRaft and the key cannot be changed; more brokers can be added, a larger volume too. It goes with its stack
    even where the environment retains data: it stands in the VPC's subnets, and a cluster left behind would keep the
    whole network, and the bill. ``removal`` is about its logs. The L1 resource, because the alpha construct ignores a
    given key (aws-cdk#22617) and hides refused secrets (aws-cdk#34794).

    Example:
        >>> MskCluster(
        ...     self, "Kafka", name="milvus-dev", settings=queue, vpc=vpc, subnets=private, key=key, removal="destroy"
        ... )
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: Msk,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        key: kms.IKey,
        removal: RemovalSetting,
    ) -> None:
        super().__init__(scope, construct_id)
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description=f"Brokers of the MSK cluster {name}",
            allow_all_outbound=False,
        )
        """Admits the networks of the settings only; brokers talk to each other outside of it."""
        for cidr in settings.private_cidrs:
            self.security_group.add_ingress_rule(
                ec2.Peer.ipv4(cidr), ec2.Port.tcp(KAFKA_PORT), "Kafka with SASL/SCRAM from a network of the settings"
            )
        broker_logs = logs.LogGroup(
            self,
            "BrokerLogs",
            # Under this prefix services deliver without a policy per log group, whose size is limited.
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
            log_group_name=f"/aws/vendedlogs/msk/{name}-{stack_suffix(self)}",
            retention=retention(settings.log_retention_days),
            removal_policy=removal_policy(removal),
        )
        subnet_ids = vpc.select_subnets(subnet_type=subnets.subnet_type).subnet_ids
        configuration = MskConfiguration(self, "Configuration", name=name, settings=settings, zones=len(subnet_ids))
        self.resource = msk.CfnCluster(
            self,
            "Resource",
            cluster_name=name,
            kafka_version=settings.kafka_version,
            number_of_broker_nodes=settings.brokers,
            broker_node_group_info=self._brokers(settings, subnet_ids),
            client_authentication=_scram_only(),
            encryption_info=_encryption(key),
            enhanced_monitoring=settings.monitoring,
            logging_info=_logs_to(broker_logs),
            configuration_info=configuration.info,
        )
        self.cluster_arn: str = self.resource.attr_arn
        """ARN of the cluster."""
        if settings.storage.max_gib > settings.storage.volume_gib:
            self._grow(settings.storage)

    def _brokers(self, settings: Msk, subnet_ids: list[str]) -> msk.CfnCluster.BrokerNodeGroupInfoProperty:
        return msk.CfnCluster.BrokerNodeGroupInfoProperty(
            instance_type=settings.broker_type,
            client_subnets=subnet_ids,
            security_groups=[self.security_group.security_group_id],
            storage_info=msk.CfnCluster.StorageInfoProperty(
                ebs_storage_info=msk.CfnCluster.EBSStorageInfoProperty(volume_size=settings.storage.volume_gib)
            ),
        )

    def _grow(self, storage: BrokerStorage) -> None:
        # https://docs.aws.amazon.com/msk/latest/developerguide/msk-autoexpand.html
        target = scaling.CfnScalableTarget(
            self,
            "StorageTarget",
            service_namespace="kafka",
            scalable_dimension="kafka:broker-storage:VolumeSize",
            resource_id=self.cluster_arn,
            # MSK takes no other minimum: volumes never shrink.
            min_capacity=1,
            max_capacity=storage.max_gib,
        )
        scaling.CfnScalingPolicy(
            self,
            "StorageGrowth",
            policy_name="broker-storage",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=storage.target_percent,
                disable_scale_in=True,
                predefined_metric_specification=scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="KafkaBrokerStorageUtilization"
                ),
            ),
        )


def _scram_only() -> msk.CfnCluster.ClientAuthenticationProperty:
    return msk.CfnCluster.ClientAuthenticationProperty(
        sasl=msk.CfnCluster.SaslProperty(
            scram=msk.CfnCluster.ScramProperty(enabled=True), iam=msk.CfnCluster.IamProperty(enabled=False)
        ),
        unauthenticated=msk.CfnCluster.UnauthenticatedProperty(enabled=False),
    )


def _encryption(key: kms.IKey) -> msk.CfnCluster.EncryptionInfoProperty:
    return msk.CfnCluster.EncryptionInfoProperty(
        encryption_at_rest=msk.CfnCluster.EncryptionAtRestProperty(data_volume_kms_key_id=key.key_arn),
        encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True),
    )


def _logs_to(group: logs.ILogGroup) -> msk.CfnCluster.LoggingInfoProperty:
    return msk.CfnCluster.LoggingInfoProperty(
        broker_logs=msk.CfnCluster.BrokerLogsProperty(
            cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(enabled=True, log_group=group.log_group_name)
        )
    )
