"""An environment file is read strictly, and all of its errors come at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from _paths import ROOT
from settings import (
    SettingsError,
    available,
    load_environment,
    load_environment_file,
    loader,
    output_keys,
    parse_environment,
)
from settings.environment import Environment
from settings.instances import INSTANCE_TYPES, allocatable_millicores
from settings.loader import current_day
from settings.parts import Part, parts, stack_name
from settings.regions import partitions
from settings.releases import RELEASE_LINES, Version
from tests.unit.settings_files import file_with

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("name", ["dev", "small", "prod", "guide", "existing-vpc"])
def test_shipped_environment_is_valid(name: str) -> None:
    assert load_environment(name, today=TODAY).name.startswith("milvus-")


def test_unknown_environment_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"no environment prd; did you mean prod\? There are: dev, existing-vpc"):
        load_environment("prd")


def test_environment_like_no_other_names_them_all() -> None:
    known = "dev, existing-vpc, exposed, guide, prod, small"
    with pytest.raises(SettingsError, match=f"no environment nope; there are: {known}$"):
        load_environment("nope")


def test_another_day_shows_what_it_will_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a day after the last one on which AWS supports the version
    monkeypatch.setenv("MILVUS_TODAY", "2028-08-03")
    with pytest.raises(SettingsError, match=r"cluster\.version: 1\.36 is out of support since 2028-08-02; use one of"):
        load_environment("dev")
    # AND without one it is today's
    monkeypatch.delenv("MILVUS_TODAY")
    assert current_day() == datetime.now(tz=UTC).date()


def test_day_that_is_none_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILVUS_TODAY", "tomorrow")
    with pytest.raises(SettingsError) as raised:
        load_environment("dev")
    assert str(raised.value) == (
        "environment variables: 1 error\n"
        "  MILVUS_TODAY: must be a day such as 2027-12-31, got tomorrow; correct it, or unset it to judge by today"
    )


def test_folder_of_another_place_is_named(tmp_path: Path) -> None:
    # GIVEN a folder without settings files, named by the variable
    program = "from settings import load_environment; load_environment('dev')"
    variables = {**os.environ, "MILVUS_ENVIRONMENTS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    # THEN the error says where was looked
    assert f"{tmp_path.name}/dev.yaml: 1 error" in done.stderr
    assert f"env: no environment dev; {tmp_path} holds no settings file" in done.stderr


def test_folder_without_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "ENVIRONMENTS", tmp_path)
    with pytest.raises(SettingsError, match=re.escape(f"env: no environment dev; {tmp_path} holds no settings file")):
        load_environment("dev")


def test_pipeline_file_is_no_environment() -> None:
    assert not [name for name in available() if name.startswith("pipeline")]


def errors_of(data: Any) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        parse_environment(data, source="test.yaml", today=TODAY)
    return [str(problem) for problem in raised.value.problems]


def test_every_wrong_field_is_named_at_once_and_no_rule_judged_before_they_are_mended() -> None:
    # GIVEN wrong fields and a broken rule across fields
    wrong = [("region", "us"), ("queue.brokrs", 3), ("milvus.line", "2.7")]
    data = file_with(*wrong, ("queue.brokers", 4))
    # THEN each field has a line, and the rule waits
    assert errors_of(data) == [
        "milvus.line: must be '2.3', '2.4', '2.5', '2.6' or '3.0', got '2.7'",
        "queue.brokrs: unknown setting; did you mean brokers?",
        "region: got 'us', which does not match ^[a-z]{2}(-[a-z]+)+-\\d$; AWS region",
    ]


def test_every_broken_rule_is_named_at_once() -> None:
    # GIVEN two broken rules, and a Kubernetes version that the calendar refuses
    data = file_with(("queue.brokers", 4), ("milvus.service.scheme", "internet-facing"), ("cluster.version", "1.33"))
    with pytest.raises(SettingsError) as raised:
        parse_environment(data, source="test.yaml", today=date(2027, 7, 30))
    # THEN each has a line
    assert [problem.path for problem in raised.value.problems] == [
        "cluster.version",
        "milvus.service.source_cidrs",
        "queue.brokers",
    ]


def test_wrong_entry_of_a_list_is_not_missing_as_well() -> None:
    wrong = ("network.existing", {"vpc_id": "vpc-0123456789abcdef0", "private_subnet_ids": ["a"]})
    assert [error.split(": ")[0] for error in errors_of(file_with(wrong))] == ["network.existing.private_subnet_ids.0"]


def test_every_network_that_is_none_is_named() -> None:
    data = file_with(("network.cidr", "10.0.0.1/16"), ("milvus.service.source_cidrs", ["10.0.0.300/8", "0.0.0.0/00"]))
    data["milvus"]["attu"] = {"inbound_cidrs": ["203.0.113.1/24"]}
    data["cluster"]["public_cidrs"] = ["203.0.113.0/33"]
    assert errors_of(data) == [
        "cluster.public_cidrs.0: 203.0.113.0/33 is not a network ('33' is not a valid netmask); write it like "
        "10.0.0.0/16, host bits zero",
        "milvus.attu.inbound_cidrs.0: 203.0.113.1/24 is not a network (203.0.113.1/24 has host bits set); write it "
        "like 10.0.0.0/16, host bits zero",
        "milvus.service.source_cidrs.0: 10.0.0.300/8 is not a network (Octet 300 (> 255) not permitted in "
        "'10.0.0.300'); write it like 10.0.0.0/16, host bits zero",
        "milvus.service.source_cidrs.1: got 0.0.0.0/00; write it as 0.0.0.0/0",
        "network.cidr: 10.0.0.1/16 is not a network (10.0.0.1/16 has host bits set); write it like 10.0.0.0/16, host "
        "bits zero",
    ]


def test_count_of_errors_heads_the_list() -> None:
    with pytest.raises(SettingsError, match=r"^test.yaml: 1 error\n  region: "):
        parse_environment(file_with(("region", "us")), source="test.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [("milvus.components.proxy", {"replica": 2})],
            "milvus.components.proxy.replica: unknown setting; did you mean",
        ),
        (
            [("cluster.node_groups.milvus.zzz", 1)],
            "cluster.node_groups.milvus.zzz: unknown setting; known here: instance",
        ),
        ([("queue", {})], "queue: needs `kind`, one of msk, woodpecker; add it"),
        ([("queue", {"kind": "pulsar"})], "queue: kind: must be one of 'msk', 'woodpecker', got 'pulsar'"),
        ([("queue", {"kind": "msk", "brokers": 61})], "queue.brokers: must be less than or equal to 60, got 61"),
        ([("account", 111122223333)], "account: must be a valid string, got 111122223333"),
        ([("tags", {"a": "b" * 300})], "tags.a: got 'bbb"),
        ([("network.cidr", "everywhere")], "network.cidr: got 'everywhere', which does not match"),
        ([("cluster.admin_role_arns", ["admin"])], "cluster.admin_role_arns.0: got 'admin', which does not match"),
        (
            [("queue", {"kind": "woodpecker", "brokers": 3}), ("milvus.line", "3.0")],
            "queue.brokers: unknown setting; it belongs to kind: msk, and this is kind: woodpecker; remove it",
        ),
        ([("milvus.line", 2.6)], "milvus.line: must be '2.3', '2.4', '2.5', '2.6' or '3.0', got 2.6; put it in quotes"),
        ([("cluster.version", 1.36)], "cluster.version: must be a valid string, got 1.36; put it in quotes, as it is"),
        (
            [("milvus.namespace", "kube-system")],
            "milvus.namespace: kube-system belongs to others, and the release clos",
        ),
        ([("region", "us-est-1")], "region: us-est-1 is not an AWS region (did you mean us-west-1 or us-east-1?); if"),
        ([("region", "us-east-9")], "region: us-east-9 is not an AWS region (did you mean us-east-"),
        ([("milvus.namespace", "default")], "milvus.namespace: default belongs to others"),
        ([("milvus.release_name", "m" * 43)], "milvus.release_name: String should have at most 42 characters, got"),
        ([("milvus.release_name", "1milvus")], "milvus.release_name: got '1milvus', which does not match"),
        ([("milvus.service.name", "1milvus")], "milvus.service.name: got '1milvus', which does not match"),
        (
            [("milvus.image_repository", "milvusdb/milvus:v2.6.22")],
            "milvus.image_repository: got 'milvusdb/milvus:v2.6.22', which does not match",
        ),
        ([("milvus", None)], "milvus: must be a mapping of settings, got nothing; write them below it, indented, or"),
        ([("cluster.public_cidrs", "192.0.2.0/24")], "cluster.public_cidrs: must be a list, got '192.0.2.0/24'; write"),
        ([("milvus.version", "2.7.0")], "milvus.version: 2.7.0 is not of milvus.line 2.6; take a version such as 2.6"),
    ],
)
def test_wrong_field_names_path_value_and_remedy(changes: list[tuple[str, Any]], message: str) -> None:
    assert any(error.startswith(message) for error in errors_of(file_with(*changes))), errors_of(file_with(*changes))


def test_missing_setting_says_what_it_is() -> None:
    data = file_with()
    del data["region"]
    assert errors_of(data) == ["region: missing; AWS region"]


@pytest.mark.parametrize(("data", "given"), [(None, "nothing"), ([1], "list")])
def test_file_must_be_a_mapping(data: object, given: str) -> None:
    assert errors_of(data) == [f"file: must be a mapping of settings, got {given}"]


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(loader, "ENVIRONMENTS", tmp_path)


def test_key_that_appears_twice_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, "name: one\nname: two\n")
    with pytest.raises(SettingsError, match="line 2, column 1: the key name appears twice; keep one"):
        load_environment("mine")


def test_broken_yaml_names_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, "name: [\n")
    with pytest.raises(SettingsError, match=r"line 2, column 1: .*; fix the YAML there"):
        load_environment("mine")


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="file: cannot be read: No such file or directory; give another path"):
        load_environment_file(tmp_path / "mine.yaml")


@pytest.mark.parametrize("content", ["name: [", "name: 1"])
@pytest.mark.parametrize("source", [None, "the file of Ada"])
def test_file_from_anywhere_is_named_as_its_reader_knows_it(tmp_path: Path, content: str, source: str | None) -> None:
    # GIVEN a file that is no YAML, and one that breaks a rule
    (tmp_path / "mine.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        load_environment_file(tmp_path / "mine.yaml", source=source)
    # THEN the message begins with the name that was given for it, or with its path
    assert str(raised.value).startswith(f"{source or tmp_path / 'mine.yaml'}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- name\n", "file: must be a mapping of settings, got list"),
        (b"name: caf\xe9\n", "file: byte 10 is not valid UTF-8; save the file as UTF-8"),
        (
            b"? [a, b]\n: c\n",
            "line 1, column 3: a key has to be plain text, not a list or mapping; fix the YAML there",
        ),
        (b"name: a\x01b\n", "file: character 8 is a control character, which YAML forbids; remove it"),
    ],
)
def test_file_that_is_no_yaml_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    monkeypatch.setattr(loader, "ENVIRONMENTS", tmp_path)
    with pytest.raises(SettingsError, match=message):
        load_environment("mine")


def test_file_on_disk_gives_the_same_as_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, yaml.safe_dump(file_with()))
    assert load_environment("mine", today=TODAY) == parse_environment(file_with(), source="x", today=TODAY)


def test_environment_in_another_place_is_judged_by_every_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a file whose certificate is in its own region
    certificate = "arn:aws:acm:us-east-2:111122223333:certificate/00000000-0000-0000-0000-000000000000"
    service = {"certificate_arn": certificate, "hostname": "milvus.example.com"}
    written(tmp_path, monkeypatch, yaml.safe_dump(file_with(("milvus.service", service))))
    # THEN it may go to another account, and not to another region
    assert load_environment("mine", account="444455556666", today=TODAY).account == "444455556666"
    with pytest.raises(SettingsError, match=r"certificate_arn: .* is of region us-east-2; it has to be in eu-"):
        load_environment("mine", region="eu-central-1", today=TODAY)


def environment(*changes: tuple[str, Any]) -> Environment:
    return parse_environment(file_with(*changes), source="test.yaml", today=TODAY)


@pytest.mark.parametrize("repository", ["milvusdb/milvus", "registry.example:5000/mirror/milvus", "milvus"])
def test_image_repository_may_name_a_registry_with_its_port(repository: str) -> None:
    assert environment(("milvus.image_repository", repository)).milvus.image_repository == repository


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_region_is_known_with_its_partition(region: str, partition: str) -> None:
    assert environment(("region", region), ("network.zones", ["a", "b", "d"])).region == region
    assert partitions()[region] == partition


def test_stacks_are_named_by_environment_and_part() -> None:
    assert stack_name(environment(), Part.NETWORK) == "milvus-test-network"


def test_keys_of_outputs_are_unique_over_all_stacks() -> None:
    keys = [value for name, value in vars(output_keys).items() if name.isupper()]
    assert len(keys) == len(set(keys)) > 10


def test_streaming_stack_exists_only_with_msk() -> None:
    assert Part.STREAMING in parts(environment())
    woodpecker = environment(("queue", {"kind": "woodpecker"}), ("milvus.line", "3.0"))
    assert Part.STREAMING not in parts(woodpecker)


def test_component_falls_back_to_the_node_group_of_the_release() -> None:
    env = environment(("milvus.node_group", "milvus"), ("milvus.components.proxy", {"node_group": None}))
    assert env.node_group_of("proxy") == "milvus"
    assert env.node_group_of("etcd") == "milvus"


def test_component_keeps_the_defaults_of_what_its_file_does_not_say() -> None:
    env = environment(
        ("milvus.components.query_node", {"replicas": 2}),
        ("milvus.components.mix_coordinator", {"cpu": 2}),
        ("milvus.components.data_node", None),
    )
    found = {name: (each.replicas, each.cpu, each.memory_gib) for name, each in env.components.items()}
    assert found == {
        "mix_coordinator": (2, 2, 4),
        "proxy": (2, 1, 4),
        "query_node": (2, 2, 8),
        "streaming_node": (1, 2, 8),
        "data_node": (1, 2, 8),
    }


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_default_version_of_a_line_is_of_that_line(line: str) -> None:
    release = RELEASE_LINES[line]
    assert release.default_version.startswith(f"{line}.")
    assert Version.parse(release.oldest_version) <= Version.parse(release.default_version)


def test_default_version_is_the_newest_that_is_known() -> None:
    # https://milvus.io/docs/release_notes.md and https://hub.docker.com/r/milvusdb/milvus/tags, in November 2026
    assert {line: release.default_version for line, release in RELEASE_LINES.items()} == {
        "2.3": "2.3.22",
        "2.4": "2.4.24",
        "2.5": "2.5.27",
        "2.6": "2.6.25",
        "3.0": "3.0.2",
    }


def test_versions_compare_by_number() -> None:
    assert Version.parse("v2.6.9") < Version.parse("2.6.22")
    assert str(Version.parse("v2.6.9")) == "2.6.9"
    with pytest.raises(ValueError, match=re.escape("invalid literal for int()")):
        Version.parse("2.6.x")


@pytest.mark.parametrize(
    ("name", "architecture", "max_pods"),
    # max pods: https://github.com/awslabs/amazon-eks-ami `eni-max-pods.txt`
    [
        ("m6i.2xlarge", "amd64", 58),
        ("m7g.large", "arm64", 29),
        ("t4g.large", "arm64", 35),
        ("r7g.4xlarge", "arm64", 110),
        ("t3.large", "amd64", 35),
    ],
)
def test_instance_table_knows_architecture_and_pods(name: str, architecture: str, max_pods: int) -> None:
    assert (INSTANCE_TYPES[name].architecture, INSTANCE_TYPES[name].max_pods) == (architecture, max_pods)


@pytest.mark.parametrize(("vcpu", "reserved"), [(1, 60), (2, 70), (4, 80), (8, 90), (16, 110)])
def test_reserved_cpu_follows_the_table_of_the_eks_image(vcpu: int, reserved: int) -> None:
    assert allocatable_millicores(vcpu) == 1000 * vcpu - reserved
