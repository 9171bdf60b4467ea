"""A real Milvus cluster on loopback: one process per component, as the release has one pod per component."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from charts.values.merge import merged
from rehearsal.ports import LOOPBACK, free_port, listens
from rehearsal.run import Run
from rehearsal.servers.etcd import Etcd
from rehearsal.servers.http import responds
from rehearsal.servers.kafka import Kafka
from rehearsal.servers.milvus_configuration import Configuration, nested, server_defaults
from rehearsal.servers.process import Process, ServerError
from rehearsal.servers.s3 import S3, S3User
from rehearsal.servers.s3_gate import S3Gate
from rehearsal.servers.startable import Startable
from rehearsal.servers.wheels import milvus_folder

BINARY_VARIABLE = "MILVUS_BIN"
_ROOT_PASSWORD = "Milvus"  # noqa: S105 - Milvus's documented default


@dataclass(frozen=True, kw_only=True)
class Component:
    """One kind of pod: its name, the arguments of ``milvus run`` and the configuration keys of its ports."""

    name: str
    arguments: tuple[str, ...]
    ports: tuple[str, ...]


_PROXY = Component(name="proxy", arguments=("proxy",), ports=("proxy.port", "proxy.internalPort"))
_QUERY_NODE = Component(name="querynode", arguments=("querynode",), ports=("queryNode.port",))
_DATA_NODE = Component(name="datanode", arguments=("datanode",), ports=("dataNode.port",))
COMPONENTS_2_3 = (
    Component(
        name="coordinators",
        arguments=("mixture", "-rootcoord", "-querycoord", "-datacoord", "-indexcoord"),
        ports=("rootCoord.port", "queryCoord.port", "dataCoord.port"),
    ),
    _PROXY,
    _QUERY_NODE,
    _DATA_NODE,
    Component(name="indexnode", arguments=("indexnode",), ports=("indexNode.port",)),
)
COMPONENTS_2_6 = (
    Component(name="mixcoord", arguments=("mixcoord",), ports=("rootCoord.port",)),
    _PROXY,
    _QUERY_NODE,
    _DATA_NODE,
    Component(name="streamingnode", arguments=("streamingnode",), ports=("streamingNode.port",)),
)

# The wheel's configuration is made for one process that stores all on its own disk; the image of the same version has
# these values, and the chart relies on them.
_IMAGE_VALUES = {"common.storageType": "remote", "etcd.use.embed": False, "mq.type": "default"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Milvus server: binary, folder of its shared libraries, its own configuration and what to correct in that.

    Attributes:
        root_password: the password that root has whatever the environment says; None where it is obeyed. 2.3.5 does
            not know ``COMMON_SECURITY_DEFAULTROOTPASSWORD`` yet.
    """

    binary: Path
    libraries: Path
    defaults: Path
    components: tuple[Component, ...]
    corrections: Mapping[str, Any] = field(default_factory=dict)
    root_password: str | None = None


def server() -> Server:
    """Return the server that ``MILVUS_BIN`` names (laid out as Milvus's image: bin, lib, configs), or the wheel's."""
    if given := os.environ.get(BINARY_VARIABLE):
        path = Path(given).resolve()
        if not path.is_file():
            raise ServerError(f"{BINARY_VARIABLE}={given}: no such file; give the path of a milvus server binary")
        home = path.parent.parent
        defaults = home / "configs" / "milvus.yaml"
        known = defaults.read_text() if defaults.is_file() else ""
        return Server(
            binary=path,
            libraries=home / "lib",
            defaults=defaults,
            # Streaming nodes came with 2.6, which has no index nodes any more; the root password's setting with 2.4.
            components=COMPONENTS_2_6 if "streamingNode:" in known else COMPONENTS_2_3,
            root_password=None if "defaultRootPassword:" in known else _ROOT_PASSWORD,
        )
    folder = milvus_folder()
    return Server(
        binary=folder / "bin" / "milvus",
        libraries=folder / "bin",
        defaults=folder / "config.yaml.template",
        components=COMPONENTS_2_3,
        corrections=_IMAGE_VALUES,
        root_password=_ROOT_PASSWORD,
    )


def addresses(*, etcd: Etcd, kafka: Kafka, s3: S3 | S3Gate, user: S3User) -> dict[str, Any]:
    """Return what replaces addresses, S3 keys and the authority to trust in a configuration made for AWS."""
    return nested(
        {
            "etcd.endpoints": etcd.address,
            "minio.address": LOOPBACK,
            "minio.port": s3.port,
            "minio.bucketName": s3.bucket,
            "minio.useSSL": False,
            "minio.useIAM": False,
            "minio.useVirtualHost": False,
            "minio.accessKeyID": user.access_key,
            "minio.secretAccessKey": user.secret_key,
            "kafka.brokerList": kafka.bootstrap,
            "kafka.consumer.ssl.ca.location": str(kafka.authority),
            "kafka.producer.ssl.ca.location": str(kafka.authority),
        }
    )


class Milvus(Startable):
    """All components of one Milvus cluster.

    It listens on all interfaces (Milvus has no setting for it): run it in a network namespace (servers.netns).

    Args:
        layers: configurations merged over the server's own, such as the chart's default.yaml and user.yaml, and last
            what ``addresses`` gives.
        environment: environment variables of the rendered pods, secrets resolved.
        secrets: values that must not appear in the logs (2.3 logs the Kafka password).
        own: the server; by default ``server()``.
        waits: whether entering the context waits until every component is up; not where it is expected not to.

    Attributes:
        uri: ``http://127.0.0.1:PORT`` of the proxy.
        processes: supervised process by component name.
    """

    def __init__(
        self,
        *,
        run: Run,
        layers: Sequence[Configuration],
        environment: Mapping[str, str],
        secrets: Sequence[str] = (),
        own: Server | None = None,
        name: str = "milvus",
        waits: bool = True,
    ) -> None:
        self._server = own or server()
        self._run = run
        self._name = name
        self._waits = waits
        keys = [key for component in self._server.components for key in component.ports]
        self._ports = {key: free_port() for key in keys}
        self._metrics = {component.name: free_port() for component in self._server.components}
        here = {
            **self._ports,
            **{f"{key.split('.')[0]}.ip": LOOPBACK for key in keys},
            "localStorage.path": str(run.data(f"{name}-local")),
            # Standard output, which the run folder keeps.
            "log.file.rootPath": "",
        }
        own_defaults = merged(server_defaults(self._server.defaults), nested(self._server.corrections))
        self.configuration = merged(own_defaults, *layers, nested(here))
        self._environment = {
            **environment,
            "LD_LIBRARY_PATH": str(self._server.libraries),
            "MILVUSCONF": str(self._write_configuration()),
            "DEPLOY_MODE": "CLUSTER",
        }
        self.uri = f"http://{LOOPBACK}:{self._ports['proxy.port']}"
        self.processes = {
            component.name: Process(
                name=f"{name}-{component.name}",
                command=[self._server.binary, "run", *component.arguments],
                environment={**self._environment, "METRICS_PORT": str(self._metrics[component.name])},
                directory=run.data(name),
                log=run.log(f"{name}-{component.name}"),
                secrets=secrets,
            )
            for component in self._server.components
        }

    def healthz(self, component: str = "proxy") -> bool:
        """Return what ``/healthz`` says: OK even with a wrong Kafka password, so never take it for health."""
        return responds(f"http://{LOOPBACK}:{self._metrics[component]}/healthz", containing="OK")

    def kill(self, *components: str) -> None:
        """Kill components without warning; all when none is named."""
        for name in components or tuple(self.processes):
            _kill(self.processes[name])

    def start(self, *components: str) -> None:
        """Start components that do not run; all when none is named."""
        for name in components or tuple(self.processes):
            if not self.processes[name].running:
                self.processes[name].start()

    def wait(self, *components: str, seconds: float = 90) -> None:
        """Wait until each component serves its ports: it is up, which does not mean that it works (``probe``)."""
        for component in self._server.components:
            if components and component.name not in components:
                continue
            self.processes[component.name].wait_until(
                lambda component=component: self._serves(component),  # type: ignore[misc]  # a lambda infers no type from a default
                seconds=seconds,
                what="serving",
            )

    def log_text(self) -> str:
        """Return the logs of all components."""
        return "\n".join(
            process.log.read_text(errors="replace") for process in self.processes.values() if process.log.exists()
        )

    def _start(self, stack: ExitStack) -> None:
        for process in self.processes.values():
            # Its clean shutdown can hang for a minute, and nothing of this run needs one.
            stack.callback(_kill, process)
        self.start()
        if self._waits:
            self.wait()

    def _serves(self, component: Component) -> bool:
        return self.healthz(component.name) and all(listens(self._ports[key]) for key in component.ports)

    def _write_configuration(self) -> Path:
        text = yaml.safe_dump(self.configuration, allow_unicode=True)
        path = self._run.secret_file(f"{self._name}-configuration", "milvus.yaml", text)
        logging = self._server.defaults.with_name("glog.conf")
        if logging.exists():
            shutil.copyfile(logging, path.with_name("glog.conf"))
        return path.parent


def _kill(process: Process) -> None:
    """Kill a component, and remove the file that Milvus writes for each process to a fixed place and never removes."""
    if process.running:
        left = Path(f"/tmp/milvus/server_id_{process.pid}")  # noqa: S108 - Milvus's own path, not ours to choose
        process.kill()
        left.unlink(missing_ok=True)
