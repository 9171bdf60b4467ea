"""Opens the brokers for one client."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from settings.contract import KAFKA_PORT


class KafkaAccess(Construct):
    """Admits one security group to the brokers, on the SASL/SCRAM port and no other.

    Create it in the stack that needs the access. The rule is a resource of that stack, so that neither the brokers wait
    for the client nor the client for the brokers (aws-cdk#7231): ``security_group.add_ingress_rule`` would put it next
    to the brokers.

    Example:
        >>> KafkaAccess(
        ...     stack, "Kafka", brokers=streaming.security_group,
        ...     client_security_group_id=cluster.cluster_security_group_id,
        ... )
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, brokers: ec2.ISecurityGroup, client_security_group_id: str
    ) -> None:
        super().__init__(scope, construct_id)
        ec2.CfnSecurityGroupIngress(
            self,
            "Ingress",
            description="Kafka with SASL/SCRAM from the cluster that runs Milvus",
            group_id=brokers.security_group_id,
            source_security_group_id=client_security_group_id,
            ip_protocol="tcp",
            from_port=KAFKA_PORT,
            to_port=KAFKA_PORT,
        )
