"""etcd: the store of the Kubernetes API server, and of Milvus's metadata."""

from __future__ import annotations

from contextlib import ExitStack

from rehearsal.ports import LOOPBACK, free_port
from rehearsal.run import Run
from rehearsal.servers.http import responds
from rehearsal.servers.process import Process
from rehearsal.servers.programs import binary
from rehearsal.servers.startable import Startable


class Etcd(Startable):
    """One etcd member: a cluster of its own, unless it is told another.

    With ``durable`` it syncs every write to disk; without, it is faster and may lose data when the machine (not the
    process) dies.

    Args:
        run: where logs and data go.
        name: its own.
        durable: see above.
        peer: address for the other members; given where these have to know it before the member is made.
        cluster: ``NAME=PEER,...`` of all members, for one that starts with an empty folder.
        joins: whether that cluster is there already.

    Attributes:
        name: as given.
        peer: ``http://127.0.0.1:PORT`` for the other members.
        endpoint: ``http://127.0.0.1:PORT``.
        address: the same without the scheme, as Milvus wants it.
        process: the supervised server.
    """

    def __init__(
        self,
        *,
        run: Run,
        name: str = "etcd",
        durable: bool = True,
        peer: str | None = None,
        cluster: str | None = None,
        joins: bool = False,
    ) -> None:
        self.name = name
        self.address = f"{LOOPBACK}:{free_port()}"
        self.endpoint = f"http://{self.address}"
        self.peer = peer or f"http://{LOOPBACK}:{free_port()}"
        self.process = Process(
            name=name,
            command=[
                binary("etcd"),
                f"--name={name}",
                f"--data-dir={run.data(name)}",
                f"--listen-client-urls={self.endpoint}",
                f"--advertise-client-urls={self.endpoint}",
                f"--listen-peer-urls={self.peer}",
                f"--initial-advertise-peer-urls={self.peer}",
                f"--initial-cluster={cluster or f'{name}={self.peer}'}",
                f"--initial-cluster-state={'existing' if joins else 'new'}",
                "--log-level=warn",
                *([] if durable else ["--unsafe-no-fsync"]),
            ],
            log=run.log(name),
        )

    def _start(self, stack: ExitStack) -> None:
        stack.enter_context(self.process)
        self.process.wait_until(lambda: responds(f"{self.endpoint}/health", containing='"health":"true"'), seconds=30)
