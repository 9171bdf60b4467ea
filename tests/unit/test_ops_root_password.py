"""Root's password in Milvus follows its secret, is proven by a login, and is shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pymilvus.exceptions import MilvusException
from typer.testing import CliRunner, Result

from ops import root_password as module
from ops.cli import app
from ops.errors import OpsError
from ops.milvus import parse_target
from ops.root_password import set_root_password
from tests.unit.ops_tls import self_signed

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:milvus-root-AbCdEf"
URI = "http://milvus.test:19530"
NEW, OLD, STRANGE = "n3wFromTheSecret", "0ldFromTheSecret", "str4nge"


class Server:
    """A Milvus with users; ``takes`` are the passwords that its proxies accept at the moment."""

    def __init__(self, password: str) -> None:
        self.takes = {password}
        self.authorization = True
        self.tried: list[str] = []
        self.options: list[dict[str, Any]] = []
        self.changes: list[tuple[str, str, str]] = []
        self.open = 0
        self.broken: str | None = None
        self.forgets = True
        self.stores = True

    def connect(self, **options: Any) -> Client:
        user, _, password = options["token"].partition(":")
        self.tried.append(password)
        self.options.append(options)
        if self.authorization and (user != "root" or password not in self.takes):
            raise MilvusException(code=2, message="auth check failure, please check username and password are correct")
        self.open += 1
        return Client(self)


class Client:
    def __init__(self, server: Server) -> None:
        self._server = server

    def get_server_version(self, **_: Any) -> str:
        return "v2.3.13"

    def update_password(self, user: str, old: str, new: str, **_: Any) -> None:
        if self._server.broken:
            raise MilvusException(code=1, message=f"{self._server.broken} {old} {new}")
        self._server.changes.append((user, old, new))
        if self._server.forgets:
            self._server.takes.discard(old)
        if self._server.stores:
            self._server.takes.add(new)

    def close(self) -> None:
        self._server.open -= 1


class Secret:
    """The versions of root's secret, as ``user:password``."""

    def __init__(self) -> None:
        self.current = f"root:{NEW}"
        self.previous: str | None = None
        self.asked_for_previous = False

    def token(self, _arn: str) -> str:
        return self.current

    def before(self, _arn: str) -> str | None:
        self.asked_for_previous = True
        return self.previous


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> Secret:
    made = Secret()
    monkeypatch.setattr(module, "token_from_secret", made.token)
    monkeypatch.setattr(module, "previous_token", made.before)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.01)
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(module.WELL_KNOWN)
    monkeypatch.setattr("pymilvus.MilvusClient", made.connect)
    monkeypatch.setattr("ops.milvus.address.address_and_secret", lambda _env: (URI, SECRET))
    return made


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(app, ["root-password", *arguments], env=variables)


def test_well_known_password_is_replaced_by_the_secrets_and_proven(server: Server, secret: Secret) -> None:
    # GIVEN Milvus 2.3 after its first start
    result = run("--env", "dev")
    # THEN root has the secret's password, a new login proved it, and the old one is refused
    assert result.exit_code == 0
    assert result.stdout == (
        f"changed root's password is now what the secret says; it was the well-known default ({URI}, Milvus v2.3.13)\n"
    )
    assert server.changes == [("root", "Milvus", NEW)]
    assert server.tried[-2:] == [NEW, "Milvus"]
    assert server.open == 0
    assert not secret.asked_for_previous


def test_password_that_is_right_is_left_alone(server: Server) -> None:
    server.takes = {NEW}

    result = run("--env", "dev")

    assert result.exit_code == 0
    assert result.stdout == f"nothing to do root's password is what the secret says ({URI}, Milvus v2.3.13)\n"
    assert server.changes == []


def test_rotation_logs_in_with_the_previous_version_of_the_secret(server: Server, secret: Secret) -> None:
    # GIVEN a secret with a new value, and a Milvus that has the old one
    server.takes, secret.previous = {OLD}, f"root:{OLD}"

    result = run("--env", "dev", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "target": URI,
        "secret": SECRET,
        "server_version": "v2.3.13",
        "changed": True,
        "before": "previous",
    }
    assert server.takes == {NEW}


def test_password_set_by_hand_is_given_in_a_variable(server: Server) -> None:
    server.takes = {STRANGE}

    result = run("--env", "dev", "--old-password-env", "OLD", OLD=STRANGE)

    assert result.exit_code == 0
    assert "it was the one of --old-password-env" in result.stdout
    assert server.takes == {NEW}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "its password is neither the secret's nor the well-known default, nor the secret's previous version"),
        (["--old-password-env", "OLD"], "nor the well-known default nor that of --old-password-env, nor the secret's"),
    ],
)
def test_password_that_nobody_knows_is_an_error_with_a_remedy(
    server: Server, secret: Secret, arguments: list[str], says: str
) -> None:
    server.takes, secret.previous = {"somebody-changed-it"}, f"root:{OLD}"

    result = run("--env", "dev", *arguments, OLD=STRANGE)

    assert result.exit_code == 1
    assert says in result.stderr
    assert "do Put the password that root has into an environment variable" in result.stderr
    assert server.changes == []


def test_no_output_holds_a_password(server: Server, secret: Secret) -> None:
    # GIVEN a Milvus that repeats passwords in its error
    server.takes, secret.previous, server.broken = {OLD}, f"root:{OLD}", "cannot store"

    result = run("--env", "dev")

    assert result.exit_code == 1
    assert f"error cannot change root's password on {URI}: cannot store *** ***" in result.stderr
    assert "do Milvus cannot store the password: check etcd" in result.stderr
    assert not any(password in result.output for password in (NEW, OLD))


def test_milvus_without_users_is_not_called_safe(server: Server) -> None:
    # GIVEN authorization off, so that every login succeeds
    server.authorization = False

    with pytest.raises(OpsError, match="demands no login: it takes any password") as raised:
        set_root_password(target=parse_target(uri=URI), secret=SECRET)

    assert "milvus.authorization: true" in raised.value.remedy


@pytest.mark.parametrize(
    ("forgets", "stores", "says"),
    [
        (False, True, "has stored root's new password, but still takes the old one"),
        (True, False, "has stored root's new password, but refuses it"),
    ],
)
def test_change_without_effect_is_an_error(server: Server, forgets: bool, stores: bool, says: str) -> None:
    server.forgets, server.stores = forgets, stores

    with pytest.raises(OpsError, match=says) as raised:
        set_root_password(target=parse_target(uri=URI), secret=SECRET, timeout=1)

    assert "rollout restart" in raised.value.remedy


def test_proxy_that_hears_of_the_change_late_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a second proxy that still takes the old password for a moment
    server.forgets = False

    def later(_seconds: float) -> None:
        server.takes.discard("Milvus")

    monkeypatch.setattr("time.sleep", later)

    assert set_root_password(target=parse_target(uri=URI), secret=SECRET).changed


def test_milvus_that_does_not_answer_is_explained(monkeypatch: pytest.MonkeyPatch, secret: Secret) -> None:
    def unreachable(**_: Any) -> None:
        raise MilvusException(code=2, message="Fail connecting")

    monkeypatch.setattr("pymilvus.MilvusClient", unreachable)

    result = run("--uri", "http://127.0.0.1:1", "--secret-arn", SECRET)

    assert result.exit_code == 1
    assert "error cannot log in to http://127.0.0.1:1 as root: 127.0.0.1:1 cannot be reached" in result.stderr
    assert secret.current not in result.output


_NEW_VALUE = "Put a new value into it first: docs/security.md shows how"
_WRONG_LENGTH = f"the password in the secret {SECRET} is shorter than 6 or longer than 72 bytes"


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (
            f"admin:{NEW}",
            f"the secret {SECRET} is of the user admin, not of root. "
            "Give root's (`python -m ops endpoints --env NAME` shows RootSecretArn)",
        ),
        ("root:Milvus", f"the secret {SECRET} holds Milvus's well-known default password. {_NEW_VALUE}"),
        ("root:short", f"{_WRONG_LENGTH}. {_NEW_VALUE}"),
        (f"root:{'x' * 73}", f"{_WRONG_LENGTH}. {_NEW_VALUE}"),
    ],
)
def test_secret_that_cannot_be_roots_password_is_refused_before_any_login(
    server: Server, secret: Secret, token: str, says: str
) -> None:
    secret.current = token

    with pytest.raises(OpsError) as raised:
        set_root_password(target=parse_target(uri=URI), secret=SECRET)

    assert str(raised.value) == says
    assert server.tried == []


def test_connection_has_the_tls_options_of_smoke(server: Server, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(self_signed()[0])

    result = run("--uri", "milvus.test", "--secret-arn", SECRET, "--ca", str(ca), "--server-name", "milvus")

    assert result.exit_code == 0
    wanted = {"uri": "https://milvus.test:19530", "secure": True, "server_pem_path": str(ca), "server_name": "milvus"}
    assert all(options.items() >= wanted.items() for options in server.options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--uri: got neither --uri nor --env, allowed is http(s)://HOST:19530, or --env NAME"),
        (["--uri", "x.db", "--secret-arn", SECRET], "--uri: got x.db, allowed is http(s)://HOST:19530"),
        (["--uri", URI], "--secret-arn: got nothing, allowed is the ARN of root's secret"),
        (["--env", "dev", "--uri", URI], "--env: got dev and --uri, allowed is one of them"),
        (["--env", "dev", "--old-password-env", "NO_SUCH"], "--old-password-env: got NO_SUCH, which is not set"),
        (["--env", "dev", "--timeout", "0"], "--timeout: got 0, allowed is 1 to 600"),
    ],
)
def test_contradictions_are_errors(server: Server, arguments: list[str], says: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert server.tried == []


def test_environment_without_authorization_has_nothing_to_set(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.milvus.address.address_and_secret", lambda _env: (URI, None))

    result = run("--env", "dev")

    assert result.exit_code == 1
    assert "error environment dev has no secret of root: its Milvus demands no login" in result.stderr
    assert server.tried == []
