"""The configuration of the brokers: what Milvus needs of Kafka."""

from __future__ import annotations

from aws_cdk import aws_msk as msk
from constructs import Construct

from milvus_constructs.stack_suffix import stack_suffix
from settings.queue import Msk, copies


def server_properties(settings: Msk, *, zones: int) -> str:
    """Return the broker properties, sorted, so that the same settings never make a new revision.

    Milvus writes to partition 0 of its topics only, creates topics itself, and sends messages up to
    ``milvus_message_max_bytes``, 10 MiB by default. Every property is one that MSK allows:
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-properties.html
    """
    replicas = copies(zones)
    properties: dict[str, object] = {
        "auto.create.topics.enable": "true",
        "default.replication.factor": replicas,
        "log.retention.hours": settings.retention_hours,
        "message.max.bytes": settings.message_max_bytes,
        # One broker can be away, for a patch by MSK too. With two copies that leaves one to acknowledge; demanding both
        # would stop every write whenever a broker restarts.
        "min.insync.replicas": max(1, replicas - 1),
        "num.partitions": 1,
        # Kafka's default of 3 could never be met by two brokers.
        "offsets.topic.replication.factor": replicas,
        "replica.fetch.max.bytes": settings.replica_fetch_max_bytes,
        # MSK's default is true: a broker that missed writes may become the leader, and they are lost.
        "unclean.leader.election.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in sorted(properties.items()))


class MskConfiguration(Construct):
    """An MSK configuration. A change of the properties makes a new revision, with which MSK restarts broker by broker.

    It names no Kafka versions: they cannot be changed in place, and an upgrade of Kafka would then have to replace a
    configuration that is in use. Its name ends in the stack's suffix, because MSK gives a name free only some time
    after the configuration is gone (hashicorp/terraform-provider-aws#15795). Costs nothing.

    Example:
        >>> MskConfiguration(self, "Configuration", name="milvus-dev", settings=env.queue, zones=3).info
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, settings: Msk, zones: int) -> None:
        super().__init__(scope, construct_id)
        resource = msk.CfnConfiguration(
            self,
            "Resource",
            name=f"{name}-{stack_suffix(self)}",
            description=f"Broker properties for Milvus in {name}",
            server_properties=server_properties(settings, zones=zones),
        )
        self.info = msk.CfnCluster.ConfigurationInfoProperty(
            arn=resource.attr_arn,
            # The newest revision, so that changed properties reach the cluster in the same deployment.
            revision=resource.attr_latest_revision_revision,
        )
        """What a cluster refers to it by."""
