"""Makes the password of Milvus's user root what its secret says, and proves it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ops.errors import OpsError, check_range
from ops.milvus.connection import open_client
from ops.milvus.deadline import within
from ops.milvus.diagnosis import explain, is_refused
from ops.milvus.quiet import quiet
from ops.milvus.secret import previous_token, token_from_secret
from ops.milvus.target import Target
from ops.program import NAME as PROGRAM

USER = "root"
# Milvus up to 2.4.6 starts with it, whatever its environment says (milvus#34752):
# https://milvus.io/docs/authenticate.md
WELL_KNOWN = "Milvus"

_NEW_VALUE = "Put a new value into it first: docs/security.md shows how"
_GRACE_SECONDS = 2
_AGAIN_SECONDS = 0.5

Before = Literal["secret", "default", "given", "previous"]
_NAMES: dict[Before, str] = {
    "secret": "what the secret says",
    "default": "the well-known default",
    "given": "the one of --old-password-env",
    "previous": "the secret's previous version",
}


class RootPasswordReport(BaseModel):
    """What was found and done; holds no password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    secret: str
    server_version: str
    changed: bool
    before: Before
    """Which password root had."""

    @property
    def before_in_words(self) -> str:
        """Return ``before`` as a person says it."""
        return _NAMES[self.before]


def set_root_password(
    *, target: Target, secret: str, given: str | None = None, timeout: int = 10
) -> RootPasswordReport:
    """Give root the password of the secret, unless it has it, and log in with it.

    Milvus takes the password only from somebody who knows the one before: the well-known default, ``given``, or the
    secret's previous version is tried, in this order. Safe to run again at any time.

    Args:
        target: Milvus, without a token.
        secret: ARN or name of root's secret.
        given: A password that root may have now.
        timeout: Seconds for each request, and for all proxies to know the new password.

    Raises:
        OpsError: Nothing fits, Milvus does not answer or refuses, or it demands no login at all.
    """
    check_range("--timeout", timeout, 1, 600)
    login = _Login(target, timeout)
    new = _root_password(token_from_secret(secret), secret)
    with quiet():
        version = login.version(new)
        if version is not None:
            _require_authorization(login)
            return _report(target, secret, version, before="secret")
        for before, old in _candidates(secret, given):
            if old != new and login.version(old) is not None:
                login.change(old, new)
                return _report(target, secret, login.prove(old, new), before=before)
    tried = f"the secret's nor the well-known default{' nor that of --old-password-env' if given else ''}"
    raise OpsError(
        f"cannot log in to {target} as root: its password is neither {tried}, nor the secret's previous version",
        remedy="Put the password that root has into an environment variable and name that: --old-password-env VARIABLE",
    )


class _Login:
    """Logs in to one Milvus as root, with one password or another."""

    def __init__(self, target: Target, timeout: int) -> None:
        self.target = target
        self._timeout = timeout

    def version(self, password: str) -> str | None:
        """Return the server's version, or None where it refuses the password."""
        try:
            with self._client(password) as client:
                return str(self._within(lambda: client.get_server_version(timeout=self._timeout)))
        except Exception as error:
            if is_refused(error, target=self.target):
                return None
            raise self._failure("connect", f"cannot log in to {self.target} as root", error, password) from error

    def change(self, old: str, new: str) -> None:
        """Replace the password in Milvus."""
        try:
            with self._client(old) as client:
                self._within(lambda: client.update_password(USER, old, new, timeout=self._timeout))
        except Exception as error:
            what = f"cannot change root's password on {self.target}"
            raise self._failure("password", what, error, new, old) from error

    def prove(self, old: str, new: str) -> str:
        """Return the server's version once it takes the new password and refuses the old one."""
        # Each proxy remembers logins and hears of a change; behind the load balancer every attempt may meet another.
        deadline = time.monotonic() + self._timeout
        while True:
            version = self.version(new)
            if version is not None and self.version(old) is None:
                return version
            if time.monotonic() > deadline:
                state = "still takes the old one" if version else "refuses it"
                raise OpsError(
                    f"{self.target} has stored root's new password, but {state}",
                    remedy="Restart the proxies (`kubectl -n milvus rollout restart deployment`), then run it again",
                )
            time.sleep(_AGAIN_SECONDS)

    @contextlib.contextmanager
    def _client(self, password: str) -> Iterator[Any]:
        attempt = replace(self.target, token=f"{USER}:{password}")
        client = self._within(lambda: open_client(attempt, timeout=self._timeout))
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                within(_GRACE_SECONDS, client.close)

    def _within(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - pymilvus ships no type information
        # A request's own time-out comes first: its error says more.
        return within(self._timeout + _GRACE_SECONDS, call)

    def _failure(self, step: str, what: str, error: Exception, *passwords: str) -> OpsError:
        reason, remedy = explain(step, error, target=self.target, seconds=self._timeout)
        # The well-known one is no secret, but the name of the product.
        for password in set(passwords) - {WELL_KNOWN}:
            reason = reason.replace(password, "***")
        return OpsError(f"{what}: {reason}", remedy=remedy)


def _candidates(secret: str, given: str | None) -> Iterator[tuple[Before, str]]:
    yield "default", WELL_KNOWN
    if given is not None:
        yield "given", given
    before = previous_token(secret)
    if before is not None:
        yield "previous", before.partition(":")[2]


def _root_password(token: str, secret: str) -> str:
    user, _, password = token.partition(":")
    if user != USER:
        raise OpsError(
            f"the secret {secret} is of the user {user}, not of {USER}",
            remedy=f"Give root's (`{PROGRAM} endpoints --env NAME` shows RootSecretArn)",
        )
    if password == WELL_KNOWN:
        raise OpsError(
            f"the secret {secret} holds Milvus's well-known default password",
            remedy=_NEW_VALUE,
        )
    # proxy.minPasswordLength, and what bcrypt takes. Milvus would say so only after the login.
    if not 6 <= len(password.encode()) <= 72:
        raise OpsError(
            f"the password in the secret {secret} is shorter than 6 or longer than 72 bytes", remedy=_NEW_VALUE
        )
    return password


def _require_authorization(login: _Login) -> None:
    """Raise `OpsError` where any password would do: then a login proves nothing."""
    if login.version(WELL_KNOWN) is not None:
        raise OpsError(
            f"{login.target} demands no login: it takes any password",
            remedy="Set milvus.authorization: true and deploy, then run it again",
        )


def _report(target: Target, secret: str, version: str, *, before: Before) -> RootPasswordReport:
    return RootPasswordReport(
        target=str(target), secret=secret, server_version=version, changed=before != "secret", before=before
    )
