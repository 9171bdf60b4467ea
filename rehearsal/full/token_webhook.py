"""Simulates EKS's authenticator: tells the API server whose token it holds (`aws eks get-token`)."""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.startable import Startable

_PREFIX = "k8s-aws-v1."
# What EKS's authenticator admits: the signature itself is valid for 60 seconds only, but kubectl keeps it longer.
_MOST_SECONDS = 15 * 60
_GROUPS = ["system:authenticated", "system:masters"]


class TokenWebhook(Startable):
    """Admits tokens that are signed with a key of the embedded account, all of them as administrators.

    Access entries are not tested.

    Args:
        run: folder of its configuration.
        account_id: the account.
        account_of: says to which account an access key belongs.

    Attributes:
        config: what the API server's ``--authentication-token-webhook-config-file`` names.
    """

    def __init__(self, *, run: Run, account_id: str, account_of: Callable[[str], str]) -> None:
        self._account_id = account_id
        self._account_of = account_of
        self._port = free_port()
        server = {"name": "account", "cluster": {"server": f"http://{LOOPBACK}:{self._port}/review"}}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [server],
            "contexts": [{"name": "account", "context": {"cluster": "account", "user": ""}}],
            "current-context": "account",
        }
        self.config: Path = run.secret_file("token-webhook", "config", yaml.safe_dump(content))

    def review(self, token: str) -> dict[str, Any]:
        """Return the ``status`` of a TokenReview."""
        key, problem = _signer(token)
        if not problem and self._account_of(key) != self._account_id:
            problem = "signed with a key of another account"
        if problem:
            return {"authenticated": False, "error": problem}
        return {"authenticated": True, "user": {"username": f"account:{self._account_id}", "groups": _GROUPS}}

    def _start(self, stack: ExitStack) -> None:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = {**{key: asked[key] for key in ("apiVersion", "kind")}, "status": {}}
                answer["status"] = webhook.review(str(asked.get("spec", {}).get("token", "")))
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
                """Nothing: a token must not reach a log."""

        server = ThreadingHTTPServer((LOOPBACK, self._port), Handler)
        stack.callback(server.server_close)
        thread = threading.Thread(target=server.serve_forever, name="token-webhook", daemon=True)
        thread.start()
        stack.callback(thread.join, 5)
        stack.callback(server.shutdown)


def _signer(token: str) -> tuple[str, str]:
    """Return the access key that signed a token, and why it is no token of EKS; empty when it is one."""
    if not token.startswith(_PREFIX):
        return "", "not an EKS token"
    encoded = token.removeprefix(_PREFIX)
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (ValueError, KeyError):
        return "", "not a signed request"
    if query.get("Action") != "GetCallerIdentity" or "x-k8s-aws-id" not in query.get("X-Amz-SignedHeaders", ""):
        return "", "signed for something else"
    expired = abs(time.time() - signed.timestamp()) > _MOST_SECONDS
    return query.get("X-Amz-Credential", "").split("/")[0], "expired" if expired else ""
