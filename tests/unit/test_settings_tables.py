"""The settings' numbers, defaults and tables beside a second copy of them: nobody changes one by mistake.

A table here has the source that it was read from, so that a change is one of the source and not of the code.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from _paths import ROOT
from settings import Environment, parse_environment
from settings.chart_names import chart_services
from settings.eks_versions import EKS_VERSIONS
from settings.instances import BROKER_TYPES, INSTANCE_TYPES, InstanceType
from settings.messages import _models
from settings.milvus import Components
from settings.pipeline import Pipeline
from settings.queue import KRAFT_VERSIONS
from settings.regions import TWO_ZONES, ZONE_LETTERS, ZONE_WITHOUT_EKS
from settings.releases import ADVISORIES, BROKEN, RELEASE_LINES, Version
from settings.rules.release import advisories
from tests.unit.settings_files import file_with

TODAY = date(2026, 11, 23)

# least, what holds when the file says nothing (None: it has to say), most
NUMBERS: dict[str, tuple[float, float | None, float]] = {
    "network.private_subnet_prefix": (16, 20, 26),
    "network.public_subnet_prefix": (16, 24, 28),
    "cluster.node_groups.min_size": (0, 1, 450),
    "cluster.node_groups.desired_size": (0, None, 450),
    "cluster.node_groups.max_size": (1, None, 450),
    "cluster.node_groups.disk_gib": (20, 80, 16384),
    "storage.noncurrent_days": (1, 7, 365),
    "storage.abort_incomplete_uploads_days": (1, 3, 30),
    "storage.backup_retention_days": (1, 35, 3650),
    "queue.brokers": (2, 3, 60),
    "queue.storage.volume_gib": (1, 100, 16384),
    "queue.storage.max_gib": (1, 1000, 16384),
    "queue.storage.target_percent": (10, 60, 80),
    "queue.retention_hours": (24, 168, 8760),
    "queue.message_max_bytes": (1048576, 10485880, 104857600),
    "queue.replica_fetch_max_bytes": (1048576, 20971760, 209715200),
    "queue.milvus_message_max_bytes": (1048576, 10485760, 104857600),
    "queue.channels": (1, 16, 1024),
    "milvus.ready_minutes": (1, 30, 40),
    "milvus.etcd.cpu": (0.1, 1, 192),
    "milvus.etcd.memory_gib": (0.25, 4, 1536),
    "milvus.etcd.volume_gib": (10, 20, 1024),
    "build.cache_days": (1, 30, 365),
}
# replicas, cores, GiB: the smallest of Milvus's sizing tool, https://milvus.io/tools/sizing; and GiB of local disk
COMPONENTS: dict[str, tuple[float, float, float, float]] = {
    "root_coordinator": (2, 1, 2, 2),
    "query_coordinator": (2, 0.5, 0.5, 2),
    "data_coordinator": (2, 0.5, 0.5, 2),
    "index_coordinator": (2, 0.5, 0.5, 2),
    "mix_coordinator": (2, 1, 4, 2),
    "proxy": (2, 1, 4, 2),
    "query_node": (1, 2, 8, 20),
    "data_node": (1, 2, 8, 10),
    "index_node": (1, 2, 8, 10),
    "streaming_node": (1, 2, 8, 10),
    "standalone": (1, 2, 8, 20),
}
for _name, (_replicas, _cpu, _memory, _disk) in COMPONENTS.items():
    NUMBERS[f"milvus.components.{_name}.replicas"] = (1, _replicas, 200)
    NUMBERS[f"milvus.components.{_name}.cpu"] = (0.1, _cpu, 192)
    NUMBERS[f"milvus.components.{_name}.memory_gib"] = (0.25, _memory, 1536)
    NUMBERS[f"milvus.components.{_name}.disk_gib"] = (1, _disk, 16384)

DEFAULTS: dict[str, Any] = {
    "network.cidr": "10.0.0.0/16",
    "network.zones": ("a", "b", "c"),
    "network.nat": "per-zone",
    "network.interface_endpoints": (),
    "network.flow_logs.enabled": True,
    "network.flow_logs.retention_days": 30,
    "network.flow_logs.traffic": "ALL",
    "network.existing.public_subnet_ids": (),
    "network.existing.secondary_cidrs": (),
    "network.existing.private_route_table_ids": (),
    "cluster.version": "1.36",
    "cluster.endpoint": "private",
    "cluster.public_cidrs": (),
    "cluster.private_cidrs": (),
    "cluster.admin_role_arns": (),
    "cluster.logging": ("api", "audit", "authenticator"),
    "cluster.node_groups.taints.value": "",
    "cluster.node_groups.taints.effect": "NO_SCHEDULE",
    "cluster.node_groups.spot": False,
    "cluster.node_groups.local_storage": "none",
    "storage.root_path": "milvus",
    "storage.versioning": False,
    "storage.existing.garbage_collection": False,
    "queue.kafka_version": "3.9.x.kraft",
    "queue.broker_type": "kafka.m7g.large",
    "queue.monitoring": "PER_BROKER",
    "queue.log_retention_days": 30,
    "queue.username": "milvus",
    "queue.preview": False,
    "queue.private_cidrs": (),
    "milvus.line": "2.6",
    "milvus.mode": "cluster",
    "milvus.namespace": "milvus",
    "milvus.release_name": "milvus",
    "milvus.authorization": True,
    "milvus.active_standby": True,
    "milvus.etcd.replicas": 3,
    "milvus.etcd.image_repository": "milvusdb/etcd",
    "milvus.service.name": "milvus-service",
    "milvus.service.scheme": "internal",
    "milvus.service.source_cidrs": (),
    "milvus.attu.exposure": "off",
    "milvus.attu.image_repository": "zilliz/attu",
    "milvus.attu.inbound_cidrs": (),
    "milvus.service_monitor": False,
    "milvus.chart_repository": "https://zilliztech.github.io/milvus-helm/",
    "milvus.image_repository": "milvusdb/milvus",
    "milvus.tools_image_repository": "milvusdb/milvus-config-tool",
    "milvus.acknowledge": (),
    "removal_policy": "retain",
    "termination_protection": False,
    "source.connection.branch": "main",
    "source.codecommit.branch": "main",
    "build.image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
    "build.python": "3.12",
    "build.node": "22",
    "waves.approval": False,
    "waves.confirm_permissions": True,
    "waves.smoke": True,
}


def fields(model: type[BaseModel], parents: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting of a file with its dotted path."""
    for name, field in model.model_fields.items():
        below = list(_models(field.annotation))
        for each in below:
            yield from fields(each, f"{parents}{name}.")
        if not below:
            yield parents + name, field


SETTINGS = [*fields(Environment), *fields(Pipeline)]


def test_every_number_has_its_bounds_and_its_default() -> None:
    # GIVEN every setting that is a number
    found = {}
    for path, field in SETTINGS:
        if field.annotation in {int, float}:
            [least] = [bound.ge for bound in field.metadata if hasattr(bound, "ge")]
            [most] = [bound.le for bound in field.metadata if hasattr(bound, "le")]
            found[path] = (least, None if field.default is PydanticUndefined else field.default, most)
    # THEN it is bounded by both sides, as in the table
    assert found == NUMBERS


def test_every_other_setting_has_its_default() -> None:
    found = {
        path: field.default
        for path, field in SETTINGS
        if path not in NUMBERS
        and field.default is not PydanticUndefined
        and field.default is not None
        and field.default_factory is None
    }
    assert found == DEFAULTS


# What a text has to look like, and where.
PATTERNS: dict[str, set[str]] = {
    r"^[a-z][a-z0-9-]{1,24}[a-z0-9]$": {"name"},
    r"^\d{12}$": {"account", "waves[].environments[].account"},
    r"^[a-z]{2}(-[a-z]+)+-\d$": {"region", "waves[].environments[].region"},
    r"^[A-Za-z0-9_ +=.:/@-]{1,128}$": {"tags (key)"},
    r"^[A-Za-z0-9_ +=.:/@-]{0,256}$": {"tags.*"},
    r"^[\w+=,.@-]{1,128}$": {"permissions_boundary"},
    r"^[a-z_]+(\.[a-z0-9_-]+)*$": {"changes.accept[].path"},
    r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$": {
        "network.cidr",
        "network.existing.secondary_cidrs[]",
        "cluster.public_cidrs[]",
        "cluster.private_cidrs[]",
        "queue.private_cidrs[]",
        "milvus.service.source_cidrs[]",
        "milvus.attu.inbound_cidrs[]",
    },
    r"^[a-z]$": {"network.zones[]"},
    r"^vpc-[0-9a-f]{8,17}$": {"network.existing.vpc_id"},
    r"^subnet-[0-9a-f]{8,17}$": {
        "network.existing.private_subnet_ids[]",
        "network.existing.public_subnet_ids[]",
    },
    r"^rtb-[0-9a-f]{8,17}$": {"network.existing.private_route_table_ids[]"},
    r"^1\.\d{2}$": {"cluster.version"},
    r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$": {"cluster.admin_role_arns[]"},
    r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})$": {
        "cluster.volume_key_arn",
        "storage.existing.key_arn",
    },
    r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$": {
        "cluster.node_groups.*.labels (key)",
        "cluster.node_groups.*.taints[].key",
    },
    r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$": {
        "cluster.node_groups.*.labels.*",
        "cluster.node_groups.*.taints[].value",
    },
    r"^[a-z0-9]([a-z0-9/_-]{0,62}[a-z0-9])?$": {"storage.root_path"},
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": {"storage.existing.bucket", "source.s3.bucket"},
    r"^\d+\.\d+\.(\d+|x)(\.kraft)?$": {"queue.kafka_version"},
    r"^kafka\.[a-z0-9]+\.[a-z0-9]+$": {"queue.broker_type"},
    r"^[a-z][a-z0-9-]{2,31}$": {"queue.username"},
    r"^\d+\.\d+\.\d+$": {"milvus.version"},
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": {
        "cluster.node_groups (key)",
        "milvus.namespace",
        "milvus.node_group",
        "milvus.etcd.node_group",
        *(f"milvus.components.{name}.node_group" for name in Components.model_fields),
    },
    r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$": {"milvus.release_name", "milvus.service.name"},
    r"^[a-z0-9][a-z0-9-]{1,40}$": {"milvus.channel_prefix"},
    r"^([a-z0-9][\w.-]*(:\d+)?/)?([a-z0-9][\w.-]*/)*[a-z0-9][\w.-]*$": {
        "milvus.etcd.image_repository",
        "milvus.attu.image_repository",
        "milvus.image_repository",
        "milvus.tools_image_repository",
    },
    r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+$": {
        "milvus.service.certificate_arn",
        "milvus.attu.certificate_arn",
    },
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$": {"milvus.service.hostname"},
    r"^v\d+\.\d+\.\d+$": {"milvus.attu.version"},
    r"^https://\S+$": {
        "milvus.attu.oidc.issuer",
        "milvus.attu.oidc.authorization_endpoint",
        "milvus.attu.oidc.token_endpoint",
        "milvus.attu.oidc.user_info_endpoint",
    },
    r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w+=.@/-]+$": {"milvus.attu.oidc.client_secret_arn"},
    r"^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/\S+$": {"milvus.attu.cognito.user_pool_arn"},
    r"^(https|oci)://\S+$": {"milvus.chart_repository"},
    r"^arn:aws[a-z-]*:(codestar-connections|codeconnections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$": {
        "source.connection.arn"
    },
    r"^[\w.-]+(/[\w.-]+)+$": {"source.connection.repository"},
    r"^[A-Za-z0-9._/-]{1,255}$": {"source.connection.branch", "source.codecommit.branch"},
    r"^[\w.-]{1,100}$": {"source.codecommit.repository"},
    r"^[A-Za-z0-9_./-]+\.zip$": {"source.s3.key"},
    r"^aws/codebuild/[a-z0-9_-]+:\d+\.\d+(-[\d.]+)?$": {"build.image"},
    r"^3\.1[1-9]$": {"build.python"},
    r"^(22|24)$": {"build.node"},
    r"^[A-Za-z][A-Za-z0-9-]{0,49}$": {"waves[].name"},
    r"^[a-z][a-z0-9-]*$": {"waves[].environments[].environment"},
    r"^[A-Za-z0-9]{1,255}(@[A-Za-z0-9:/_.-]{1,1024})?$": {"waves[].environments[].approvals.* (key)"},
    r"^[A-Za-z0-9 .,:;/#()_+-]{10,200}$": {"waves[].environments[].approvals.*.*"},
}
# What a text may be at all.
CHOICES: dict[str, tuple[Any, ...]] = {
    "network.nat": ("single", "per-zone"),
    "network.interface_endpoints[]": (
        *("ecr.api", "ecr.dkr", "sts", "ec2", "logs", "secretsmanager", "kms"),
        *("elasticloadbalancing", "eks", "eks-auth"),
    ),
    "network.flow_logs.retention_days": (1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731),
    "network.flow_logs.traffic": ("ALL", "ACCEPT", "REJECT"),
    "cluster.endpoint": ("private", "public-and-private"),
    "cluster.logging[]": ("api", "audit", "authenticator", "controllerManager", "scheduler"),
    "cluster.node_groups.*.taints[].effect": ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"),
    "cluster.node_groups.*.local_storage": ("none", "raid0"),
    "queue.monitoring": ("DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION"),
    "queue.log_retention_days": (1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731),
    "milvus.line": ("2.3", "2.4", "2.5", "2.6", "3.0"),
    "milvus.mode": ("cluster", "standalone"),
    "milvus.etcd.replicas": (1, 2, 3, 4, 5),
    "milvus.service.scheme": ("internal", "internet-facing"),
    "milvus.attu.exposure": ("off", "internal", "internet-facing"),
    "removal_policy": ("destroy", "retain"),
    "waves[].environments[].approvals (key)": ("network", "storage", "streaming", "eks", "milvus"),
}
# How short and how long a text, a list or a table may be.
LENGTHS: dict[str, dict[str, int]] = {
    "changes.accept[].reason": {"minLength": 10, "maxLength": 200},
    "cluster.node_groups": {"minProperties": 1},
    "cluster.node_groups.*.instance_types": {"minItems": 1},
    "cluster.private_cidrs": {"maxItems": 50},
    "milvus.attu.cognito.user_pool_client_id": {"minLength": 1},
    "milvus.attu.cognito.user_pool_domain": {"minLength": 1},
    "milvus.release_name": {"maxLength": 42},
    "network.existing.private_subnet_ids": {"minItems": 2},
    "network.zones": {"minItems": 2, "maxItems": 3},
    "source.s3.key": {"maxLength": 512},
}
LENGTH = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}


def bounds(schema: dict[str, Any], models: dict[str, Any], path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield dotted path, keyword and value of every bound of a JSON schema but those of numbers."""
    if "$ref" in schema:
        schema = models[schema["$ref"].rpartition("/")[2]] | schema
    for keyword in schema.keys() & {"pattern", "enum", *LENGTH}:
        yield path, keyword, schema[keyword]
    inside = [(f"{path}.{name}".strip("."), each) for name, each in schema.get("properties", {}).items()]
    inside += [(path, each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    inside += [(f"{path}[]", schema["items"])] if "items" in schema else []
    inside += [(f"{path} (key)", schema["propertyNames"])] if "propertyNames" in schema else []
    if isinstance(schema.get("additionalProperties"), dict):
        inside.append((f"{path}.*", schema["additionalProperties"]))
    for pattern, each in schema.get("patternProperties", {}).items():
        yield f"{path} (key)", "pattern", pattern
        inside.append((f"{path}.*", each))
    for place, each in inside:
        yield from bounds(each, models, place)


def test_every_setting_says_what_it_is() -> None:
    # GIVEN each field of each model, those that only hold others too
    def silent(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
        seen.add(model)
        for name, field in model.model_fields.items():
            if not (field.description or "").strip():
                yield f"{model.__name__}.{name}"
            for below in {*_models(field.annotation)} - seen:
                yield from silent(below, seen)

    # THEN it has the sentence that the page and an editor show
    assert [each for model in (Environment, Pipeline) for each in silent(model, set())] == []


def test_every_text_list_and_table_is_bounded() -> None:
    # GIVEN the schemas of both kinds of files
    found: list[tuple[str, str, Any]] = []
    for model in (Environment, Pipeline):
        schema = model.model_json_schema()
        found += bounds(schema, schema["$defs"])
    # THEN they refuse what the tables do not allow
    patterns: dict[str, set[str]] = {}
    for path, keyword, value in found:
        if keyword == "pattern":
            patterns.setdefault(value, set()).add(path)
    assert patterns == PATTERNS
    assert {path: tuple(value) for path, keyword, value in found if keyword == "enum"} == CHOICES
    lengths: dict[str, dict[str, int]] = {}
    for path, keyword, value in found:
        if keyword in LENGTH:
            lengths.setdefault(path, {})[keyword] = value
    assert lengths == LENGTHS


def test_regions_have_the_zones_that_aws_says() -> None:
    # https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
    assert ZONE_LETTERS == {
        "ap-northeast-1": ("a", "c", "d"),
        "ca-central-1": ("a", "b", "d"),
        "cn-north-1": ("a", "b"),
        "us-west-1": ("a", "c"),
    }
    assert TWO_ZONES == ("us-west-1",)
    # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
    assert ZONE_WITHOUT_EKS == {"us-east-1": "use1-az3"}


def test_chart_may_make_these_services_of_a_release() -> None:
    # https://github.com/zilliztech/milvus-helm/tree/master/charts/milvus/templates
    parts = ("rootcoord", "querycoord", "datacoord", "indexcoord", "mixcoord", "querynode", "datanode", "indexnode")
    assert chart_services("blue") == {
        **{f"blue-milvus-{part}": f"the Service of {part}" for part in (*parts, "streamingnode", "cdc", "attu")},
        "blue-milvus": "the release's Service",
        "blue-etcd-headless": "etcd's headless Service",
        "blue-etcd": "etcd's Service",
    }


# --- releases


def test_broken_versions_are_those_of_the_release_notes() -> None:
    # https://github.com/milvus-io/milvus/releases
    assert [dataclasses.astuple(each) for each in BROKEN] == [
        ("milvus#31159", "rows lost under memory pressure", "2.3.1", "2.3.11", "2.3.12", None),
        ("milvus#32474", "an image for arm64 that does not start", "2.4.0", "2.4.0", "2.4.1", "arm64"),
        ("milvus#33478", "statistics of bulk inserts lost", "2.4.0", "2.4.3", "2.4.4", None),
        ("milvus#36933", "every collection lost at a restart", "2.4.13", "2.4.13", "2.4.14", None),
        ("milvus#43421", "collections lost that are renamed", "2.5.14", "2.5.14", "2.5.15", None),
    ]


# Per advisory and line: the last version that is open to it, and the first that is not; None: every one, or none.
# https://github.com/milvus-io/milvus/security/advisories/GHSA-7ppg-37fh-vcr6 (9091)
# https://github.com/milvus-io/milvus/security/advisories/GHSA-mhjq-8c7m-3f7p (proxy)
OPEN_AND_FIXED: dict[str, dict[str, tuple[str, str | None]]] = {
    "CVE-2026-26190": {
        "2.3": ("2.3.22", None),
        "2.4": ("2.4.24", None),
        "2.5": ("2.5.26", "2.5.27"),
        "2.6": ("2.6.9", "2.6.10"),
        "3.0": ("", "3.0.0"),
    },
    "CVE-2025-64513": {
        "2.3": ("2.3.22", None),
        "2.4": ("2.4.23", "2.4.24"),
        "2.5": ("2.5.20", "2.5.21"),
        "2.6": ("2.6.4", "2.6.5"),
        "3.0": ("", "3.0.0"),
    },
}


def open_to(line: str, version: str) -> set[str]:
    """Return the advisories that a version is open to, judged by the rules."""
    changes = [("milvus.line", line), ("milvus.version", version)]
    return {name for name, _, _ in advisories(Environment.model_validate(file_with(*changes)))}


@pytest.mark.parametrize("line", RELEASE_LINES)
@pytest.mark.parametrize("advisory", OPEN_AND_FIXED)
def test_advisory_concerns_every_version_up_to_its_fix(advisory: str, line: str) -> None:
    last_open, fixed = OPEN_AND_FIXED[advisory][line]
    if last_open:
        assert advisory in open_to(line, last_open)
    if fixed:
        assert advisory not in open_to(line, fixed)


def test_every_advisory_has_a_place_for_every_line() -> None:
    assert {advisory.name: set(advisory.fixed_in) for advisory in ADVISORIES} == {
        name: set(lines) for name, lines in OPEN_AND_FIXED.items()
    }
    assert all(set(lines) == set(RELEASE_LINES) for lines in OPEN_AND_FIXED.values())


# Chart: the newest of https://github.com/zilliztech/milvus-helm/releases that was rendered for the line.
# Attu: https://github.com/zilliztech/attu#compatibility; from 2.6 on it is proprietary, so 2.5 keeps the last free one.
# Root's password: milvus#34752, milvus#34777. SCRAM: milvus#52601.
LINES: dict[str, tuple[str, str, str | None, str]] = {
    "2.3": ("4.1.28", "v2.3.5", None, "no"),
    "2.4": ("4.2.25", "v2.4.12", "2.4.7", "no"),
    "2.5": ("4.2.58", "v2.5.10", "2.5.0", "no"),
    "2.6": ("5.0.19", "v2.6.5", "2.6.0", "preview"),
    "3.0": ("5.0.19", "v2.6.5", "3.0.0", "yes"),
}
OLDEST = {"2.3": "2.3.1", "2.4": "2.4.0", "2.5": "2.5.0", "2.6": "2.6.0", "3.0": "3.0.0"}
COORDINATORS = ("root_coordinator", "query_coordinator", "data_coordinator", "index_coordinator")
WORKERS = {
    "2.3": (*COORDINATORS, "proxy", "query_node", "data_node", "index_node"),
    "2.4": ("mix_coordinator", "proxy", "query_node", "data_node", "index_node"),
    "2.5": ("mix_coordinator", "proxy", "query_node", "data_node", "index_node"),
    "2.6": ("mix_coordinator", "proxy", "query_node", "streaming_node", "data_node"),
    "3.0": ("mix_coordinator", "proxy", "query_node", "streaming_node", "data_node"),
}


def test_what_belongs_to_a_release_line() -> None:
    releases = RELEASE_LINES.items()
    found = {line: (each.chart, each.attu, each.root_login_since, each.woodpecker) for line, each in releases}
    assert found == LINES
    assert {line: each.oldest_version for line, each in releases} == OLDEST
    assert {line: each.components for line, each in releases} == WORKERS
    assert {line: each.kafka_scram_majors for line, each in releases} == dict.fromkeys(LINES, (2, 3))


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_default_version_is_of_its_line_and_has_every_fix_that_there_is(line: str) -> None:
    version = Version.parse(RELEASE_LINES[line].default_version)
    assert f"{version.major}.{version.minor}" == line
    assert version >= Version.parse(OLDEST[line])
    for lines in OPEN_AND_FIXED.values():
        fixed = lines[line][1]
        assert fixed is None or version >= Version.parse(fixed)


def test_default_line_starts_without_any_acknowledgement() -> None:
    env = parse_environment(file_with(), source="test", today=TODAY)
    assert (env.milvus.line, advisories(env)) == ("2.6", [])


# --- AWS


def test_support_of_kubernetes_ends_when_aws_says() -> None:
    # https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
    assert {version: support.standard_support_ends for version, support in EKS_VERSIONS.items()} == {
        "1.33": date(2026, 7, 29),
        "1.34": date(2026, 12, 2),
        "1.35": date(2027, 3, 27),
        "1.36": date(2027, 8, 2),
    }


# vCPU, GiB, interfaces, addresses of an interface, pods by EKS's table.
# https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html (.../co.html, .../mo.html)
# https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/eni-max-pods.txt
INSTANCES: dict[str, tuple[int, float, int, int, int]] = {
    "m7g.large": (2, 8, 3, 10, 29),
    "m7g.xlarge": (4, 16, 4, 15, 58),
    "m7g.2xlarge": (8, 32, 4, 15, 58),
    "m7g.4xlarge": (16, 64, 8, 30, 110),
    "m7g.8xlarge": (32, 128, 8, 30, 234),
    "m7g.12xlarge": (48, 192, 8, 30, 234),
    "m7g.16xlarge": (64, 256, 15, 50, 250),
    "c6i.xlarge": (4, 8, 4, 15, 58),
    "c7g.2xlarge": (8, 16, 4, 15, 58),
    "m6i.large": (2, 8, 3, 10, 29),
    "r7g.2xlarge": (8, 64, 4, 15, 58),
    "r8g.4xlarge": (16, 128, 8, 30, 110),
    "t3.large": (2, 8, 3, 12, 35),
    "t3.xlarge": (4, 16, 4, 15, 58),
    "t3.2xlarge": (8, 32, 4, 15, 58),
    "t4g.large": (2, 8, 3, 12, 35),
    "t4g.xlarge": (4, 16, 4, 15, 58),
    "t4g.2xlarge": (8, 32, 4, 15, 58),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_instance_types_are_as_large_as_aws_says(name: str) -> None:
    found = INSTANCE_TYPES[name]
    assert (
        found.vcpu,
        found.memory_gib,
        found.interfaces,
        found.addresses_per_interface,
        found.max_pods,
    ) == INSTANCES[name]
    assert found.addresses == found.interfaces * found.addresses_per_interface


FAMILIES = {
    **dict.fromkeys(("c6i", "c7i", "c6g", "c7g", "c8g"), 2),
    **dict.fromkeys(("m6i", "m7i", "m6g", "m7g", "m8g", "m6id", "m6gd", "m7gd", "im4gn"), 4),
    **dict.fromkeys(("r6i", "r7i", "r6g", "r7g", "r8g", "r6id", "r6gd", "r7gd", "i4i", "i4g", "i8g"), 8),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_family_has_the_memory_of_its_letter_and_the_interfaces_of_its_sizes(family: str) -> None:
    # GIVEN GiB of memory for each vCPU, and a g after the generation for Graviton
    mine = [each for each in INSTANCE_TYPES.values() if each.name.split(".")[0] == family]
    assert len(mine) >= 6
    for found in mine:
        reference = INSTANCE_TYPES[f"m7g.{found.name.split('.')[1]}"]
        assert found.memory_gib == found.vcpu * FAMILIES[family]
        assert (found.vcpu, found.interfaces, found.addresses_per_interface) == (
            reference.vcpu,
            reference.interfaces,
            reference.addresses_per_interface,
        )
        assert found.architecture == ("arm64" if "g" in family[1:] else "amd64")
        assert (found.nvme_gb > 0) == (family.endswith("d") or family.startswith("i"))


def test_instance_data_names_the_source_and_the_day_of_each_column() -> None:
    table = json.loads((ROOT / "settings/instances.json").read_text(encoding="utf-8"))
    for column in table["columns"]:
        assert column["source"]
        assert date.fromisoformat(column["date"]) <= date(2026, 11, 27)
    assert {len(row) for row in table["types"].values()} == {len(table["columns"])}
    # AND each column is what InstanceType takes in that place
    fields = [each.name for each in dataclasses.fields(InstanceType)]
    assert ["measured_mib" if column["name"] == "memory_mib" else column["name"] for column in table["columns"]] == (
        fields[1:]
    )


def test_running_instance_has_less_memory_than_it_is_sold_with() -> None:
    for found in INSTANCE_TYPES.values():
        assert 0.92 < found.memory_mib / (found.memory_gib * 1024) < 0.98, found.name
    # AND where nobody measured it, 7.5 % less
    assert INSTANCE_TYPES["r6id.large"].measured_mib is None
    assert INSTANCE_TYPES["r6id.large"].memory_mib == 15155


def test_brokers_take_the_partitions_that_aws_recommends() -> None:
    # https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html
    partitions = {"large": 1000, "xlarge": 1000, "2xlarge": 2000}
    partitions |= dict.fromkeys(("4xlarge", "8xlarge", "12xlarge", "16xlarge"), 4000)
    assert {name: broker.partitions for name, broker in BROKER_TYPES.items()} == {
        f"kafka.{family}.{size}": most for family in ("m5", "m7g") for size, most in partitions.items()
    }


def test_kafka_versions_with_kraft_are_those_of_msk() -> None:
    # https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html
    assert KRAFT_VERSIONS == ("3.7.x.kraft", "3.8.x.kraft", "3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft")


# What pods may use of an instance, computed by hand from EKS's rules: 6 % of the first core, 1 % of the second, 0.5 %
# of the third and fourth, 0.25 % of every further one; of the measured memory 255 MiB and 11 for each pod that the
# addresses allow for the kubelet, and 100 MiB of eviction threshold. https://awslabs.github.io/amazon-eks-ami/nodeadm/
ALLOCATABLE = {
    # 2000 - 60 - 10; 7767 - 255 - 11*29 - 100
    "m7g.large": (1.930, 7093),
    # 8000 - 60 - 10 - 10 - 10; 31497 - 255 - 11*58 - 100
    "m7g.2xlarge": (7.910, 30504),
    # 8000 - 60 - 10 - 10 - 10; 63138 - 255 - 11*58 - 100
    "r7g.2xlarge": (7.910, 62145),
    # 110 pods at most, but 8 interfaces of 29 pods and 2: 16000 - 60 - 10 - 10 - 30; 63137 - 255 - 11*234 - 100
    "m7g.4xlarge": (15.890, 60208),
    # 64000 - 60 - 10 - 10 - 150; 253169 - 255 - 11*737 - 100
    "m7g.16xlarge": (63.770, 244707),
}


@pytest.mark.parametrize("name", ALLOCATABLE)
def test_eks_keeps_a_part_of_every_node(name: str) -> None:
    cores, mebibytes = ALLOCATABLE[name]
    found = INSTANCE_TYPES[name]
    assert (found.allocatable_cpu, found.allocatable_memory_gib * 1024) == (cores, mebibytes)
