"""The real External Secrets Operator, reading an emulated Secrets Manager into the real API server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.http import responds
from rehearsal.servers.kubernetes import ControlPlane
from rehearsal.servers.process import Process
from rehearsal.servers.programs import EXTERNAL_SECRETS, binary
from rehearsal.servers.startable import Startable

_TOKEN_SECONDS = 24 * 3600


def version() -> str:
    """Return the version that the rehearsal runs: the newest that builds as a Go module.

    Later releases are not to be had as Go modules, or not with their secret stores. The objects are the same in both
    (``external-secrets.io/v1``).
    """
    pins = (EXTERNAL_SECRETS.folder / "go.mod").read_text(encoding="utf-8")
    (found,) = re.findall(r"^require github\.com/external-secrets/external-secrets v(\S+)$", pins, flags=re.MULTILINE)
    return str(found)


def chart_folder() -> Path:
    """Return the operator's own Helm chart, as it lies in the module of the same version."""
    return EXTERNAL_SECRETS.build() / "deploy" / "charts" / "external-secrets"


def custom_resource_definitions() -> list[dict[str, Any]]:
    """Return the operator's CustomResourceDefinitions."""
    bundle = EXTERNAL_SECRETS.build() / "deploy" / "crds" / "bundle.yaml"
    return [item for item in yaml.safe_load_all(bundle.read_text()) if item]


class ExternalSecrets(Startable):
    """The operator's controller as a process; its webhook and certificate controller do not run.

    Args:
        aws_endpoint: the emulated account, for Secrets Manager and STS.
        service_account: ``(namespace, name)`` as which the controller works, so that the roles of its chart are
            tested. Without, it has an administrator's rights and its CustomResourceDefinitions are installed here.
        flags: further arguments, such as those of the chart's Deployment.
    """

    def __init__(
        self,
        *,
        run: Run,
        cluster: ControlPlane,
        aws_endpoint: str,
        region: str = "us-east-1",
        service_account: tuple[str, str] | None = None,
        flags: Sequence[str] = (),
        name: str = "external-secrets",
    ) -> None:
        self._run = run
        self._name = name
        self._cluster = cluster
        self._aws = {
            "AWS_SECRETSMANAGER_ENDPOINT": aws_endpoint,
            "AWS_STS_ENDPOINT": aws_endpoint,
            "AWS_REGION": region,
            # Nothing but the role of the SecretStore's service account may be used.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._service_account = service_account
        self._flags = tuple(flags)

    def _start(self, stack: ExitStack) -> None:
        if self._service_account is None:
            self._install_definitions()
        live = free_port()
        process = Process(
            name=self._name,
            command=[
                binary("external-secrets"),
                "--enable-leader-election=false",
                f"--metrics-addr={LOOPBACK}:{free_port()}",
                f"--live-addr={LOOPBACK}:{live}",
                "--concurrent=2",
                *self._flags,
            ],
            environment={**self._aws, "KUBECONFIG": str(self._kubeconfig())},
            log=self._run.log(self._name),
        )
        stack.enter_context(process)
        process.wait_until(lambda: responds(f"http://{LOOPBACK}:{live}/healthz"), seconds=60)

    def _install_definitions(self) -> None:
        definitions = custom_resource_definitions()
        for definition in definitions:
            self._cluster.api.apply(definition)
        names = {definition["metadata"]["name"] for definition in definitions}
        self._cluster.wait_for(
            lambda: names <= self._established(), seconds=30, what="serving the operator's definitions"
        )

    def _established(self) -> set[str]:
        return {
            item["metadata"]["name"]
            for item in self._cluster.api.objects("CustomResourceDefinition")
            if any(c["type"] == "Established" and c["status"] == "True" for c in item["status"].get("conditions") or [])
        }

    def _kubeconfig(self) -> Path:
        if self._service_account is None:
            return self._cluster.kubeconfig
        namespace, account = self._service_account
        token = self._cluster.api.request(
            "POST",
            f"api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": _TOKEN_SECONDS},
            },
        )["status"]["token"]
        config = yaml.safe_load(self._cluster.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        return self._run.secret_file(self._name, "kubeconfig", yaml.safe_dump(config))
