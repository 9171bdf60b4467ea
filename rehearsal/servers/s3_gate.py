"""Stands in front of an S3 server and lets through what a judge allows; the server checks the signatures."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from rehearsal.ports import LOOPBACK
from rehearsal.servers.s3 import S3
from rehearsal.servers.startable import Startable

_SECONDS = 60
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, kw_only=True)
class S3Request:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


Judge = Callable[[S3Request], str]
"""Why a request is refused; an empty text lets it through."""


class S3Gate(Startable):
    """An S3 endpoint of its own before a server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        refused: what it refused, newest last.
        seen: method, path and prefix of what it let through.
    """

    def __init__(self, *, s3: S3, judge: Judge) -> None:
        self.bucket = s3.bucket
        self.refused: list[str] = []
        self.seen: set[str] = set()
        self._judge = judge
        self._upstream = s3.port
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self.port = int(self._server.server_address[1])

    def _start(self, stack: ExitStack) -> None:
        stack.callback(self._server.server_close)
        stack.callback(self._server.shutdown)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, request: S3Request) -> tuple[int, list[tuple[str, str]], bytes]:
        if why := self._judge(request):
            self.refused.append(why)
            text = f"<Error><Code>AccessDenied</Code><Message>{escape(why)}</Message></Error>"
            return 403, [("Content-Type", "application/xml")], f"{_XML}{text}".encode()
        self.seen.add(f"{request.method} {unquote(urlsplit(request.path).path)} {request.query.get('prefix', [''])[0]}")
        connection = http.client.HTTPConnection(LOOPBACK, self._upstream, timeout=_SECONDS)
        try:
            # As it was sent, the host name too: it is signed.
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return self._pass
                raise AttributeError(name)

            def _pass(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = S3Request(
                    method=self.command,
                    path=self.path,
                    query=parse_qs(urlsplit(self.path).query, keep_blank_values=True),
                    headers=dict(self.headers.items()),
                    body=self.rfile.read(length),
                )
                status, headers, body = gate._answer(request)
                self.send_response_only(status)
                sized = False
                for name, value in headers:
                    if name.lower() in {"connection", "transfer-encoding"}:
                        continue
                    if name.lower() == "content-length":
                        sized = True
                        # Of a HEAD: the size of what is not sent.
                        value = value if request.method == "HEAD" else str(len(body))  # noqa: PLW2901 - the same header
                    self.send_header(name, value)
                if not sized:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if request.method != "HEAD":
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the library
                pass

        return Handler
