"""A read-only Kubernetes API for clusters that have only records: what `ops status` asks a real one."""

from __future__ import annotations

import base64
import json
import re
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rehearsal.account import workloads
from rehearsal.account.kubernetes_records import KubernetesRecords
from rehearsal.certificates import LOOPBACK_NAMES, Authority

_WORKLOADS = re.compile(r"/apis/apps/v1/namespaces/(?P<namespace>[\w.-]+)/(?P<plural>deployments|statefulsets)")
_KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet"}
# What `aws eks get-token` makes; whose it is the account does not ask.
_TOKEN = "Bearer k8s-aws-v1."  # noqa: S105 - the form of a token, not one


class Endpoint(NamedTuple):
    """Where a cluster's API is, and the Base64 of the PEM that signed its certificate."""

    url: str
    certificate_authority: str


class Answer(NamedTuple):
    """An HTTP status and the object in the body."""

    status: int
    body: dict[str, Any]


def answer(records: KubernetesRecords, cluster: str, path: str, *, authorization: str) -> Answer:
    """Answer a GET: the workloads of a namespace, as if every pod of theirs were ready."""
    if not authorization.startswith(_TOKEN):
        return _refusal(401, "Unauthorized")
    match = _WORKLOADS.fullmatch(urlsplit(path).path)
    if match is None:
        return _refusal(404, "the rehearsal records deployments and statefulsets, and serves nothing else")
    kind = _KINDS[match["plural"]]
    items = [
        workload
        for release in records.released(cluster)
        if release["chart"] == "milvus" and release["namespace"] == match["namespace"]
        for workload in workloads.of_milvus(release)
        if workload["kind"] == kind
    ]
    return Answer(200, {"apiVersion": "apps/v1", "kind": f"{kind}List", "metadata": {}, "items": items})


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": message})


class KubernetesApis:
    """The APIs of the account's clusters, each on a port of its own from a cluster's creation to its deletion."""

    def __init__(self, records: KubernetesRecords) -> None:
        self._records = records
        self._authority = Authority("rehearsal-kubernetes")
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def open(self, cluster: str) -> Endpoint:
        """Serve the API of a new cluster."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(cluster))
        server.daemon_threads = True
        server.socket = self._context().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, name=f"kubernetes-{cluster}", daemon=True).start()
        self._servers[cluster] = server
        authority = base64.b64encode(self._authority.certificate.encode()).decode()
        return Endpoint(f"https://127.0.0.1:{server.server_port}", authority)

    def close(self, cluster: str) -> None:
        """End the API of a deleted cluster; one that has none is no error."""
        if server := self._servers.pop(cluster, None):
            server.shutdown()
            server.server_close()

    def _context(self) -> ssl.SSLContext:
        issued = self._authority.issue("kubernetes", hosts=LOOPBACK_NAMES)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Made readable by its owner only, and gone as soon as it is read.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(issued.key + issued.certificate)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _handler(self, cluster: str) -> type[BaseHTTPRequestHandler]:
        records = self._records

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answer(records, cluster, self.path, authorization=self.headers.get("Authorization", ""))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Say nothing: the account's log is the emulator's."""

        return Handler
