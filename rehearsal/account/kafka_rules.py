"""MSK's own rules for clusters and configurations that neither a schema nor the settings hold."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from rehearsal.account.base import Properties, Request
from rehearsal.account.network import require_security_groups, require_subnets
from rehearsal.account.refusals import ResourceError, service_fault
from settings.regions import TWO_ZONES

# https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-properties.html
_PROPERTY_NAMES = """
    allow.everyone.if.no.acl.found auto.create.topics.enable compression.type connections.max.idle.ms
    default.replication.factor delete.topic.enable group.initial.rebalance.delay.ms group.max.session.timeout.ms
    group.min.session.timeout.ms leader.imbalance.per.broker.percentage log.cleaner.delete.retention.ms
    log.cleaner.min.cleanable.ratio log.cleanup.policy log.flush.interval.messages log.flush.interval.ms
    log.message.timestamp.difference.max.ms log.message.timestamp.type log.retention.bytes log.retention.hours
    log.retention.minutes log.retention.ms log.roll.ms log.segment.bytes
    max.incremental.fetch.session.cache.slots message.max.bytes min.insync.replicas num.io.threads
    num.network.threads num.partitions num.recovery.threads.per.data.dir num.replica.fetchers
    offsets.retention.minutes offsets.topic.replication.factor replica.fetch.max.bytes
    replica.fetch.response.max.bytes replica.lag.time.max.ms replica.selector.class
    replica.socket.receive.buffer.bytes socket.receive.buffer.bytes socket.request.max.bytes
    socket.send.buffer.bytes transaction.max.timeout.ms transaction.state.log.min.isr
    transaction.state.log.replication.factor transactional.id.expiration.ms unclean.leader.election.enable
    log.local.retention.bytes log.local.retention.ms remote.log.msk.disable.policy
"""
# https://docs.aws.amazon.com/msk/1.0/apireference/operations.html
_OPERATIONS = {
    "UpdateBrokerCount": ("NumberOfBrokerNodes",),
    "UpdateBrokerType": ("BrokerNodeGroupInfo.InstanceType",),
    "UpdateBrokerStorage": ("BrokerNodeGroupInfo.StorageInfo",),
    "UpdateClusterKafkaVersion": ("KafkaVersion",),
    "UpdateClusterConfiguration": ("ConfigurationInfo",),
    "UpdateMonitoring": ("EnhancedMonitoring", "LoggingInfo", "OpenMonitoring"),
    "UpdateSecurity": ("ClientAuthentication", "EncryptionInfo"),
}
SERVER_PROPERTIES = frozenset(_PROPERTY_NAMES.split())


def refused(error: ClientError) -> ResourceError:
    """Return what MSK answered, as a resource handler reports it."""
    return service_fault("Kafka", error.response["Error"]["Message"])


def check_cluster(request: Request) -> None:
    """MSK's rules for a new cluster; what the settings refuse, such as four brokers in three zones, never gets here.

    https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html and the limits of
    https://docs.aws.amazon.com/msk/latest/developerguide/limits.html

    Raises:
        ResourceError: The first rule that is broken.
    """
    wanted = request.properties
    nodes = wanted["BrokerNodeGroupInfo"]
    subnets = require_subnets(request, nodes["ClientSubnets"])
    zones = {subnet["AvailabilityZone"] for subnet in subnets}
    if len(zones) not in {2, 3} or len(zones) != len(subnets):
        raise service_fault(
            "Kafka", "Specify either two or three client subnets, each in a different Availability Zone."
        )
    # https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html (clientSubnets)
    if len(zones) != 2 and any(zone.startswith(TWO_ZONES) for zone in zones):
        raise service_fault("Kafka", "Specify exactly two client subnets in the US West (N. California) Region.")
    if len({subnet["VpcId"] for subnet in subnets}) > 1:
        raise service_fault("Kafka", "The client subnets must belong to the same VPC.")
    require_security_groups(request, nodes.get("SecurityGroups", []))
    if key := wanted.get("EncryptionInfo", {}).get("EncryptionAtRest", {}).get("DataVolumeKMSKeyId"):
        require_key(request, key)
    _check_references(request, wanted)


def check_update(before: Properties, after: Properties) -> None:
    """MSK's rule for a change: one kind of it at a time, each kind being one operation of its API (aws-cdk#16765).

    Raises:
        ResourceError: Two kinds are changed.
    """
    changed = {kind for kind, paths in _OPERATIONS.items() if any(_at(before, p) != _at(after, p) for p in paths)}
    if len(changed) > 1:
        raise service_fault("Kafka", "You can't update multiple attributes of the cluster in same request.")


def _at(properties: Properties, path: str) -> str:
    value: Any = properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return str(value)


def _check_references(request: Request, wanted: Properties) -> None:
    logs = wanted.get("LoggingInfo", {}).get("BrokerLogs", {}).get("CloudWatchLogs", {})
    if str(logs.get("Enabled")).lower() == "true":
        group = logs.get("LogGroup", "")
        found = request.aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"] if group else []
        if group not in {entry["logGroupName"] for entry in found}:
            raise service_fault("Kafka", f"The log group [{group}] does not exist.")
    info = wanted.get("ConfigurationInfo")
    if info:
        try:
            request.aws("kafka").describe_configuration_revision(Arn=info["Arn"], Revision=int(info["Revision"]))
        except ClientError as error:
            raise refused(error) from error


def require_key(request: Request, key: str) -> None:
    """Refuses a KMS key that does not exist or is not enabled."""
    try:
        found = request.aws("kms").describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        raise service_fault("Kms", error.response["Error"]["Message"]) from error
    if found["KeyState"] != "Enabled":
        raise service_fault("Kms", f"{found['Arn']} is {found['KeyState'].lower()}.")


def check_server_properties(text: str) -> None:
    """Refuses lines that are no assignment and properties that MSK does not let one set."""
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, assigned, value = (part.strip() for part in line.partition("="))
        if not assigned or not value:
            raise service_fault("Kafka", f"The server property [{line}] is not of the form name=value.")
        if name not in SERVER_PROPERTIES:
            raise service_fault("Kafka", f"Unsupported server property [{name}] in the configuration.")
