"""As whom CloudFormation acts for a stack: the role that it was handed, else whoever asks for the change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from rehearsal.account.authority.engine import Engine

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Response]]

SERVICE = "cloudformation.amazonaws.com"
# Calls after which CloudFormation changes resources, or prepares to.
_CHANGING = frozenset({"CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet"})


class Deployers:
    """Who acts for each stack of the account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys: dict[tuple[str, str, str], str] = {}
        self._of_roles: set[tuple[str, str, str]] = set()

    def install(self, app: Any) -> None:
        """Listen to CloudFormation's calls in this process."""
        next_handler: Handler = app.SERVICE_HANDLERS["cloudformation"]

        async def handle(method: str, path: str, headers: Any, body: bytes, query: Mapping[str, Any]) -> Response:
            asked = _parameters(headers, body, query)
            if asked.get("Action") in _CHANGING and (refusal := self._note(headers, query, asked)):
                return refusal
            return await next_handler(method, path, headers, body, query)

        app.SERVICE_HANDLERS["cloudformation"] = handle

    def key(self, stack: str) -> str | None:
        """Return the access key of whoever acts for a stack; None for one that nobody asked for."""
        return self._keys.get(_place(stack))

    def _note(self, headers: Any, query: Mapping[str, Any], asked: Mapping[str, str]) -> Response | None:
        from ministack.core.responses import get_region  # noqa: PLC0415 - holds the request's region
        from ministack.core.router import extract_access_key_id  # noqa: PLC0415 - it reads the environment

        caller = extract_access_key_id(headers, query)
        stack, role = asked.get("StackName", ""), asked.get("RoleARN", "")
        if not stack:  # a change set by its ARN: arn:...:changeSet/NAME/ID says nothing of its stack
            return None
        place = _place(stack)
        if role:
            keys = {"iam:PassedToService": SERVICE}
            if why := self._engine.may(caller, "iam:PassRole", region=get_region(), resource=role, keys=keys):
                return _fault("AccessDenied", why)
            if not assumable(role):
                return _fault("ValidationError", f"Role {role} is invalid or cannot be assumed")
            self._keys[place] = session(role, "AWSCloudFormation")
            self._of_roles.add(place)
        elif place not in self._of_roles:
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
            self._keys[place] = caller
        return None


def assumable(role_arn: str, service: str = SERVICE) -> bool:
    """Whether a role is there and trusts a service."""
    from ministack.services import iam  # noqa: PLC0415 - it reads the environment when imported

    role = iam._roles.get(role_arn.rpartition("/")[2])
    document = (role or {}).get("AssumeRolePolicyDocument") or "{}"
    trust = document if isinstance(document, dict) else json.loads(document)
    statements = trust.get("Statement", [])
    return any(
        statement.get("Effect") == "Allow" and service in _list(_principal(statement).get("Service"))
        for statement in _list(statements)
    )


def session(role_arn: str, name: str) -> str:
    """Return the access key of a session of a role that a service has assumed; the same one each time."""
    from ministack.services import sts  # noqa: PLC0415 - it reads the environment when imported

    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    digest = hashlib.sha256(f"{role_arn}/{name}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": digest,
            "SessionToken": digest,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return key


def _place(stack: str) -> tuple[str, str, str]:
    from ministack.core import responses  # noqa: PLC0415 - holds the request's account and region

    name = stack.split("/")[1] if stack.startswith("arn:") else stack
    return responses.get_account_id(), responses.get_region(), name


def _parameters(headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> dict[str, str]:
    found = {key: str(value[0] if isinstance(value, list) else value) for key, value in query.items()}
    if "amz-json" in headers.get("content-type", ""):
        found |= {key: value for key, value in json.loads(body or b"{}").items() if isinstance(value, str)}
        found["Action"] = headers.get("x-amz-target", "").rpartition(".")[2]
        return found
    return found | {key: values[0] for key, values in parse_qs(body.decode(errors="replace")).items()}


def _fault(code: str, message: str) -> Response:
    from ministack.services.cloudformation.helpers import _error  # noqa: PLC0415 - it reads the environment

    answer: Response = _error(code, message, 403 if code == "AccessDenied" else 400)
    return answer


def _principal(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement.get("Principal", {})
    return principal if isinstance(principal, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
