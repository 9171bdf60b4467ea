"""What the servers are told: Milvus's merged configuration, SCRAM credentials, Java properties, certificates."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from charts.values.merge import merged
from rehearsal.certificates import Authority, service_account_key
from rehearsal.run import Run
from rehearsal.servers import kafka
from rehearsal.servers.milvus import COMPONENTS_2_3, COMPONENTS_2_6, Component, server
from rehearsal.servers.milvus_configuration import chart_layers, nested, server_defaults
from rehearsal.servers.process import ServerError
from rehearsal.servers.scram import jaas, java_properties, stored_credential


def test_later_layers_win_key_by_key_and_replace_lists() -> None:
    # GIVEN
    own = {"etcd": {"endpoints": ["a"], "rootPath": "by-dev"}, "mq": {"type": "default"}}
    chart = {"etcd": {"endpoints": ["b", "c"]}, "mq": {"type": "kafka"}}

    # WHEN
    result = merged(own, chart)

    # THEN and the layers are as they were
    assert result == {"etcd": {"endpoints": ["b", "c"], "rootPath": "by-dev"}, "mq": {"type": "kafka"}}
    assert own["etcd"] == {"endpoints": ["a"], "rootPath": "by-dev"}


def test_mapping_replaces_a_value_and_a_value_a_mapping() -> None:
    assert merged({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}
    assert merged({"a": {"b": 2}}, {"a": None}) == {"a": None}


def test_dotted_keys_become_nested_ones() -> None:
    assert nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}


def test_placeholders_of_the_wheels_configuration_become_their_defaults(tmp_path: Path) -> None:
    # GIVEN
    template = tmp_path / "config.yaml.template"
    template.write_text("port: {{ proxy_port(int): 19530 }}\nlevel: {{ level: info }} # why\npath: {{ data_dir }}\n")

    # WHEN THEN
    assert server_defaults(template) == {"port": 19530, "level": "info", "path": ""}


def test_layers_of_a_config_map_are_in_the_order_in_which_pods_merge_them() -> None:
    # GIVEN
    config_map = {"data": {"user.yaml": "a: 2", "other": "x", "default.yaml": "a: 1"}}

    # WHEN THEN
    assert chart_layers(config_map) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "user.yaml of the chart's ConfigMap is not valid YAML"), ("- a", "must be a mapping, got list")],
)
def test_broken_file_of_a_config_map_is_named(text: str, message: str) -> None:
    with pytest.raises(ServerError, match=message):
        chart_layers({"data": {"user.yaml": text}})


@pytest.mark.parametrize(
    ("configuration", "components", "root_password"),
    [
        ("streamingNode: {}\ncommon:\n  security:\n    defaultRootPassword: x\n", COMPONENTS_2_6, None),
        ("indexNode: {}\n", COMPONENTS_2_3, "Milvus"),
    ],
    ids=["2.6", "2.3"],
)
def test_server_given_by_path_is_run_as_its_line_needs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    configuration: str,
    components: tuple[Component, ...],
    root_password: str | None,
) -> None:
    # GIVEN a server laid out as in Milvus's image
    for name, content in (("bin/milvus", ""), ("configs/milvus.yaml", configuration)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("MILVUS_BIN", str(tmp_path / "bin" / "milvus"))

    # WHEN
    given = server()

    # THEN
    assert given.components == components
    assert given.root_password == root_password


def test_server_without_its_configuration_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "milvus").touch()
    monkeypatch.setenv("MILVUS_BIN", str(tmp_path / "bin" / "milvus"))

    # WHEN THEN
    with pytest.raises(ServerError, match=r"milvus.yaml cannot be read: a server given by MILVUS_BIN"):
        server_defaults(server().defaults)


def test_server_path_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILVUS_BIN", "/nowhere/milvus")
    with pytest.raises(ServerError, match="MILVUS_BIN=/nowhere/milvus: no such file"):
        server()


@pytest.mark.parametrize("components", [COMPONENTS_2_3, COMPONENTS_2_6], ids=["2.3", "2.6"])
def test_no_two_components_share_a_name_or_a_port(components: tuple[Component, ...]) -> None:
    names = [component.name for component in components]
    ports = [port for component in components for port in component.ports]
    assert len(set(names)) == len(names)
    assert len(set(ports)) == len(ports)


def test_credential_holds_the_salted_password_and_never_the_password() -> None:
    # GIVEN
    password = """p"a,s]s"""

    # WHEN
    stored = stored_credential("milvus", password)

    # THEN
    salt = base64.b64decode(re.findall(r'salt="([^"]+)"', stored)[0])
    salted = base64.b64decode(re.findall(r'saltedpassword="([^"]+)"', stored)[0])
    assert salted == hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 4096)
    assert password not in stored
    assert stored.startswith("SCRAM-SHA-512=[name=milvus,")


def test_login_with_quotes_and_backslashes_is_escaped() -> None:
    assert jaas("milvus", 'a"b\\c').endswith(' username="milvus" password="a\\"b\\\\c";')


def test_java_properties_escape_backslashes_line_breaks_and_other_letters() -> None:
    assert java_properties({"a": "1", "b": "x\\y", "c": "é"}) == "a=1\nb=x\\\\y\nc=\\u00e9\n"
    assert java_properties({"d": "one\ntwo"}) == "d=one\\n\\\n  two\n"


def test_issued_certificate_is_for_its_hosts_and_signed_by_the_authority() -> None:
    # GIVEN
    authority = Authority("example-ca")

    # WHEN
    issued = authority.issue("server", groups=("system:masters",), hosts=("localhost", "127.0.0.1"))

    # THEN
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    root = x509.load_pem_x509_certificate(authority.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert certificate.subject.rfc4514_string() == "CN=server,O=system:masters"
    certificate.verify_directly_issued_by(root)
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)


def test_service_account_keys_belong_together() -> None:
    private, public = service_account_key()
    assert "BEGIN PRIVATE KEY" in private
    assert "BEGIN PUBLIC KEY" in public


def test_run_keeps_logs_and_removes_keys(tmp_path: Path) -> None:
    # WHEN
    with Run(root=tmp_path) as run:
        run.log("etcd").write_text("started")
        key = run.secret_file("kubernetes", "ca.key", "secret")
        assert key.stat().st_mode & 0o777 == 0o600

    # THEN
    assert (tmp_path / "latest" / "etcd.log").read_text() == "started"
    assert not key.exists()


def test_two_runs_in_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with Run(root=tmp_path) as first, Run(root=tmp_path) as second:
        assert first.folder != second.folder
        assert (tmp_path / "latest").resolve() == second.folder.resolve()


def test_cluster_id_that_begins_with_a_hyphen_is_no_option_of_kafkas_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a random id that begins with a hyphen, as one of 64 does
    monkeypatch.setattr(kafka, "kafka_jars", lambda: tmp_path)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" * 16))
    said: list[str] = []
    monkeypatch.setattr(kafka.Kafka, "_run_java", lambda _self, _main, *arguments: said.extend(arguments))

    # WHEN
    with Run(root=tmp_path) as run:
        kafka.Kafka(run=run, properties={}, users={}, brokers=1)._format(1)

    # THEN
    assert [argument for argument in said if "cluster-id" in argument] == ["--cluster-id=-Pj4-Pj4-Pj4-Pj4-Pj4-A"]
