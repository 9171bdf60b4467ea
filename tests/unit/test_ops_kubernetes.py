from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from ops.errors import OpsError
from ops.kubernetes import ClusterAccess, KubernetesUnreachableError, cluster_token, read_workloads
from tests.unit.ops_tls import self_signed

Answer = Callable[[str], tuple[int, Any]]


COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


def deployment(name: str, *, replicas: int | None = 2, ready: int | None = 2) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "milvus"},
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "template": {"spec": {"containers": [{"image": "docker.io/milvusdb/milvus:v2.6.22"}]}},
        },
        "status": {} if ready is None else dict.fromkeys(COUNTS, ready),
    }


class Api:
    """A Kubernetes API on loopback with TLS."""

    def __init__(self, folder: Path) -> None:
        self.seen: list[tuple[str, str]] = []
        self.answer: Answer = lambda _path: (200, {"items": []})
        certificate, key = self_signed()
        self.ca = certificate.decode()
        (folder / "server.pem").write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.seen.append((self.path, self.headers.get("Authorization", "")))
                status, body = api.answer(self.path)
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None: ...  # a client that refuses our certificate is part of a test

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def access(self, **more: Any) -> ClusterAccess:
        return ClusterAccess(**{"endpoint": self.url, "ca_pem": self.ca, "token": "t0ken", **more})


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_workloads_are_read_page_by_page_with_the_token(api: Api) -> None:
    # GIVEN deployments on two pages, and a StatefulSet
    def answer(path: str) -> tuple[int, Any]:
        if "statefulsets" in path:
            return 200, {"items": [deployment("milvus-etcd", replicas=3, ready=None)]}
        if "continue=more" in path:
            return 200, {"items": [deployment("milvus-querynode", replicas=None, ready=1)]}
        return 200, {"items": [deployment("milvus-proxy")], "metadata": {"continue": "more"}}

    api.answer = answer

    found = read_workloads(api.access(), namespace="milvus")

    # THEN all are there, and no pod is ready where the status says nothing
    assert [(each.kind, each.name, each.ready, each.wanted, each.healthy) for each in found] == [
        ("Deployment", "milvus-proxy", 2, 2, True),
        ("Deployment", "milvus-querynode", 1, 1, True),
        ("StatefulSet", "milvus-etcd", 0, 3, False),
    ]
    assert found[0].image == "milvus:v2.6.22"
    assert api.seen[0] == ("/apis/apps/v1/namespaces/milvus/deployments?limit=250", "Bearer t0ken")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"message": "Unauthorized"}, "does not know this identity. Add its role to the cluster's admin roles"),
        (
            403,
            {"message": "deployments is forbidden"},
            "refuses: deployments is forbidden. This identity needs an access",
        ),
        (500, {"message": "etcd is gone"}, "answered 500 etcd is gone. Is that the cluster's endpoint"),
        (200, b"<html>", "answered 200. Is that the cluster's endpoint"),
    ],
)
def test_refusal_of_the_api_says_what_to_do(api: Api, status: int, body: Any, says: str) -> None:
    api.answer = lambda _path: (status, body)

    with pytest.raises(KubernetesUnreachableError) as raised:
        read_workloads(api.access(), namespace="milvus")

    assert says in str(raised.value)
    assert "t0ken" not in str(raised.value)


def test_api_with_another_authority_is_not_trusted(api: Api) -> None:
    with pytest.raises(KubernetesUnreachableError, match="shows a certificate of another authority"):
        read_workloads(api.access(ca_pem=""), namespace="milvus")

    assert api.seen == []


def test_authority_that_is_no_certificate_is_said() -> None:
    with pytest.raises(KubernetesUnreachableError, match="names no usable certificate authority"):
        read_workloads(ClusterAccess(endpoint="https://eks.test", ca_pem="junk", token="x"), namespace="milvus")


@pytest.mark.parametrize(
    ("public", "says"), [(True, "public access CIDRs"), (False, "The endpoint is private: run this from inside")]
)
def test_api_that_cannot_be_reached_says_how_to(public: bool, says: str) -> None:
    access = ClusterAccess(endpoint="https://127.0.0.1:1", ca_pem=self_signed()[0].decode(), token="x", public=public)

    with pytest.raises(KubernetesUnreachableError, match=f"cannot be reached: connection refused.*{says}"):
        read_workloads(access, namespace="milvus")


def test_silent_api_times_out(api: Api) -> None:
    release = threading.Event()

    def answer(_path: str) -> tuple[int, Any]:
        release.wait(10)
        return 200, {}

    api.answer = answer

    with pytest.raises(KubernetesUnreachableError, match="cannot be reached: no answer"):
        read_workloads(api.access(timeout=0.2), namespace="milvus")
    release.set()


def test_unknown_name_of_the_api_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "x")

    monkeypatch.setattr("socket.getaddrinfo", unknown)

    with pytest.raises(KubernetesUnreachableError, match="cannot be reached: its name cannot be resolved"):
        read_workloads(ClusterAccess(endpoint="https://eks.test", ca_pem="", token="x"), namespace="milvus")


def test_token_never_travels_in_the_clear() -> None:
    access = ClusterAccess(endpoint="http://eks.test", ca_pem="", token="s3cret")

    with pytest.raises(KubernetesUnreachableError, match=r"is not HTTPS\. A token must not travel in the clear"):
        read_workloads(access, namespace="milvus")
    assert "s3cret" not in repr(access)


def test_cluster_token_is_a_presigned_request_that_names_the_cluster() -> None:
    session = boto3.session.Session(
        aws_access_key_id="AKIDTEST", aws_secret_access_key="secret", region_name="eu-west-1"
    )

    token = cluster_token("milvus-test", region="eu-west-1", session=session)

    # THEN it is what the EKS authenticator wants: a URL of STS, valid for 60 s, the cluster's name signed with it
    prefix, _, encoded = token.partition(".")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = parse_qs(url.query)
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    assert (url.scheme, url.netloc) == ("https", "sts.eu-west-1.amazonaws.com")
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]


def test_cluster_token_without_credentials_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.session.Session(region_name="eu-west-1")
    monkeypatch.setattr(session, "get_credentials", lambda: None)

    with pytest.raises(OpsError, match="cannot read the caller's identity: Unable to locate credentials"):
        cluster_token("milvus-test", region="eu-west-1", session=session)
