"""MSK in CloudFormation: clusters, configurations and SCRAM users."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from rehearsal.account.base import Created, Handler, Properties, Request, tag_map
from rehearsal.account.kafka_rules import check_cluster, check_server_properties, check_update, refused
from rehearsal.account.refusals import invalid_request, service_fault


def _camel(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _camel(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_camel(entry) for entry in value]
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return value


class Cluster(Handler):
    """AWS::MSK::Cluster."""

    def create(self, request: Request) -> Created:
        """Create the cluster after MSK's own checks."""
        check_cluster(request)
        wanted = request.properties
        options: Properties = {
            key: _camel(wanted[key])
            for key in (
                "BrokerNodeGroupInfo",
                "ClientAuthentication",
                "EncryptionInfo",
                "LoggingInfo",
                "OpenMonitoring",
            )
            if key in wanted
        }
        storage = options["BrokerNodeGroupInfo"].get("StorageInfo", {})
        if "VolumeSize" in storage.get("EBSStorageInfo", {}):
            options["BrokerNodeGroupInfo"]["StorageInfo"] = {
                "EbsStorageInfo": {"VolumeSize": int(storage["EBSStorageInfo"]["VolumeSize"])}
            }
        if "EncryptionAtRest" in options.get("EncryptionInfo", {}):
            key = options["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]
            options["EncryptionInfo"]["EncryptionAtRest"] = {"DataVolumeKMSKeyId": key}
        if "ConfigurationInfo" in wanted:
            info = wanted["ConfigurationInfo"]
            options["ConfigurationInfo"] = {"Arn": info["Arn"], "Revision": int(info["Revision"])}
        try:
            got = request.aws("kafka").create_cluster(
                ClusterName=wanted["ClusterName"],
                KafkaVersion=wanted["KafkaVersion"],
                NumberOfBrokerNodes=int(wanted["NumberOfBrokerNodes"]),
                EnhancedMonitoring=wanted.get("EnhancedMonitoring", "DEFAULT"),
                Tags=tag_map(wanted),
                **options,
            )
        except ClientError as error:
            raise refused(error) from error
        return self._described(request, got["ClusterArn"])

    def update(self, request: Request) -> Created:
        """Brokers, volume size, version and logging change in place; the cluster keeps its ARN."""
        check_cluster(request)
        check_update(request.previous, request.properties)
        before, after = (int(side["NumberOfBrokerNodes"]) for side in (request.previous, request.properties))
        if after < before:
            raise service_fault("Kafka", f"Cannot scale in the number of broker nodes from {before} to {after}.")
        kraft = [side["KafkaVersion"].endswith(".kraft") for side in (request.previous, request.properties)]
        if kraft[0] != kraft[1]:
            raise service_fault("Kafka", "A cluster cannot change between ZooKeeper and KRaft metadata mode.")
        return self._described(request, request.physical_id)

    def delete(self, request: Request) -> None:
        """Delete the cluster."""
        try:
            request.aws("kafka").delete_cluster(ClusterArn=request.physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise refused(error) from error

    @staticmethod
    def _described(request: Request, arn: str) -> Created:
        info = request.aws("kafka").describe_cluster(ClusterArn=arn)["ClusterInfo"]
        return Created(arn, {"Arn": arn, "CurrentVersion": info["CurrentVersion"]})


class Configuration(Handler):
    """AWS::MSK::Configuration."""

    def create(self, request: Request) -> Created:
        """Create the configuration's first revision."""
        wanted = request.properties
        check_server_properties(wanted["ServerProperties"])
        options = {"KafkaVersions": wanted["KafkaVersionsList"]} if wanted.get("KafkaVersionsList") else {}
        try:
            got = request.aws("kafka").create_configuration(
                Name=wanted["Name"],
                Description=wanted.get("Description", ""),
                ServerProperties=wanted["ServerProperties"].encode(),
                **options,
            )
        except ClientError as error:
            raise refused(error) from error
        return self._created(got["Arn"], got["LatestRevision"], wanted)

    def update(self, request: Request) -> Created:
        """Add a revision; clusters stay on theirs until they are told."""
        wanted = request.properties
        check_server_properties(wanted["ServerProperties"])
        got = request.aws("kafka").update_configuration(
            Arn=request.physical_id,
            Description=wanted.get("Description", ""),
            ServerProperties=wanted["ServerProperties"].encode(),
        )
        return self._created(request.physical_id, got["LatestRevision"], wanted)

    def delete(self, request: Request) -> None:
        """Delete all revisions; a configuration that a cluster uses is refused."""
        try:
            request.aws("kafka").delete_configuration(Arn=request.physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise refused(error) from error

    @staticmethod
    def _created(arn: str, revision: Properties, wanted: Properties) -> Created:
        return Created(
            arn,
            {
                "Arn": arn,
                "LatestRevision.Revision": revision["Revision"],
                "LatestRevision.CreationTime": str(revision["CreationTime"]),
                "LatestRevision.Description": wanted.get("Description", ""),
            },
        )


class BatchScramSecret(Handler):
    """AWS::MSK::BatchScramSecret: ``Ref`` is the cluster's ARN."""

    def create(self, request: Request) -> Created:
        """Associates the secrets; one that MSK does not accept fails the resource."""
        wanted = request.properties
        self._associate(request, wanted["ClusterArn"], wanted.get("SecretArnList", []))
        return Created(wanted["ClusterArn"], {})

    def update(self, request: Request) -> Created:
        """Associates what is new, then disassociates what is gone."""
        before, after = (set(side.get("SecretArnList", [])) for side in (request.previous, request.properties))
        self._associate(request, request.physical_id, sorted(after - before))
        if before - after:
            request.aws("kafka").batch_disassociate_scram_secret(
                ClusterArn=request.physical_id, SecretArnList=sorted(before - after)
            )
        return Created(request.physical_id, {})

    def delete(self, request: Request) -> None:
        """Disassociates all secrets of the list."""
        secrets = request.properties.get("SecretArnList", [])
        if not secrets:
            return
        try:
            request.aws("kafka").batch_disassociate_scram_secret(ClusterArn=request.physical_id, SecretArnList=secrets)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise refused(error) from error

    @staticmethod
    def _associate(request: Request, cluster: str, secrets: list[str]) -> None:
        if not secrets:
            return
        try:
            got = request.aws("kafka").batch_associate_scram_secret(ClusterArn=cluster, SecretArnList=secrets)
        except ClientError as error:
            raise refused(error) from error
        if got.get("UnprocessedScramSecrets"):
            texts = [f"{entry['SecretArn']}: {entry['ErrorMessage']}" for entry in got["UnprocessedScramSecrets"]]
            raise invalid_request("; ".join(texts))


HANDLERS: dict[str, Handler] = {
    "AWS::MSK::Cluster": Cluster(),
    "AWS::MSK::Configuration": Configuration(),
    "AWS::MSK::BatchScramSecret": BatchScramSecret(),
}
