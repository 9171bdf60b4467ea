"""A real Kubernetes control plane (etcd, API server, controllers, scheduler) with kwok's simulated nodes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from rehearsal.certificates import LOOPBACK_NAMES, Authority, service_account_key
from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers import nodes, programs, stages
from rehearsal.servers.api import Api
from rehearsal.servers.etcd import Etcd
from rehearsal.servers.http import responds
from rehearsal.servers.process import Process
from rehearsal.servers.startable import Startable

_SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.100.0.1")
# EKS's default service range for a VPC in 10.0.0.0/8 is 172.20.0.0/16, else 10.100.0.0/16.
_SERVICE_RANGE = "10.100.0.0/16"


class ControlPlane(Startable):
    """Kubernetes without containers: the API, scheduling, controllers and disruption budgets are real.

    Not real: kubelets and containers (kwok reports every pod Running), cloud controllers, the network.

    Args:
        run: where logs and data go.
        issuer: ``iss`` of service-account tokens; on EKS the cluster's OIDC URL. Default: this API server.
        token_webhook: a kubeconfig naming a server that reviews bearer tokens (EKS tokens of the emulated account).
        failing_images: images whose pods never become ready, besides those that contain ``never-ready``.
        calls_webhooks: whether admission webhooks are called; off where their pods are simulated and cannot answer.

    Attributes:
        endpoint: ``https://127.0.0.1:PORT``.
        authority: the cluster's certificate authority, PEM.
        kubeconfig: path of an administrator's kubeconfig.
        api: a client with the administrator's rights.
        service_account_public_key: PEM key that verifies service-account tokens.
        apiserver: its process, to pause or kill.
    """

    def __init__(
        self,
        *,
        run: Run,
        issuer: str | None = None,
        token_webhook: Path | None = None,
        failing_images: tuple[str, ...] = (),
        calls_webhooks: bool = True,
        name: str = "kubernetes",
    ) -> None:
        self._run = run
        self._name = name
        self._failing_images = failing_images
        self._calls_webhooks = calls_webhooks
        self._authority = Authority(f"{name}-ca")
        self._port = free_port()
        self.endpoint = f"https://{LOOPBACK}:{self._port}"
        self.issuer = issuer or self.endpoint
        self.authority = self._authority.certificate
        self._authority_file = run.secret_file(name, "ca.crt", self.authority)
        private, self.service_account_public_key = service_account_key()
        self._account_key = run.secret_file(name, "service-account.key", private)
        self._account_public = run.secret_file(name, "service-account.pub", self.service_account_public_key)
        server = self._authority.issue("kube-apiserver", hosts=(*LOOPBACK_NAMES, *_SERVICE_NAMES))
        self._server_files = self._write("apiserver", server.certificate, server.key)
        self.kubeconfig = self._client("admin", user="kubernetes-admin", groups=("system:masters",))
        self.api = Api(
            endpoint=self.endpoint,
            authority=self._authority_file,
            certificate=run.data(name) / "admin.crt",
            key=run.data(name) / "admin.key",
        )
        self._etcd = Etcd(run=run, name=f"{name}-etcd", durable=False)
        self.apiserver = self._process("kube-apiserver", self._apiserver_flags(token_webhook))

    @property
    def authority_data(self) -> str:
        """The certificate authority in base64, as DescribeCluster returns it."""
        return base64.b64encode(self.authority.encode()).decode()

    def add_nodes(self, new: Sequence[nodes.Node], *, seconds: float = 30) -> None:
        """Register simulated nodes and wait until all are Ready."""
        nodes.register(self.api, new)
        names = {node.name for node in new}
        self.wait_for(
            lambda: names <= {n["metadata"]["name"] for n in self.api.objects("Node") if nodes.ready(n)},
            seconds=seconds,
            what=f"with nodes {', '.join(sorted(names))} Ready",
        )

    def wait_for(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait for a state of the cluster; ``ServerError`` after ``seconds`` or when the API server ends."""
        self.apiserver.wait_until(done, seconds=seconds, what=what)

    def ready(self) -> bool:
        """Ask the API server for its own readiness."""
        return responds(f"{self.endpoint}/readyz", tls=self.api.tls)

    def _start(self, stack: ExitStack) -> None:
        stack.enter_context(self._etcd)
        stack.enter_context(self.apiserver)
        self.apiserver.wait_until(self.ready, seconds=60)
        # Controllers and scheduler show their health on HTTPS with a certificate of their own making.
        for process, port in (self._controller_manager(), self._scheduler()):
            stack.enter_context(process)
            url = f"https://{LOOPBACK}:{port}/healthz"
            process.wait_until(lambda url=url: responds(url, tls=self.api.tls), seconds=60)  # type: ignore[misc]  # a lambda infers no type from a default
        kwok, port = self._kwok()
        stack.enter_context(kwok)
        kwok.wait_until(lambda: responds(f"http://{LOOPBACK}:{port}/healthz"), seconds=30)
        self.wait_for(self._default_account_exists, seconds=30, what="serving service accounts")

    def _default_account_exists(self) -> bool:
        return self.api.get("ServiceAccount", "default", namespace="default") is not None

    def _apiserver_flags(self, token_webhook: Path | None) -> list[str]:
        certificate, key = self._server_files
        flags = [
            f"--etcd-servers={self._etcd.endpoint}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            # A loopback address is not allowed in Endpoints of the service `kubernetes`.
            "--endpoint-reconciler-type=none",
            f"--secure-port={self._port}",
            f"--service-cluster-ip-range={_SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            f"--client-ca-file={self._authority_file}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--service-account-issuer={self.issuer}",
            f"--service-account-signing-key-file={self._account_key}",
            f"--service-account-key-file={self._account_public}",
            # On EKS tokens for IAM roles have the audience sts.amazonaws.com; the API server's own stays valid too.
            f"--api-audiences={self.issuer},https://kubernetes.default.svc",
        ]
        if not self._calls_webhooks:
            flags.append("--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook")
        if token_webhook is not None:
            flags += [
                f"--authentication-token-webhook-config-file={token_webhook}",
                "--authentication-token-webhook-version=v1",
            ]
        return flags

    def _controller_manager(self) -> tuple[Process, int]:
        port = free_port()
        flags = [
            f"--kubeconfig={self._client('kube-controller-manager', user='system:kube-controller-manager')}",
            *self._serving("kube-controller-manager", port),
            f"--service-account-private-key-file={self._account_key}",
            f"--root-ca-file={self._authority_file}",
            "--use-service-account-credentials=true",
            # No kubelet publishes volumes here, so nothing would ever confirm an attachment.
            "--controllers=*,-persistentvolume-attach-detach-controller",
            # After an outage of the API server or on a busy machine nodes would be taken for lost, and their pods for
            # not ready; a kubelet reports them ready again, kwok does not.
            "--node-monitor-grace-period=30m",
        ]
        return self._process("kube-controller-manager", flags), port

    def _scheduler(self) -> tuple[Process, int]:
        port = free_port()
        config = self._client("kube-scheduler", user="system:kube-scheduler")
        flags = [f"--kubeconfig={config}", *self._serving("kube-scheduler", port)]
        return self._process("kube-scheduler", flags), port

    def _serving(self, name: str, port: int) -> list[str]:
        served = self._authority.issue(name, hosts=LOOPBACK_NAMES)
        certificate, key = self._write(f"{name}-serving", served.certificate, served.key)
        return [
            "--leader-elect=false",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
        ]

    def _kwok(self) -> tuple[Process, int]:
        port = free_port()
        folder = programs.KWOK.build() / "kustomize" / "stage"
        config = self._run.data(self._name) / "stages.yaml"
        config.write_text(stages.stages(folder, self._failing_images))
        annotation = ",".join(f"{key}={value}" for key, value in nodes.SIMULATED.items())
        flags = [
            f"--kubeconfig={self._client('kwok', user='kwok', groups=('system:masters',))}",
            f"--config={config}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={annotation}",
            "--node-lease-duration-seconds=40",
            f"--server-address={LOOPBACK}:{port}",
        ]
        return self._process("kwok", flags), port

    def _process(self, program: str, flags: Sequence[str]) -> Process:
        return Process(name=program, command=[programs.binary(program), *flags], log=self._run.log(program))

    def _write(self, name: str, certificate: str, key: str) -> tuple[Path, Path]:
        return (
            self._run.secret_file(self._name, f"{name}.crt", certificate),
            self._run.secret_file(self._name, f"{name}.key", key),
        )

    def _client(self, name: str, *, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig with a client certificate of ``user``."""
        issued = self._authority.issue(user, groups=groups)
        self._write(name, issued.certificate, issued.key)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "rehearsal",
                    "cluster": {"server": self.endpoint, "certificate-authority-data": self.authority_data},
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": base64.b64encode(issued.certificate.encode()).decode(),
                        "client-key-data": base64.b64encode(issued.key.encode()).decode(),
                    },
                }
            ],
            "contexts": [{"name": "rehearsal", "context": {"cluster": "rehearsal", "user": user}}],
            "current-context": "rehearsal",
        }
        return self._run.secret_file(self._name, f"{name}.kubeconfig", yaml.safe_dump(config))
