"""Plays the part of GitHub and GitLab that keeps the comments of one pull or merge request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Platform(ThreadingHTTPServer):
    """Keeps the comments of one pull or merge request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def log_message(self, *_args: Any) -> None:
        return None

    def _answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if "Bearer refused" in self.headers.get("Authorization", ""):
            self._answer({"message": "no"}, 403)
        elif self.command == "GET":
            page = int(re.findall(r"&page=(\d+)", self.path)[0])
            self._answer(self.server.comments[(page - 1) * 100 : page * 100])
        elif self.command == "POST" and body:
            self.server.comments.append({"id": len(self.server.comments) + 1, **body})
            self._answer(self.server.comments[-1])
        elif body:
            number = int(self.path.rsplit("/", maxsplit=1)[1])
            self.server.comments[number - 1] |= body
            self._answer(self.server.comments[number - 1])

    do_GET = do_POST = do_PATCH = do_PUT = _handle  # noqa: N815 - names that the base class looks for


@contextmanager
def serving() -> Iterator[Platform]:
    """A platform on loopback, for the length of a ``with`` block."""
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
