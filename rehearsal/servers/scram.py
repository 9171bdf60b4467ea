"""SCRAM credentials as Kafka stores them: salted, so that no password is ever on a command line."""

from __future__ import annotations

import base64
import hashlib
import secrets

MECHANISM = "SCRAM-SHA-512"
_ITERATIONS = 4096


def stored_credential(user: str, password: str) -> str:
    """Return the argument of ``--add-scram`` for a user, with any character in the password (RFC 5802, KIP-900)."""
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    parts = (
        f"name={user}",
        f'salt="{base64.b64encode(salt).decode()}"',
        f'saltedpassword="{base64.b64encode(salted).decode()}"',
        f"iterations={_ITERATIONS}",
    )
    return f"{MECHANISM}=[{','.join(parts)}]"


def jaas(user: str, password: str) -> str:
    """Return the login configuration of a client or broker, with quotes and backslashes escaped."""
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return f'{module} required username="{_escape(user)}" password="{_escape(password)}";'


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def java_properties(values: dict[str, str]) -> str:
    """Return a Java properties file; backslashes and line breaks in values are escaped."""
    lines = (f"{key}={_property(value)}" for key, value in values.items())
    return "".join(f"{line}\n" for line in lines)


def _property(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n\\\n  ")
    return "".join(c if ord(c) < 128 else "".join(f"\\u{u:04x}" for u in _utf16(c)) for c in escaped)


def _utf16(character: str) -> list[int]:
    data = character.encode("utf-16-be")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
