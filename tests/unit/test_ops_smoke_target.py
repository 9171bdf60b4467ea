from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from ops.cli import app
from ops.errors import OpsError
from ops.milvus import parse_target, token_from_secret
from ops.milvus.deadline import DeadlineError
from ops.milvus.diagnosis import explain
from ops.milvus.secret import previous_token
from ops.smoke import run_smoke
from tests.unit.ops_milvus_double import FakeMilvus
from tests.unit.ops_tls import self_signed

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:milvus-root-AbCdEf"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(self_signed()[0])
    return path


@pytest.mark.parametrize(
    ("options", "uri"),
    [
        ({"uri": "http://host:19530"}, "http://host:19530"),
        ({"uri": "https://host"}, "https://host:19530"),
        ({"uri": "host"}, "http://host:19530"),
        ({"uri": "host:19531", "tls": True}, "https://host:19531"),
        ({"uri": "http://host", "tls": True}, "https://host:19530"),
        ({"uri": "host", "server_name": "milvus.test"}, "https://host:19530"),
        ({"uri": "http://[::1]:19530/"}, "http://[::1]:19530"),
        ({"uri": "http://host/books"}, "http://host:19530/books"),
    ],
)
def test_address_is_completed(options: dict[str, Any], uri: str) -> None:
    target = parse_target(**options)

    assert target.uri == uri
    assert target.uses_tls is uri.startswith("https")
    assert not target.is_lite


def test_ca_alone_means_tls(ca: Path) -> None:
    assert parse_target(uri="host", ca=ca).uri == "https://host:19530"


def test_no_address_is_milvus_lite_in_a_temporary_file(tmp_path: Path) -> None:
    assert parse_target().is_lite
    assert str(parse_target()) == "Milvus Lite in a temporary file"
    assert parse_target(uri=str(tmp_path / "x.db")).is_lite


def test_token_is_in_no_representation() -> None:
    target = parse_target(uri="host", token="root:s3cret")

    assert "s3cret" not in f"{target!r} {target}"


_ADDRESSES = "http://HOST:19530, https://HOST:19530, HOST:19530 or FILE.db for Milvus Lite"
_TLS = "--tls, --ca and --server-name"
_NO_TLS = "Give --uri, or drop the TLS options: Milvus Lite is a file, not a server"
_IN_LOGS = "Put user:password into the environment variable MILVUS_TOKEN: addresses end up in logs"


@pytest.mark.parametrize(
    ("options", "setting", "got", "allowed", "remedy"),
    [
        ({"uri": "ftp://host"}, "--uri", "ftp://host", _ADDRESSES, "Correct the address"),
        ({"uri": "http://"}, "--uri", "http://", _ADDRESSES, "Correct the address"),
        ({"uri": "http://host:port"}, "--uri", "http://host:port", _ADDRESSES, "Correct the address"),
        (
            {"uri": "http://host:9091"},
            *("--uri", "http://host:9091", "port 19530"),
            "9091 is the port for metrics and health; it takes no queries",
        ),
        (
            {"uri": "http://root:s3cret@host"},
            *("--uri", "an address with a user or password in it", _ADDRESSES, _IN_LOGS),
        ),
        (
            {"uri": "http://host", "server_name": "x"},
            *("--ca and --server-name", "with http://host", "with https://", "Add --tls"),
        ),
        (
            {"uri": "https://host", "tls": False},
            *("--no-tls", "with https://host", "with http://", "Drop one of them"),
        ),
        ({"tls": True}, _TLS, "with no --uri, which is Milvus Lite", "with https://HOST:19530", _NO_TLS),
        ({"uri": "x.db", "tls": True}, _TLS, "with x.db", "with https://HOST:19530", _NO_TLS),
        (
            {"uri": "/no/such/folder/x.db"},
            *("--uri", "/no/such/folder/x.db", "a .db file in an existing folder", "Create the folder first"),
        ),
        (
            {"uri": "host", "ca": Path("/no/such/ca.pem")},
            *("--ca", "/no/such/ca.pem (No such file or directory)", "a readable PEM file with certificates"),
            "Give the certificate of the authority that signed the server's",
        ),
    ],
)
def test_wrong_address_is_an_error_that_says_what_is_allowed(
    options: dict[str, Any], setting: str, got: str, allowed: str, remedy: str
) -> None:
    with pytest.raises(OpsError) as raised:
        parse_target(**options)

    assert str(raised.value) == f"{setting}: got {got}, allowed is {allowed}. {remedy}"
    assert raised.value.code == 2


def test_ca_that_holds_no_certificate_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")

    with pytest.raises(OpsError, match="allowed is a readable PEM file with certificates"):
        parse_target(uri="host", ca=empty)


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ({"username": "admin", "password": "a:b"}, "admin:a:b"),
        ({"password": "p"}, "root:p"),
        ({"username": "", "password": "p"}, "root:p"),
    ],
)
def test_token_comes_from_the_secret(value: dict[str, str], token: str) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    with Stubber(client) as stub:
        stub.add_response("get_secret_value", {"SecretString": json.dumps(value)}, {"SecretId": ARN})

        assert token_from_secret(ARN, client=client) == token


@pytest.mark.parametrize("text", ["hunter2", '"hunter2"', '{"pass": "hunter2"}', '{"password": ""}', '["hunter2"]'])
def test_secret_of_another_form_is_an_error_without_its_value(text: str) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    stub = Stubber(client)
    stub.add_response("get_secret_value", {"SecretString": text})
    stub.activate()

    with pytest.raises(OpsError, match="is not JSON with a password") as raised:
        token_from_secret(ARN, client=client)

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "token"), [('{"username": "root", "password": "before"}', "root:before"), ("no JSON", None)]
)
def test_previous_version_of_a_secret_is_read_by_its_label(text: str, token: str | None) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    with Stubber(client) as stub:
        stub.add_response("get_secret_value", {"SecretString": text}, {"SecretId": ARN, "VersionStage": "AWSPREVIOUS"})

        assert previous_token(ARN, client=client) == token


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_secret_without_a_previous_version_is_no_error_but_a_refusal_is(code: str) -> None:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    stub = Stubber(client)
    stub.add_client_error("get_secret_value", code, "not yours")
    stub.activate()

    if code == "ResourceNotFoundException":
        assert previous_token(ARN, client=client) is None
        return
    with pytest.raises(OpsError, match=r"cannot read the previous version of the secret .*: not yours"):
        previous_token(ARN, client=client)


@pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket", "arn:aws:kms:eu-west-1:1:key/x:y:z"])
def test_arn_of_something_else_is_an_error(arn: str) -> None:
    with pytest.raises(OpsError, match=f"--secret-arn: got {arn}, allowed is arn:aws:secretsmanager"):
        token_from_secret(arn)


class TestLogin:
    """Where the command takes its token from."""

    @pytest.fixture
    def tokens(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        seen: list[str] = []

        def connect(**options: Any) -> FakeMilvus:
            seen.append(options["token"])
            return FakeMilvus()

        monkeypatch.setattr("pymilvus.MilvusClient", connect)
        monkeypatch.setattr("ops.commands.smoke.token_from_secret", lambda arn: f"from {arn}")
        monkeypatch.setattr("ops.milvus.address.address_and_secret", lambda _env: ("http://from-env:19530", "own"))
        monkeypatch.delenv("MILVUS_TOKEN", raising=False)
        return seen

    @pytest.mark.parametrize(
        ("arguments", "variables", "token"),
        [
            ([], {}, ""),
            ([], {"MILVUS_TOKEN": "a:b"}, "a:b"),
            (["--token", "x:y"], {"MILVUS_TOKEN": "a:b"}, "x:y"),
            (["--token-env", "OTHER"], {"OTHER": "o:p", "MILVUS_TOKEN": "a:b"}, "o:p"),
            (["--secret-arn", "arn"], {"MILVUS_TOKEN": "a:b"}, "from arn"),
        ],
    )
    def test_order(self, tokens: list[str], arguments: list[str], variables: dict[str, str], token: str) -> None:
        result = CliRunner().invoke(app, ["smoke", "--uri", "host", "--rows", "100", *arguments], env=variables)

        assert result.exit_code == 0
        assert tokens == [token]

    @pytest.mark.parametrize(("variables", "token"), [({}, "from own"), ({"MILVUS_TOKEN": "a:b"}, "a:b")])
    def test_environment_brings_its_address_and_secret(
        self, tokens: list[str], variables: dict[str, str], token: str
    ) -> None:
        result = CliRunner().invoke(app, ["smoke", "--env", "dev", "--rows", "100"], env=variables)

        assert result.exit_code == 0
        assert "http://from-env:19530" in result.stdout
        assert tokens == [token]

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (
                ["--token", "a:b", "--secret-arn", "x"],
                "the login: got --token and --secret-arn, allowed is one",
            ),
            (["--token-env", "NO_SUCH"], "--token-env: got NO_SUCH, which is not set"),
            (["--region", "eu-west-1"], "--region: got eu-west-1, allowed is with --env"),
            (["--env", "dev"], "--env: got dev and --uri, allowed is one of them"),
        ],
    )
    def test_contradictions_are_errors(self, tokens: list[str], arguments: list[str], says: str) -> None:
        result = CliRunner().invoke(app, ["smoke", "--uri", "host", *arguments])

        assert result.exit_code == 2
        assert says in result.stderr
        assert "a:b" not in result.output
        assert not tokens


class RefusalError(Exception):
    """What gRPC raises, in a ring of causes as pymilvus makes it."""

    def __init__(self, details: str) -> None:
        super().__init__()
        self._details = details
        self.__cause__ = self

    def details(self) -> str:
        return self._details


PLAIN = parse_target(uri="http://127.0.0.1:1", token="root:s3cret")


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("missing authorization in header", "Milvus demands a login and no token was given", "MILVUS_TOKEN"),
        ("auth check failure, please check username and password", "Milvus refuses the token", "--secret-arn"),
        ("auth check failure", "Milvus refuses the token", "`python -m ops root-password --env NAME` gives Milvus"),
        ("PrivilegeCreateCollection: permission deny", "permission deny", "Log in as root"),
        ("Tls handshake failed: CERTIFICATE_VERIFY_FAILED", "certificate of 127.0.0.1:1 is not trusted", "--ca FILE"),
        (
            "Custom verification check failed with error: UNAUTHENTICATED: Hostname Verification Check failed.",
            "the certificate of 127.0.0.1:1 is for another name",
            "--server-name",
        ),
        ("Tls handshake failed: WRONG_VERSION_NUMBER", "127.0.0.1:1 does not speak TLS", "Use http://"),
        ("Failed parsing HTTP/2 (Expected SETTINGS frame", "127.0.0.1:1 is not Milvus's gRPC port", "port 19530"),
        ("Connection refused", "127.0.0.1:1 cannot be reached: connection refused", "port-forward"),
    ],
)
def test_refused_connection_is_explained(text: str, reason: str, remedy: str) -> None:
    found = explain("connect", RefusalError(text), target=PLAIN, seconds=5)

    assert reason in found[0]
    assert remedy in found[1]


def test_login_without_a_token_is_not_called_a_refusal_of_one() -> None:
    target = parse_target(uri="http://127.0.0.1:1")

    assert (
        explain("connect", RefusalError("auth check failure"), target=target, seconds=5)[0] == "Milvus demands a login"
    )


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (socket.gaierror(-2, "x"), "the name 127.0.0.1 cannot be resolved", "python -m ops endpoints"),
        (TimeoutError(), "127.0.0.1:1 cannot be reached: no answer", "inside its VPC only"),
        (OSError(113, "No route to host"), "cannot be reached: no route to host", "targets of the load balancer"),
    ],
)
def test_unreachable_address_is_explained(
    monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str, remedy: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("socket.create_connection", refuse)

    found = explain("connect", DeadlineError(5), target=PLAIN, seconds=5)

    assert reason in found[0]
    assert remedy in found[1]


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server on loopback that does TLS handshakes."""
    certificate, key = self_signed()
    (tmp_path / "server.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    stopped.set()
    # Closing alone does not wake a thread that waits in accept().
    with contextlib.suppress(OSError):
        socket.create_connection(server.getsockname(), timeout=1).close()
    thread.join(timeout=5)
    server.close()


def test_plain_address_of_a_tls_server_is_recognised(tls_port: int) -> None:
    failure = run_smoke(target=parse_target(uri=f"http://127.0.0.1:{tls_port}"), connect_timeout=3).failure

    assert failure is not None
    assert failure.reason == f"127.0.0.1:{tls_port} speaks TLS, the address says http://"
    assert failure.remedy == "Use https:// or --tls"


def test_certificate_of_an_unknown_authority_is_recognised(tls_port: int) -> None:
    failure = run_smoke(target=parse_target(uri=f"https://127.0.0.1:{tls_port}"), connect_timeout=3).failure

    assert failure is not None
    assert failure.reason == f"the certificate of 127.0.0.1:{tls_port} is not trusted"


def test_milvus_lite_that_does_not_open_is_explained() -> None:
    found = explain("connect", ImportError("no milvus_lite"), target=parse_target(), seconds=5)

    assert found == ("no milvus_lite", "Check that milvus-lite is installed and that the folder can be written")
