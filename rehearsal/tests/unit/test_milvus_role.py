"""Milvus's requests to S3 by the policy of its role, and the gate before the server."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from rehearsal.full.milvus_role import milvus_judge, milvus_policies, without_start_check
from rehearsal.servers.s3 import S3
from rehearsal.servers.s3_gate import Judge, S3Gate, S3Request
from tests.assemblies import assembly

_REGION = "us-east-2"


def _policies() -> list[dict[str, Any]]:
    template = assembly("guide") / "milvus-guide-milvus.template.json"
    return milvus_policies(template, bucket="data", region=_REGION)


def _asked(method: str, path: str, body: bytes = b"") -> S3Request:
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    return S3Request(method=method, path=path, query=query, headers={}, body=body)


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("HEAD", "/data", ""),
        ("GET", "/data?list-type=2&prefix=milvus%2Finsert_log%2F", ""),
        ("GET", "/data?prefix=justforconnectioncheck", ""),
        ("GET", "/data?prefix=other", "s3:ListBucket on resource: arn:aws:s3:::data because"),
        ("PUT", "/data/milvus/insert_log/1", ""),
        ("PUT", "/data/other/1", "s3:PutObject on resource: arn:aws:s3:::data/other/1 because"),
        ("POST", "/data/milvus/1?uploads", ""),
        ("DELETE", "/data/milvus/1?uploadId=1", ""),
        ("GET", "/data/restore-temp-1/a", ""),
        ("PUT", "/data/restore-temp-1/a", "s3:PutObject on resource"),
        ("DELETE", "/data", "s3:DeleteBucket on resource: arn:aws:s3:::data because"),
        ("GET", "/other/milvus/1", "s3:GetObject on resource: arn:aws:s3:::other/milvus/1 because"),
    ],
)
def test_the_policy_of_the_role_decides_what_milvus_may_ask_of_s3(method: str, path: str, refused: str) -> None:
    said = milvus_judge(_policies(), region=_REGION)(_asked(method, path))

    assert refused in said
    assert bool(said) == bool(refused)


def test_each_object_of_a_deletion_is_judged() -> None:
    judge = milvus_judge(_policies(), region=_REGION)
    keys = "".join(f"<Object><Key>{key}</Key></Object>" for key in ("milvus/1", "other/1"))

    said = judge(_asked("POST", "/data?delete", f"<Delete>{keys}</Delete>".encode()))

    assert "s3:DeleteObject on resource: arn:aws:s3:::data/other/1" in said


def test_objects_under_a_customer_key_need_the_key() -> None:
    # GIVEN the policy without its statement for the key
    policies = _policies()
    policies[0]["Statement"] = [each for each in policies[0]["Statement"] if "kms" not in json.dumps(each)]

    said = milvus_judge(policies, region=_REGION)(_asked("PUT", "/data/milvus/1"))

    assert "is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:us-east-2" in said


def test_without_the_start_check_only_the_root_path_can_be_listed() -> None:
    judge = milvus_judge(without_start_check(_policies()), region=_REGION)

    assert "s3:ListBucket" in judge(_asked("GET", "/data?prefix=justforconnectioncheck"))
    assert judge(_asked("GET", "/data?prefix=milvus")) == ""
    with pytest.raises(LookupError, match="does not name justforconnectioncheck"):
        without_start_check(without_start_check(_policies()))


def test_a_template_without_the_role_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "t.json"
    template.write_text('{"Resources": {}}')
    with pytest.raises(LookupError, match="has 0 policies with s3:PutObject; that of Milvus's role is one"):
        milvus_policies(template, bucket="data", region=_REGION)


class _Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = f"{self.command} {self.path} {self.headers['Host']} {self.headers['X-Sent']} {body.decode()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4096")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the library
        pass


@contextmanager
def _gate(judge: Judge) -> Iterator[S3Gate]:
    with HTTPServer(("127.0.0.1", 0), _Upstream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with S3Gate(s3=cast("S3", SimpleNamespace(bucket="data", port=server.server_port)), judge=judge) as gate:
            yield gate
        server.shutdown()


def _sent(gate: S3Gate, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=10)
    connection.request(method, path, body, {"Host": "s3.example.com", "X-Sent": "yes"})
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read().decode()
    connection.close()
    return answer


def test_the_gate_passes_on_what_is_allowed_as_it_was_sent() -> None:
    # The host name is part of what is signed.
    with _gate(lambda _request: "") as gate:
        assert _sent(gate, "PUT", "/data/a%20b?x=1", b"body")[2] == "PUT /data/a%20b?x=1 s3.example.com yes body"
        status, headers, body = _sent(gate, "HEAD", "/data/a")
        assert (status, headers["Content-Length"], body) == (200, "4096", "")
        assert gate.seen == {"PUT /data/a b ", "HEAD /data/a "}


def test_the_gate_refuses_as_s3_does_and_keeps_why() -> None:
    with _gate(lambda request: f"{request.method} & co" if request.path == "/data/a" else "") as gate:
        status, _, body = _sent(gate, "PUT", "/data/a", b"body")
        assert status == 403
        assert body.endswith("<Error><Code>AccessDenied</Code><Message>PUT &amp; co</Message></Error>")
        assert gate.refused == ["PUT & co"]
