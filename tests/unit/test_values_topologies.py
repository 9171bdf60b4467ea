"""Which values each release line gets: what is on, and what is switched off by name."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from charts.values.topologies import TOPOLOGIES
from settings.releases import RELEASE_LINES
from tests.unit.chart_objects import environment, on_line, values_of

WOODPECKER: tuple[str, Any] = ("queue", {"kind": "woodpecker"})
WOODPECKER_PREVIEW: tuple[str, Any] = ("queue", {"kind": "woodpecker", "preview": True})
STANDALONE: tuple[str, Any] = ("milvus.mode", "standalone")

COORDINATORS = {"rootCoordinator", "queryCoordinator", "dataCoordinator", "indexCoordinator"}


def switched(values: dict[str, Any], state: bool) -> set[str]:
    return {key for key, value in values.items() if isinstance(value, dict) and value.get("enabled") is state}


@pytest.mark.parametrize(
    ("line", "bundled"),
    [
        ("2.3", {"pulsar", "kafka", "minio"}),
        ("2.4", {"pulsar", "pulsarv3", "kafka", "minio", "streaming"}),
        ("2.5", {"pulsar", "pulsarv3", "kafka", "minio", "woodpecker", "streaming"}),
        ("2.6", {"pulsar", "pulsarv3", "kafka", "minio", "woodpecker"}),
        ("3.0", {"pulsar", "pulsarv3", "kafka", "minio", "woodpecker"}),
    ],
)
def test_every_bundled_queue_and_store_that_the_chart_knows_is_off(line: str, bundled: set[str]) -> None:
    assert bundled <= switched(values_of(on_line(line)), state=False)


def test_2_3_runs_four_coordinators_and_no_mixed_one() -> None:
    values = values_of(on_line("2.3"))
    assert COORDINATORS | {"proxy", "queryNode", "dataNode", "indexNode"} <= switched(values, state=True)
    assert values["mixCoordinator"] == {"enabled": False}


@pytest.mark.parametrize("line", ["2.4", "2.5"])
def test_2_4_and_2_5_run_one_mixed_coordinator_and_index_nodes(line: str) -> None:
    values = values_of(on_line(line))
    assert {"mixCoordinator", "indexNode"} <= switched(values, state=True)
    assert switched(values, state=False) >= COORDINATORS
    assert "streamingNode" not in values


@pytest.mark.parametrize("line", ["2.6", "3.0"])
def test_2_6_and_3_0_run_streaming_nodes_and_no_index_nodes(line: str) -> None:
    values = values_of(on_line(line))
    assert COORDINATORS | {"indexNode"} <= switched(values, state=False)
    assert values["streaming"]["enabled"] is True
    assert values["streamingNode"]["replicas"] == 1


def test_2_3_logs_no_kafka_password() -> None:
    # Milvus 2.3 prints its Kafka configuration at level info.
    assert values_of(on_line("2.3"))["log"] == {"level": "warn"}
    assert "log" not in values_of(on_line("2.4"))


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_image_is_the_exact_version(line: str) -> None:
    image = values_of(on_line(line))["image"]["all"]
    assert image == {"repository": "milvusdb/milvus", "tag": f"v{RELEASE_LINES[line].default_version}"}


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_standalone_runs_one_pod_without_a_volume(line: str) -> None:
    # GIVEN a line in standalone mode
    values = values_of(on_line(line, STANDALONE))
    # THEN there is no component but the one, all that lasts is elsewhere, and no second queue is configured
    assert values["cluster"] == {"enabled": False}
    assert values["standalone"]["persistence"] == {"enabled": False}
    assert values["standalone"]["messageQueue"] == "kafka"
    assert not {"proxy", "mixCoordinator", "queryNode", "streamingNode", "rootCoordinator"} & values.keys()


def test_kafka_is_one_text_of_brokers_with_scram_over_tls_and_no_credentials() -> None:
    brokers = "b-1.example.com:9096,b-2.example.com:9096"
    assert values_of(environment(), broker_list=brokers)["externalKafka"] == {
        "enabled": True,
        "brokerList": brokers,
        "securityProtocol": "SASL_SSL",
        "sasl": {"mechanisms": "SCRAM-SHA-512"},
    }


def test_woodpecker_writes_its_log_to_the_bucket() -> None:
    values = values_of(on_line("3.0", WOODPECKER))
    assert values["woodpecker"] == {"enabled": True}
    assert values["streaming"] == {"enabled": True, "woodpecker": {"embedded": True, "storage": {"type": "minio"}}}
    assert "externalKafka" not in values


@pytest.mark.parametrize(("line", "queue"), [("2.6", WOODPECKER_PREVIEW), ("3.0", WOODPECKER)])
def test_standalone_woodpecker_is_named_once(line: str, queue: tuple[str, Any]) -> None:
    # woodpecker.enabled and messageQueue together would put the key mq into the configuration twice
    values = values_of(on_line(line, STANDALONE, queue))
    assert values["woodpecker"] == {"enabled": False}
    assert values["standalone"]["messageQueue"] == "woodpecker"
    assert values["streaming"] == {"woodpecker": {"storage": {"type": "minio"}}}


def test_milvus_configuration_holds_prefix_channels_and_message_size() -> None:
    # GIVEN settings of the queue
    env = environment(("queue.channels", 8), ("queue.milvus_message_max_bytes", 2000000), ("name", "milvus-x"))
    # THEN Milvus gets them, and librdkafka its own name of the message size
    assert yaml.safe_load(values_of(env)["extraConfigFiles"]["user.yaml"]) == {
        "common": {"security": {"authorizationEnabled": True}},
        "kafka": {"producer": {"message": {"max": {"bytes": 2000000}}}},
        "msgChannel": {"chanNamePrefix": {"cluster": "milvus-x"}},
        "pulsar": {"maxMessageSize": 1000000},
        "rootCoord": {"dmlChannelNum": 8},
    }


@pytest.mark.parametrize(("sends", "packs"), [(1048576, 524288), (4194303, 2097151), (10485760, 2097152)])
def test_milvus_packs_no_more_into_a_message_than_the_client_sends(sends: int, packs: int) -> None:
    # Milvus packs what pulsar.maxMessageSize allows, whatever the queue
    values = values_of(environment(("queue.milvus_message_max_bytes", sends)))
    assert yaml.safe_load(values["extraConfigFiles"]["user.yaml"])["pulsar"] == {"maxMessageSize": packs}


@pytest.mark.parametrize(("line", "patient"), [("2.3", True), ("2.4", True), ("2.5", False), ("2.6", False)])
def test_pods_whose_health_is_asked_are_given_time_to_take_over(line: str, patient: bool) -> None:
    # the charts of 2.3 and 2.4 would kill a standby that takes over after two and a half minutes (milvus#37630)
    assert values_of(on_line(line)).get("livenessProbe") == ({"failureThreshold": 30} if patient else None)


def test_milvus_configuration_takes_what_the_file_adds() -> None:
    added = {"queryNode": {"mmap": {"vectorIndex": True}}, "rootCoord": {"maxPartitionNum": 2048}}
    values = values_of(environment(("milvus.configuration", added)))
    configuration = yaml.safe_load(values["extraConfigFiles"]["user.yaml"])
    assert configuration["queryNode"] == {"mmap": {"vectorIndex": True}}
    assert configuration["rootCoord"] == {"maxPartitionNum": 2048, "dmlChannelNum": 16}


@pytest.mark.parametrize(("line", "tools"), [("2.3", True), ("2.4", False), ("2.6", False)])
def test_image_that_merges_the_configuration_is_set_where_the_chart_has_one(line: str, tools: bool) -> None:
    image = values_of(on_line(line, ("milvus.tools_image_repository", "registry.test/tools")))["image"]
    assert image.get("tools") == ({"repository": "registry.test/tools"} if tools else None)


@pytest.mark.parametrize("collected", [False, True])
def test_milvus_deletes_nothing_from_an_existing_bucket_until_it_is_told_to(collected: bool) -> None:
    # GIVEN a bucket whose files an empty etcd does not know
    key = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000009"
    existing = {"bucket": "kept-vectors", "key_arn": key, "garbage_collection": collected}
    values = values_of(environment(("storage.existing", existing)))
    configuration = yaml.safe_load(values["extraConfigFiles"]["user.yaml"])
    assert configuration["dataCoord"] == {"enableGarbageCollection": collected}
    # AND where the bucket is its own, Milvus does as it does everywhere
    assert "dataCoord" not in yaml.safe_load(values_of(environment())["extraConfigFiles"]["user.yaml"])


def test_milvus_configuration_of_woodpecker_has_nothing_of_kafka() -> None:
    configuration = yaml.safe_load(values_of(on_line("3.0", WOODPECKER))["extraConfigFiles"]["user.yaml"])
    assert configuration.keys() == {"common", "msgChannel"}


def test_bucket_is_reached_by_role_and_never_by_key() -> None:
    # GIVEN names that only AWS knows
    values = values_of(environment(("storage.root_path", "vectors")), bucket="a-bucket", region="xx", url_suffix="y.z")
    # THEN they are written as they are, with no key beside the role
    assert values["externalS3"] == {
        "enabled": True,
        "host": "s3.xx.y.z",
        "port": "443",
        "useSSL": True,
        "bucketName": "a-bucket",
        "rootPath": "vectors",
        "useIAM": True,
        "cloudProvider": "aws",
        "iamEndpoint": "",
        "region": "xx",
    }
    assert values["serviceAccount"] == {"create": False, "name": "milvus-s3-access-sa"}


def test_release_has_no_load_balancer_and_no_monitor_of_its_own() -> None:
    values = values_of(environment())
    assert values["service"] == {"type": "ClusterIP"}
    assert values["metrics"] == {"serviceMonitor": {"enabled": False}}


def test_monitor_is_a_setting() -> None:
    values = values_of(environment(("milvus.service_monitor", True)))
    assert values["metrics"] == {"serviceMonitor": {"enabled": True}}


@pytest.mark.parametrize(("line", "known"), [("2.3", False), ("2.4", False), ("2.5", True), ("2.6", True)])
def test_containers_drop_their_privileges_where_the_chart_can_say_so(line: str, known: bool) -> None:
    values = values_of(on_line(line))
    assert ("containerSecurityContext" in values) is known
    if known:
        assert values["containerSecurityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_msk_without_brokers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ReleaseContext.broker_list is None, but the queue is MSK; pass it"):
        values_of(environment(), broker_list=None)


def test_every_release_line_has_a_topology() -> None:
    assert TOPOLOGIES.keys() == RELEASE_LINES.keys()
